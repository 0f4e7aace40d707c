from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from django.db import connections
from django.test import Client
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from apps import live
from apps.accounts.models import User
from apps.live import admission
from apps.live.hub import Key
from apps.live.stream import Question

R = TypeVar("R")
OURS = "lamp:a"


@pytest.fixture
def seen() -> Iterator[list[live.Viewer]]:
    """Register a kind that only people who are logged in may hear; return who asked."""
    viewers: list[live.Viewer] = []

    def may_listen(*, viewer: live.Viewer, name: str) -> bool:
        viewers.append(viewer)
        return viewer.is_authenticated

    def read_state(*, name: str) -> live.State | None:
        words = {"word": _("Save"), "language": translation.get_language()}
        return words if name == "a" else None

    live.register("lamp", may_listen=may_listen, read_state=read_state)
    yield viewers
    live.forget("lamp")


def ask(scene: Coroutine[Any, Any, R]) -> R:
    """Run it, then hang up the database connections of all threads that may have asked."""
    workers = admission._pool._max_workers
    together = threading.Barrier(workers)

    def hang_up() -> None:
        together.wait(10)
        connections.close_all()

    async def asked() -> R:
        try:
            return await scene
        finally:
            await asyncio.gather(*[admission._off_loop(hang_up) for _ in range(workers)])

    return asyncio.run(asked())


def question(*, cookies: str = "", languages: str = "", topic: str = OURS) -> Question:
    return Question(cookies=cookies, languages=languages, topics=[topic])


def session_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    return f"theme=dark; sessionid={client.cookies['sessionid'].value}; other=1"


@pytest.mark.django_db(transaction=True)
class TestAdmission:
    def test_somebody_who_is_logged_in_is_known(self, seen: list[live.Viewer], ada: User) -> None:
        keys, person = ask(admission.admit(question(cookies=session_of(ada))))

        assert seen == [ada]
        assert keys == [Key(OURS, "en")]
        assert person == str(ada.pk)

    @pytest.mark.parametrize("cookies", ["", "sessionid=made-up", "sessionid", '="; ;;=', "\x00"])
    def test_anybody_else_is_nobody(self, seen: list[live.Viewer], cookies: str) -> None:
        keys, person = ask(admission.admit(question(cookies=cookies)))

        assert [viewer.is_authenticated for viewer in seen] == [False]
        assert keys == []
        assert person == ""

    def test_who_logged_out_is_nobody(self, seen: list[live.Viewer], ada: User) -> None:
        client = Client()
        client.force_login(ada)
        cookies = f"sessionid={client.cookies['sessionid'].value}"
        client.logout()

        assert ask(admission.admit(question(cookies=cookies))).keys == []

    def test_who_changed_the_password_elsewhere_is_nobody(
        self, seen: list[live.Viewer], ada: User
    ) -> None:
        cookies = session_of(ada)
        ada.set_password("another-amber-light")
        ada.save(update_fields=["password"])

        assert ask(admission.admit(question(cookies=cookies))).keys == []

    def test_of_what_is_asked_for_only_the_allowed_comes(
        self, seen: list[live.Viewer], ada: User
    ) -> None:
        asked = Question(cookies=session_of(ada), languages="", topics=["door:a", OURS, "nonsense"])

        assert ask(admission.admit(asked)).keys == [Key(OURS, "en")]


@pytest.mark.usefixtures("seen")
class TestReading:
    def test_the_state_is_json_without_line_breaks(self) -> None:
        state = ask(admission.read(Key(OURS, "en")))

        assert state is not None
        assert b"\n" not in state
        assert json.loads(state) == {"word": "Save", "language": "en"}

    def test_it_is_in_the_language_of_those_who_listen(self) -> None:
        state = ask(admission.read(Key(OURS, "de")))

        assert state is not None
        assert json.loads(state)["language"] == "de"
        assert translation.get_language() == "en"

    def test_fragments_of_pages_are_text(self) -> None:
        live.extend("lamp", read_state=lambda *, name: {"html": mark_safe("<p>")})

        state = ask(admission.read(Key(OURS, "en")))

        assert state is not None
        assert json.loads(state)["html"] == "<p>"

    def test_what_is_gone_has_none(self) -> None:
        assert ask(admission.read(Key("lamp:gone", "en"))) is None
