"""One name for a request and for all that it starts: in the log lines of the page and its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOBODY = "-"
_current: ContextVar[str] = ContextVar("request_id", default=NOBODY)


def request_id() -> str:
    """Name the request that this code works for, in the web process or in a job; `-` for none."""
    return _current.get()


@contextmanager
def named(name: str) -> Iterator[None]:
    """Everything inside is done for the request of this name; jobs started here carry it on."""
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)
