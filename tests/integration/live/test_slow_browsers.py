"""Browsers that read nothing, beside others that do, at a real live process."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import psutil
import pytest
from django.db import transaction

from apps import messaging
from devstack.programs import Web
from tests.integration.live.conftest import StartLive
from tests.integration.live.test_live import in_thread, run, see_subscription
from tests.support.live import Listener, crowd
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

WALL = "wall:1"
READERS, SLEEPERS, PAINTINGS = 5, 12, 60
PAINT = 300_000
MEGABYTE = 2**20
# All that the sleepers did not read, if it were kept for them.
UNREAD = SLEEPERS * PAINTINGS * PAINT / MEGABYTE


class Wall:
    """What the browsers look at: each painting is another number."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.number = 0
        self._write()

    def paint(self) -> None:
        self.number += 1
        self._write()
        with transaction.atomic():
            messaging.publish("wall.painted", {"wall": "1"})

    def _write(self) -> None:
        self.file.write_text(str(self.number))


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path / "wall")


def start(start_live: StartLive, wall: Wall, *, stalled: float) -> Web:
    return start_live(
        target="tests.support.impatient_live:application",
        WALL=str(wall.file),
        PAINT=str(PAINT),
        STALLED=str(stalled),
    )


@contextmanager
def sleepers(port: int) -> Iterator[list[socket.socket]]:
    """Browsers that ask for the wall and then read not one byte."""
    with ExitStack() as stack:
        asleep = []
        for _ in range(SLEEPERS):
            line = stack.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", port))
            line.sendall(f"GET /live/?topic={WALL} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            asleep.append(line)
        yield asleep


@asynccontextmanager
async def audience(
    live: Web, wall: Wall, *, readers: int = READERS
) -> AsyncIterator[list[Listener]]:
    """Give those who read, once they and the sleepers look at the wall."""
    async with crowd(readers, live.port, WALL) as reading:
        for reader in reading:
            await see(reader, wall.number)
        await see_subscription()
        with sleepers(live.port):
            await in_thread(wait_until, lambda: open_lines(live) == readers + SLEEPERS)
            yield reading


def worker_of(live: Web) -> psutil.Process:
    assert live.process
    return psutil.Process(live.process.pid).children(recursive=True)[-1]


def open_lines(live: Web) -> int:
    return sum(
        line.status == psutil.CONN_ESTABLISHED and line.laddr.port == live.port
        for line in worker_of(live).net_connections("tcp")
    )


def megabytes(live: Web) -> float:
    held: int = worker_of(live).memory_info().rss
    return held / MEGABYTE


async def see(reader: Listener, number: int) -> None:
    while (await reader.event())["data"]["state"]["number"] != number:
        pass


async def paint_for(readers: list[Listener], wall: Wall) -> None:
    """Paint, and wait until each of those who read has seen it."""
    await in_thread(wall.paint)
    await asyncio.gather(*(see(reader, wall.number) for reader in readers))


def test_one_who_reads_nothing_is_cut_off_and_all_others_go_on_hearing_everything(
    start_live: StartLive, wall: Wall
) -> None:
    live = start(start_live, wall, stalled=2)

    async def scene() -> None:
        async with audience(live, wall) as readers:
            for _ in range(PAINTINGS):
                await paint_for(readers, wall)

            # Not only told that it is over: no line, and so no memory of the system, is left.
            await in_thread(wait_until, lambda: open_lines(live) == READERS, seconds=30)
            await paint_for(readers, wall)

    run(scene())


def test_what_nobody_reads_is_not_kept(start_live: StartLive, wall: Wall) -> None:
    live = start(start_live, wall, stalled=600)

    async def scene() -> None:
        async with audience(live, wall) as readers:
            before = megabytes(live)

            for _ in range(PAINTINGS):
                await paint_for(readers, wall)

            assert open_lines(live) == READERS + SLEEPERS
            assert megabytes(live) - before < UNREAD / 3

    run(scene())


# Few paintings lie in the buffers of the server and the system, many hold up whoever writes them.
@pytest.mark.parametrize("paintings", [1, 4, 12, PAINTINGS])
def test_one_who_reads_nothing_does_not_hold_up_the_end(
    start_live: StartLive, wall: Wall, paintings: int
) -> None:
    live = start(start_live, wall, stalled=600)

    async def scene() -> None:
        async with audience(live, wall, readers=1) as readers:
            for _ in range(paintings):
                await paint_for(readers, wall)

            began = time.monotonic()
            live.ask_to_stop()
            assert await in_thread(live.wait_dead, 30)
            assert time.monotonic() - began < 20

    run(scene())
