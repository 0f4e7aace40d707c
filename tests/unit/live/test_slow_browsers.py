"""Browsers that read nothing: what is kept for them, and when that ends."""

from __future__ import annotations

import json
import socket

import pytest

from tests.unit.live.test_stream import Site, run


def test_a_browser_that_reads_nothing_holds_nobody_up() -> None:
    async def scene() -> None:
        site = Site(stalled=0.2)
        stuck, other = site.visit(), site.visit()
        for browser in (stuck, other):
            await browser.start()
            await browser.event()

        stuck.stuck = True
        site.states["photo:a"] = {"state": "ready"}
        site.hub.changed("photo:a")

        assert json.loads((await other.event())["data"])["state"] == {"state": "ready"}
        await stuck.task
        assert len(site.hub) <= 1

    run(scene)


@pytest.mark.parametrize(("http_version", "is_reset"), [("1.1", True), ("2", False)])
def test_the_line_of_a_browser_that_reads_nothing_is_reset_unless_others_share_it(
    http_version: str, is_reset: bool
) -> None:
    async def scene() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            theirs = socket.create_connection(listening.getsockname())
            ours, client = listening.accept()
        with ours, theirs:
            site = Site(stalled=0.05, heartbeat=0.01)
            browser = site.visit()
            browser.scope |= {"client": client, "http_version": http_version}
            await browser.start()
            browser.stuck = True
            await browser.task

            theirs.settimeout(0.2)
            if is_reset:
                assert theirs.recv(1) == b""
            else:
                with pytest.raises(TimeoutError):
                    theirs.recv(1)

    run(scene)


def test_a_browser_that_reads_nothing_does_not_hold_up_the_end() -> None:
    async def scene() -> None:
        site = Site(stalled=60, heartbeat=0.01)
        browser = site.visit()
        await browser.start()
        await browser.event()
        browser.stuck = True
        await browser.waited_for.wait()

        site.hub.close()
        site.door.close()

        await browser.task  # and not in a minute

    run(scene)
