"""Who is asking, may they listen, and what is the state: the questions for Django, off the loop.

Each runs in a thread of a small pool that keeps its database connection, as a web worker does.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import ParamSpec, TypeVar

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest, parse_cookie
from django.utils import translation

from apps.live import channels
from apps.live.hub import Key
from apps.live.stream import Admission, Question

P = ParamSpec("P")
R = TypeVar("R")

_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live-db")


async def admit(question: Question) -> Admission:
    """Say whose browser this is, and which topics it may listen to.

    Of those that it asked for, these are none, some or all.
    """
    return await _off_loop(_admit, question)


async def read(key: Key) -> bytes | None:
    return await _off_loop(_read, key)


def _admit(question: Question) -> Admission:
    request = _request_of(question)
    viewer = get_user(request)
    language = translation.get_language_from_request(request)
    keys = [
        Key(topic, language)
        for topic in question.topics
        if channels.may_listen(viewer=viewer, topic=topic)
    ]
    return Admission(keys, str(viewer.pk) if viewer.is_authenticated else "")


def _read(key: Key) -> bytes | None:
    with translation.override(key.language):
        state = channels.read_state(topic=key.topic)
        return None if state is None else msgspec.json.encode(state, enc_hook=_plain)


def _plain(value: object) -> str:
    """Return the text of what is no type of JSON: words yet to be translated, safe HTML.

    A slice of a subclass of str is a str; `str` itself may return the subclass again.
    """
    return str(value)[:]


def _request_of(question: Question) -> HttpRequest:
    """Build as much of a request as Django's own log-in check looks at."""
    request = HttpRequest()
    request.COOKIES = parse_cookie(question.cookies)
    request.META["HTTP_ACCEPT_LANGUAGE"] = question.languages
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return request


async def _off_loop(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    def tidy() -> R:
        close_old_connections()
        try:
            return call(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(tidy, thread_sensitive=False, executor=_pool)()
