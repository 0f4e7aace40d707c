"""Where the servers of this machine are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack import servers
from devstack.servers import find_program


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that is nowhere but in a folder of the test's own."""
    path = tmp_path / "a folder" / "photod"
    path.parent.mkdir()
    path.touch(mode=0o755)
    return path


def test_a_server_is_found_on_the_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))

    assert find_program("photod") == program


def test_an_ordinary_user_finds_what_only_root_has_on_the_path(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "SYSTEM_FOLDERS", (str(program.parent),))

    assert find_program("photod") == program


def test_a_program_with_a_place_of_its_own_is_taken_from_there(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.PLACES, "sh", program)

    assert find_program("sh") == program


def test_what_is_not_installed_is_not_found() -> None:
    assert find_program("photod") is None
