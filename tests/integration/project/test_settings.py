"""The settings as a process sees them: with no variable, and in production."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
STRONG = "abcdefghijklmnopqrstuvwxyz0123456789" * 2


def start(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process that has only the given variables."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILES": "", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


SETTINGS = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE']='project.settings';"
    "from django.conf import settings; print(settings.DEBUG, settings.SESSION_COOKIE_SECURE)"
)
WEB, LIVE = (f"import project.{name}; print('started')" for name in ("wsgi", "asgi"))


def test_the_site_runs_with_no_variable_set() -> None:
    run = start(SETTINGS)

    assert run.stdout == "True False\n"


def test_production_does_not_start_without_a_secret() -> None:
    run = start(SETTINGS, DEBUG="false", SITE_URL="https://photos.example.org")

    assert run.returncode != 0
    assert "SECRET_KEY" in run.stderr.splitlines()[-1]


def test_cookies_of_an_https_site_are_secure() -> None:
    run = start(SETTINGS, DEBUG="false", SITE_URL="https://a.example", SECRET_KEY=STRONG)

    assert run.stdout == "False True\n"


@pytest.mark.parametrize("process", [WEB, LIVE], ids=["web", "live"])
def test_a_public_site_that_is_unsafe_does_not_start(process: str) -> None:
    run = start(process, DEBUG="false", SITE_URL="https://a.example", SECRET_KEY=STRONG)

    assert run.returncode != 0
    assert "safelight.E011" in run.stderr
    assert STRONG not in run.stderr


@pytest.mark.parametrize("process", [WEB, LIVE], ids=["web", "live"])
def test_a_public_site_that_is_safe_starts(process: str) -> None:
    run = start(
        process,
        DEBUG="false",
        SITE_URL="https://a.example",
        SECRET_KEY=STRONG,
        DATABASE_URL="postgres://app@db/app",
        CACHE_URL="redis://cache/0",
        BROKER_URL="redis://broker/0",
        EMAIL_URL="smtp+tls://mail",
    )

    assert run.stdout == "started\n", run.stderr
