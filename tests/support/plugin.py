"""Start PostgreSQL and Valkey before Django reads its settings (pytest -p tests.support.plugin).

Every variable a developer may have set, in the shell or in .env, is replaced: the tests are the
same for everybody. Workers of pytest-xdist share the servers; pytest-django gives each its
database, and here each gets its own numbered databases in Valkey and its own folder.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from devstack.servers import Postgres, Valkey

STACK = "SAFELIGHT_TEST_STACK"
SETTINGS = Path(__file__).resolve().parents[2] / "project" / "settings.py"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Runs in the main process and again in each xdist worker, which inherits the addresses."""
    if STACK not in os.environ:
        _start_servers()
    _use_own_corner(os.environ.get("PYTEST_XDIST_WORKER", ""))


def _start_servers() -> None:
    folder = Path(tempfile.mkdtemp(prefix="safelight-test-"))
    postgres = Postgres(folder=folder / "postgres", log=folder / "postgres.log", durable=False)
    valkey = Valkey(folder=folder / "valkey", log=folder / "valkey.log")

    def stop() -> None:
        for server in (postgres, valkey):
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    valkey.spawn()
    postgres.start()
    valkey.wait_until_ready(seconds=10)
    os.environ.update(
        {
            STACK: str(folder),
            "TEST_POSTGRES_URL": postgres.url,
            "TEST_VALKEY_PORT": str(valkey.port),
        }
    )


def _use_own_corner(worker: str) -> None:
    number = int(worker.removeprefix("gw") or 0) if worker else 0
    folder = Path(os.environ[STACK]) / (worker or "main")
    valkey = f"redis://127.0.0.1:{os.environ['TEST_VALKEY_PORT']}"
    for name in re.findall(r'env\.\w+\(\s*"(\w+)"', SETTINGS.read_text()):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    # WhiteNoise warns of a missing folder, and warnings are errors.
    (folder / "static").mkdir(parents=True, exist_ok=True)
    os.environ.update(
        {
            "ENV_FILES": "",
            "DEBUG": "true",
            "SITE_URL": "http://localhost:8000",
            "DATABASE_URL": os.environ["TEST_POSTGRES_URL"],
            "CACHE_URL": f"{valkey}/{2 * number}",
            "BROKER_URL": f"{valkey}/{2 * number + 1}",
            "EMAIL_URL": "smtp://127.0.0.1:9",
            "INBOX_DIR": "",
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"),
            "LANGUAGE_CODE": "en",
            "TIME_ZONE": "UTC",
            "LOG_LEVEL": "INFO",
        }
    )
