"""What must hold before a start is said in one sentence when it does not."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import ground
from devstack.problems import AlreadyRunning, NoRoom, PortTaken, Problem, Unreachable
from devstack.processes import PORTS, free_port, port_is_free

# Usage of a disk as shutil tells it.
Usage = type(shutil.disk_usage("/"))


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_writable_folder_is_made(tmp_path: Path) -> None:
    ground.writable_folder(tmp_path / "a folder" / "var")

    assert (tmp_path / "a folder" / "var").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NoRoom, match=r"file/var cannot be written: Not a directory"):
        ground.writable_folder(tmp_path / "file" / "var")


def test_a_full_disk_is_said_in_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 10**12, 100 * 2**20))

    with pytest.raises(NoRoom, match="has 100 MB left, and 500 are needed"):
        ground.writable_folder(tmp_path)


def test_the_port_is_8000_unless_said() -> None:
    chosen = free_port()

    assert ground.wanted_port({"PORT": str(chosen)}) == chosen
    if port_is_free(8000):
        assert ground.wanted_port({}) == 8000
        assert ground.wanted_port({"PORT": ""}) == 8000


@pytest.mark.parametrize("text", ["eight", "0", "-1", "65535", "80 80"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match=f"PORT takes a number from 1 to 65534, not {text}"):
        ground.wanted_port({"PORT": text})


def test_a_taken_port_comes_with_a_way_out(listener: int) -> None:
    with pytest.raises(PortTaken, match=rf"Port {listener} is taken .* `make up PORT="):
        ground.wanted_port({"PORT": str(listener)})


def test_no_two_servers_of_one_start_get_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    numbers = iter([first - PORTS.start, (first + 1 - PORTS.start) % len(PORTS)])
    monkeypatch.setattr("secrets.randbelow", lambda _: next(numbers))
    monkeypatch.setattr("devstack.processes.port_is_free", lambda _: True)

    assert free_port() != first


def test_the_next_free_port_skips_a_taken_one(listener: int) -> None:
    assert ground.next_free_port(listener) > listener


def test_a_lock_keeps_a_second_start_out_and_names_the_first(tmp_path: Path) -> None:
    with (
        ground.only_one(tmp_path / "lock"),
        pytest.raises(AlreadyRunning, match=rf"as process {os.getpid()}\b"),
    ):
        ground.only_one(tmp_path / "lock")


def test_a_lock_is_free_again_after_its_run(tmp_path: Path) -> None:
    ground.only_one(tmp_path / "lock").close()

    with ground.only_one(tmp_path / "lock") as handle:
        handle.seek(0)
        assert handle.read().strip() == str(os.getpid())


def test_a_start_waits_for_the_watchdog_of_a_killed_run(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    # Holds the lock as a watchdog does: the process that wrote its number is gone already.
    holder = subprocess.Popen(
        [
            sys.executable, "-c",
            "import fcntl, sys\n"
            "handle = open(sys.argv[1], 'w'); fcntl.flock(handle, fcntl.LOCK_EX)\n"
            "handle.write('4194305'); handle.flush(); print('held', flush=True)\n"
            "sys.stdin.readline()",
            lock,
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        with pytest.raises(AlreadyRunning):
            ground.only_one(lock, seconds=0.2)
        assert holder.stdin is not None
        holder.stdin.close()
        handle = ground.only_one(lock)

    handle.close()


@pytest.mark.parametrize(
    "address",
    ["sqlite:///var/db.sqlite3", "memory://", "consolemail://", "postgres:///app", ""],
)
def test_an_address_without_a_server_needs_no_answer(address: str) -> None:
    ground.reachable("DATABASE_URL", address)


def test_every_server_of_a_list_must_answer(listener: int) -> None:
    silent = free_port()
    ground.reachable("CACHE_URL", f"redis://127.0.0.1:{listener}/0")

    with pytest.raises(Unreachable, match=rf"CACHE_URL names 127\.0\.0\.1:{silent}"):
        ground.reachable(
            "CACHE_URL", f"redis://127.0.0.1:{listener}/0, redis://127.0.0.1:{silent}/0"
        )


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(Unreachable) as raised:
        ground.reachable("DATABASE_URL", f"postgres://app:hush@127.0.0.1:{free_port()}/app")

    assert "hush" not in str(raised.value)


def test_a_port_that_is_no_number_is_said() -> None:
    with pytest.raises(Unreachable, match="BROKER_URL is not an address"):
        ground.reachable("BROKER_URL", "amqp://host:port/")


def test_each_kind_of_problem_has_its_own_exit_code() -> None:
    codes = [kind.code for kind in Problem.__subclasses__()]

    assert len(set(codes)) == len(codes)
    assert Problem.code not in codes
