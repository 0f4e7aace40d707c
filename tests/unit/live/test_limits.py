"""Nobody takes the room of all: how many streams one person and one address may hold."""

from __future__ import annotations

import pytest

from apps.live.stream import Door, Limits
from tests.unit.live.test_stream import SITE, Site, run


def test_one_person_holds_only_so_many_and_others_are_let_in() -> None:
    async def scene() -> None:
        site = Site(per_person=1)
        first = site.visit(cookie="ada")
        await first.start()

        status, headers = await site.visit(cookie="ada").start()

        assert status == 429
        assert headers["retry-after"] == "60"
        assert (await site.visit(cookie="ben").start())[0] == 200
        assert (await site.visit().start())[0] == 200

    run(scene)


def test_who_leaves_makes_room_for_the_next() -> None:
    async def scene() -> None:
        site = Site(per_person=1, per_address=1)
        first = site.visit(cookie="ada")
        await first.start()
        first.left.set()
        await first.task

        assert (await site.visit(cookie="ada").start())[0] == 200

    run(scene)


def test_one_address_holds_only_so_many_and_is_refused_without_a_question() -> None:
    async def scene() -> None:
        site = Site(per_address=2)
        for name in ("ada", "ben"):
            await site.visit(cookie=name).start()

        assert await site.visit(cookie="cyd").status() == 429
        assert len(site.questions) == 2
        assert (await site.visit(cookie="cyd", client="192.0.2.2").start())[0] == 200

    run(scene)


@pytest.mark.parametrize(
    ("behind_proxy", "third"), [(True, 200), (False, 429)], ids=["proxy", "no proxy"]
)
def test_the_address_is_what_the_proxy_wrote_and_nobody_else(
    behind_proxy: bool, third: int
) -> None:
    async def scene() -> None:
        site = Site(per_address=1)
        site.door = Door(
            hub=site.hub,
            admit=site._admit,
            origin=SITE,
            limits=Limits(per_address=1),
            behind_proxy=behind_proxy,
        )
        await site.visit(x_forwarded_for="203.0.113.1, 198.51.100.7").start()

        # What the visitor wrote comes first and counts for nothing; what the proxy wrote is last.
        assert await site.visit(x_forwarded_for="203.0.113.9, 198.51.100.7").status() == 429
        status, _ = await site.visit(x_forwarded_for="203.0.113.1, 198.51.100.8").start()
        assert status == third

    run(scene)
