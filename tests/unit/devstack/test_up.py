"""What `make up` says when it runs, and what it counts as a reason to restart or to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import watchfiles

from devstack import up
from devstack.processes import ROOT, free_port
from devstack.stack import Stack
from tests.support.wait import wait_until


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(var=tmp_path, port=free_port(), given={})


def test_the_welcome_names_addresses_and_log_ins(stack: Stack, tmp_path: Path) -> None:
    demo = tmp_path / "demo.json"
    admin = {"username": "admin", "password": "open"}
    demo.write_text(json.dumps({"people": ["ada", "ben"], "password": "red", "admin": admin}))

    lines = up._welcome(stack, demo, 0)

    assert f"Site     http://localhost:{stack.port}/" in lines
    assert f"Inbox    http://localhost:{stack.port}/inbox/" in lines
    assert "Log in as ada, ben: password red" in lines
    assert "Log in to the admin as admin: password open" in lines


@pytest.mark.parametrize("text", [None, "", "no JSON", "{}", "[]"])
def test_the_welcome_promises_no_log_in_without_a_demo(
    stack: Stack, tmp_path: Path, text: str | None
) -> None:
    demo = tmp_path / "demo.json"
    if text is not None:
        demo.write_text(text)

    assert not [line for line in up._welcome(stack, demo, 0) if "Log in" in line]


def test_the_welcome_names_no_inbox_where_letters_go_elsewhere(tmp_path: Path) -> None:
    stack = Stack(var=tmp_path, port=free_port(), given={"EMAIL_URL": "smtp://mail.example.org"})

    assert not [line for line in up._welcome(stack, tmp_path, 0) if line.startswith("Inbox")]


@pytest.mark.parametrize(
    ("name", "is_code"),
    [
        ("apps/photos/views.py", True),
        ("templates/base.html", True),
        ("templates/mail/welcome.txt", True),
        ("locale/de/LC_MESSAGES/django.mo", True),
        ("apps/photos/__pycache__/views.cpython-311.pyc", False),
        ("apps/photos/.views.py.swp", False),
    ],
)
def test_code_and_templates_are_a_reason_to_restart(name: str, is_code: bool) -> None:
    assert up._is_code(watchfiles.Change.modified, name) is is_code


def test_without_make_there_is_no_make_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)

    assert not up._make_is_stopping()


# Stands for make: waits for its child within the handler of a signal it does not pass on.
LIKE_MAKE = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", '''
import time
from devstack.up import _make_is_stopping
print("watching", flush=True)
while not _make_is_stopping():
    time.sleep(0.02)
print("noticed", flush=True)
'''])
signal.pthread_sigmask(signal.SIG_BLOCK, {int(sys.argv[1])})
child.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_make_that_waits_within_a_handler_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    said = tmp_path / "said"
    with said.open("wb") as output:
        make = subprocess.Popen(
            [sys.executable, "-c", LIKE_MAKE, str(int(number))],
            cwd=ROOT,
            stdout=output,
        )

    try:
        wait_until(lambda: "noticed" in said.read_text())
        assert make.wait(20) == 0
    finally:
        make.kill()
        make.wait()
