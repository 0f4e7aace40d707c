"""A line is hung up by the address at its other end, and no other line is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from apps.live.lines import Address, hang_up

OPEN_FILES = Path("/dev/fd")


class Line:
    """A connection of this process to itself: `ours` is the server's end, `theirs` a browser's."""

    def __init__(self, family: socket.AddressFamily, host: str) -> None:
        with socket.create_server((host, 0), family=family) as door:
            self.theirs = socket.create_connection(door.getsockname()[:2])
            self.ours, _ = door.accept()
        self.theirs.settimeout(5)

    @property
    def browser(self) -> Address:
        host, port = self.ours.getpeername()[:2]
        return host, str(port)

    def fill(self) -> None:
        """Send until nothing more fits between here and a browser that reads nothing."""
        self.ours.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self.ours.send(b"nobody takes this" * 1000)

    def read_to_the_end(self) -> None:
        while self.theirs.recv(2**20):
            pass

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture(params=["127.0.0.1", "::1"])
def lines(request: pytest.FixtureRequest) -> Iterator[tuple[Line, Line]]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        pair = Line(family, request.param), Line(family, request.param)
    except OSError:
        pytest.skip(f"{request.param} is no address of this machine")
    yield pair
    for line in pair:
        line.close()


def test_the_browser_at_that_address_is_reset_and_no_other_is(lines: tuple[Line, Line]) -> None:
    reader, sleeper = lines
    sleeper.fill()

    assert hang_up(sleeper.browser)
    sleeper.ours.close()  # as a server does that finds the line broken

    with pytest.raises(ConnectionResetError):
        sleeper.read_to_the_end()
    reader.ours.sendall(b"still here")
    assert reader.theirs.recv(100) == b"still here"


def test_the_server_that_waits_for_the_line_sees_it_broken(lines: tuple[Line, Line]) -> None:
    line, _ = lines

    hang_up(line.browser)

    with pytest.raises(BrokenPipeError):
        line.ours.sendall(b"more")


def test_one_who_has_gone_already_is_no_error(lines: tuple[Line, Line]) -> None:
    line, _ = lines
    browser = line.browser
    line.close()

    assert not hang_up(browser)


def test_no_file_is_left_open(lines: tuple[Line, Line]) -> None:
    before = len(list(OPEN_FILES.iterdir()))

    hang_up(lines[0].browser)
    hang_up(("192.0.2.1", "1"))

    assert len(list(OPEN_FILES.iterdir())) == before
