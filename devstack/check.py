"""All checks of the code, two at a time: `make check`, or `python -m devstack.check NAME…`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devstack.processes import ROOT

AT_ONCE = 2
BIN = Path(sys.executable).parent
# Nothing of the developer's own: `.env` and a running site must not change a verdict.
NEUTRAL = {"ENV_FILES": "", "DJANGO_SETTINGS_MODULE": "project.settings"}
YAML = "{extends: relaxed, rules: {line-length: disable}}"
PRODUCTION = {
    **NEUTRAL,
    "DEBUG": "false",
    "SECRET_KEY": "check-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF",
    "SITE_URL": "https://photos.example.org",
    "DATABASE_URL": "postgres://app:secret@db.example.org/app",
    "CACHE_URL": "redis://cache.example.org/0",
    "BROKER_URL": "redis://broker.example.org/1",
    "EMAIL_URL": "smtp+tls://app:secret@mail.example.org:587",
    "DEFAULT_FROM_EMAIL": "Photos <noreply@example.org>",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: a command of .venv, on some files. Without any file there is nothing to check."""

    name: str
    command: Sequence[str]
    files: Sequence[str] | None = None
    variables: tuple[tuple[str, str], ...] = tuple(NEUTRAL.items())


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a check."""

    check: Check
    passed: bool
    seconds: float
    output: str


def checks(root: Path) -> list[Check]:
    """Return all checks, the longest first."""
    templates = _files(root, "templates/**/*.html")
    manage = ("python", "manage.py")
    return [
        Check(name="types", command=("python", "-m", "mypy", ".")),
        Check(
            name="templates-lint",
            command=("djlint", "--lint", "--quiet", *_existing(root, "templates")),
            files=templates,
        ),
        Check(name="imports", command=("lint-imports",)),
        Check(
            name="migrations",
            command=(*manage, "makemigrations", "--check", "--dry-run"),
        ),
        Check(
            name="deploy",
            command=(*manage, "check", "--deploy", "--fail-level", "WARNING"),
            variables=tuple(PRODUCTION.items()),
        ),
        Check(name="lint", command=("ruff", "check", ".")),
        Check(name="format", command=("ruff", "format", "--check", ".")),
        Check(
            name="templates",
            command=("djade", "--check", "--target-version", "5.2", *templates),
            files=templates,
        ),
        Check(name="spelling", command=("typos",)),
        Check(name="locks", command=("python", "-m", "devstack.locks", "--check")),
        Check(
            name="compose",
            command=("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
            files=_existing(root, "compose.yaml", "compose.ci.yaml"),
        ),
        Check(name="dockerfile", command=("hadolint",), files=_existing(root, "Dockerfile")),
        Check(
            name="yaml",
            command=("yamllint", "--strict", "-d", YAML),
            files=[*_existing(root, ".pre-commit-config.yaml"), *_files(root, "*.yaml")],
        ),
    ]  # fmt: skip


def run(check: Check) -> Verdict:
    """Run one check."""
    program, *rest = check.command
    appended = [] if program in {"djade", "djlint"} else list(check.files or [])
    began = time.monotonic()
    done = subprocess.run(
        [BIN / program, *rest, *appended],
        cwd=ROOT,
        env={**_clean_environment(), **dict(check.variables)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Verdict(
        check=check,
        passed=done.returncode == 0,
        seconds=time.monotonic() - began,
        output=done.stdout.rstrip(),
    )


def main(names: Sequence[str]) -> int:
    """Run the checks of these names, or all; say what failed and why. Returns the exit code."""
    chosen = [check for check in checks(ROOT) if not names or check.name in names]
    unknown = set(names) - {check.name for check in chosen}
    if unknown:
        print(f"There is no check {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    due = [check for check in chosen if check.files is None or check.files]
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = []
        for verdict in pool.map(run, due):
            verdicts.append(verdict)
            mark = "passed" if verdict.passed else "FAILED"
            print(f"  {verdict.check.name:<15} {mark} {verdict.seconds:5.1f} s", flush=True)
    failed = [verdict for verdict in verdicts if not verdict.passed]
    for verdict in failed:
        print(f"\n--- {verdict.check.name} ---\n{verdict.output}")
    print(
        f"\n{len(verdicts) - len(failed)} of {len(verdicts)} checks passed"
        f" in {time.monotonic() - began:.1f} s"
    )
    return 1 if failed else 0


def _clean_environment() -> dict[str, str]:
    """Return our variables without any that the site reads."""
    return {name: value for name, value in os.environ.items() if name not in PRODUCTION}


def _existing(root: Path, *names: str) -> list[str]:
    return [name for name in names if (root / name).exists()]


def _files(root: Path, pattern: str) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.glob(pattern))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
