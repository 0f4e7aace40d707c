"""What this request has looked up already. Outside a request nothing is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.caching.lookup import Look

_memo: ContextVar[dict[str, Look] | None] = ContextVar("caching_memo", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Remember look-ups until the block ends."""
    token = _memo.set({})
    try:
        yield
    finally:
        _memo.reset(token)


@contextmanager
def suspended() -> Iterator[None]:
    """Remember nothing and recall nothing inside the block.

    An entry that is computed must not be built from what the request saw before the versions of
    that entry were read: the stamps would be newer than the data.
    """
    token = _memo.set(None)
    try:
        yield
    finally:
        _memo.reset(token)


def is_active() -> bool:
    return _memo.get() is not None


def recall(key: str) -> Look | None:
    memo = _memo.get()
    return None if memo is None else memo.get(key)


def recall_all(keys: Iterable[str]) -> dict[str, Look]:
    """Return what is known of these keys."""
    memo = _memo.get()
    return {key: memo[key] for key in keys if key in memo} if memo else {}


def remember_all(looks: Mapping[str, Look]) -> None:
    memo = _memo.get()
    if memo is not None:
        memo.update(looks)


def remember(key: str, look: Look) -> None:
    memo = _memo.get()
    if memo is not None:
        memo[key] = look


def forget_all() -> None:
    memo = _memo.get()
    if memo is not None:
        memo.clear()
