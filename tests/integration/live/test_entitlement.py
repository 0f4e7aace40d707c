"""Two hundred browsers of three people: each hears all that is theirs, and nothing of another."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from apps.accounts.models import User
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import services
from tests.integration.live.conftest import StartLive
from tests.integration.live.test_live import cookie_of, in_thread, run, see_subscription, topic_of
from tests.support.announcements import make_announcement
from tests.support.live import Listener, Refused, listen
from tests.support.messaging import run_jobs
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = pytest.mark.integration

EACH = 67
SITE = "site:announcements"
LAST = "That was all."


async def hear_all(browser: Listener, *, photo: str, unseen: int) -> dict[str, Any]:
    """Return the last state of each topic, once the last of all that happened is in each.

    Topics do not wait for each other: the bell may come after what happened later.
    """
    states: dict[str, Any] = {}

    def is_complete() -> bool:
        talk = states.get(photo, {"likes": 0, "comments": []})
        bells = [state["unseen"] for topic, state in states.items() if topic.startswith("user:")]
        return (
            LAST in states.get(SITE, {}).get("html", "")
            and (talk["likes"], len(talk["comments"])) == (1, 1)
            and bells == [unseen]
        )

    while not is_complete():
        told = (await browser.event())["data"]
        states[told["topic"]] = told["state"]
    return states


def test_each_hears_what_is_theirs_and_nobody_else_does(
    start_live: StartLive, transactional_db: None, ada: User, ben: User, cyd: User
) -> None:
    live = start_live()
    people = [ada, ben, cyd]
    photo, hidden = make_photo(ada), make_photo(ada, state="developing")
    # Everybody asks for everything.
    topics = [SITE, topic_of(photo), topic_of(hidden), *(f"user:{one.pk}" for one in people)]
    mine = {one: {SITE, topic_of(photo), f"user:{one.pk}"} for one in people}
    mine[ada] |= {topic_of(hidden)}
    unseen, talk = {ada: 2, ben: 1, cyd: 0}, topic_of(photo)

    cookies = {one: cookie_of(one) for one in people}

    def happen() -> None:
        make_like(photo, person=ben)
        make_comment(photo, author=cyd)
        make_follow(follower=ada, followed=ben)
        make_announcement(LAST)

    async def scene() -> None:
        async with AsyncExitStack() as stack:
            browsers = [
                (one, await stack.enter_async_context(await listen(live.port, *topics, cookie=own)))
                for one, own in cookies.items()
                for _ in range(EACH)
            ]
            await see_subscription()
            await in_thread(happen)
            async with asyncio.TaskGroup() as group:
                told = [
                    (one, group.create_task(hear_all(browser, photo=talk, unseen=unseen[one])))
                    for one, browser in browsers
                ]

        for one, heard in told:
            assert set(heard.result()) == mine[one]

    run(scene())


def test_a_stranger_finds_nothing_at_the_topic_of_a_person(
    start_live: StartLive, transactional_db: None, ada: User, ben: User
) -> None:
    live = start_live()
    cookie = cookie_of(ben)

    async def scene() -> None:
        for headers in ({}, {"cookie": cookie}):
            with pytest.raises(Refused) as refusal:
                await listen(live.port, f"user:{ada.pk}", **headers)
            assert refusal.value.status == 404

    run(scene())


def test_one_person_holds_only_so_many_streams_of_a_real_process(
    start_live: StartLive, transactional_db: None, ada: User, ben: User
) -> None:
    live = start_live(LIVE_STREAMS_PER_PERSON="2")
    mine, theirs = cookie_of(ada), cookie_of(ben)

    async def scene() -> None:
        async with (
            await listen(live.port, SITE, cookie=mine) as first,
            await listen(live.port, SITE, cookie=mine) as second,
        ):
            await first.event()
            await second.event()
            with pytest.raises(Refused) as refusal:
                await listen(live.port, SITE, cookie=mine)
            assert refusal.value.status == 429
            async with await listen(live.port, SITE, cookie=theirs) as other:
                await other.event()

    run(scene())


@pytest.fixture
def photo(transactional_db: None, ada: User) -> Photo:
    return make_photo(ada)


def test_what_is_taken_back_is_told_too(start_live: StartLive, photo: Photo, ben: User) -> None:
    live = start_live()
    comment = make_comment(photo, author=ben)
    make_like(photo, person=ben)

    def take_back() -> None:
        services.delete_comment(comment=comment)
        services.unlike_photo(person=ben, photo=photo)

    async def scene() -> None:
        async with await listen(live.port, topic_of(photo)) as visitor:
            state = (await visitor.event())["data"]["state"]
            assert (state["likes"], state["comments"]) == (1, [comment.pk])
            await see_subscription()

            await in_thread(take_back)

            while (state["likes"], state["comments"]) != (0, []):
                state = (await visitor.event())["data"]["state"]

    run(scene())


def test_the_bell_of_one_who_commented_moves_with_the_conversation(
    start_live: StartLive, photo: Photo, ben: User, cyd: User
) -> None:
    live = start_live()
    make_comment(photo, author=ben)
    cookie = cookie_of(ben)

    def answer() -> None:
        make_comment(photo, author=cyd)
        run_jobs(queue="default")

    async def scene() -> None:
        async with await listen(live.port, f"user:{ben.pk}", cookie=cookie) as mine:
            assert (await mine.event())["data"]["state"]["unseen"] == 0
            await see_subscription()

            await in_thread(answer)
            assert (await mine.event())["data"]["state"]["unseen"] == 1

            await in_thread(photos.delete_photo, photo=photo)
            assert (await mine.event())["data"]["state"]["unseen"] == 0

    run(scene())
