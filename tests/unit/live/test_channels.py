from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser

from apps import live
from apps.live import channels

NOBODY = AnonymousUser()


class Lamps:
    """Lamps that anybody may look at, but for the one that is called secret."""

    def __init__(self) -> None:
        self.lit = {"a": True}
        self.asked: list[str] = []

    def may_listen(self, *, viewer: live.Viewer, name: str) -> bool:
        self.asked.append(name)
        return name != "secret"

    def read_state(self, *, name: str) -> live.State | None:
        return {"lit": self.lit[name]} if name in self.lit else None


@pytest.fixture
def lamps() -> Iterator[Lamps]:
    lamps = Lamps()
    live.register("lamp", may_listen=lamps.may_listen, read_state=lamps.read_state)
    yield lamps
    live.forget("lamp")


def test_the_owner_of_a_kind_says_who_may_listen(lamps: Lamps) -> None:
    assert channels.may_listen(viewer=NOBODY, topic="lamp:a")
    assert not channels.may_listen(viewer=NOBODY, topic="lamp:secret")
    assert lamps.asked == ["a", "secret"]


@pytest.mark.parametrize(
    "topic",
    ["", "lamp", "lamp:", ":a", "lamp:a b", "lamp:a/../b", "LAMP:a", "door:a", "lamp:" + "a" * 65],
)
def test_what_is_no_topic_is_nobodys(lamps: Lamps, topic: str) -> None:
    assert not channels.may_listen(viewer=NOBODY, topic=topic)
    assert channels.read_state(topic=topic) is None
    assert lamps.asked == []


def test_the_state_is_what_its_owner_says(lamps: Lamps) -> None:
    assert channels.read_state(topic="lamp:a") == {"lit": True}
    assert channels.read_state(topic="lamp:gone") is None


@pytest.mark.usefixtures("lamps")
class TestEvents:
    def test_an_event_names_its_topic(self) -> None:
        assert channels.topic_of("lamp.lit", {"lamp": "a", "by": 7}) == "lamp:a"

    def test_a_kind_that_nobody_registered_is_passed_over(self) -> None:
        assert channels.topic_of("door.opened", {"door": "a"}) is None

    def test_an_event_that_does_not_say_which_is_passed_over(self) -> None:
        assert channels.topic_of("lamp.lit", {"by": 7}) is None


def test_a_kind_can_be_forgotten(lamps: Lamps) -> None:
    live.forget("lamp")
    live.forget("lamp")

    assert not channels.may_listen(viewer=NOBODY, topic="lamp:a")


def test_photos_are_registered() -> None:
    assert "photo" in channels.kinds()


def test_an_app_above_adds_to_the_state_of_a_kind(lamps: Lamps) -> None:
    live.extend("lamp", read_state=lambda *, name: {"watts": 40})
    live.extend("lamp", read_state=lambda *, name: None)

    assert channels.read_state(topic="lamp:a") == {"lit": True, "watts": 40}


def test_nothing_is_added_to_what_is_gone(lamps: Lamps) -> None:
    live.extend("lamp", read_state=lambda *, name: {"watts": 40})

    assert channels.read_state(topic="lamp:none") is None


def test_adding_does_not_make_a_kind_of_its_own() -> None:
    live.extend("shade", read_state=lambda *, name: {"colour": "red"})
    try:
        assert not channels.may_listen(viewer=NOBODY, topic="shade:a")
        assert channels.read_state(topic="shade:a") is None
    finally:
        live.forget("shade")
