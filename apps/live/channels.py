"""Which topics a browser may listen to, and what their state is.

A topic is `<kind>:<name>`, for example `photo:0191…`. The app that owns a kind registers it, so
this package knows no photo. A published event `photo.developed {"photo": "0191…"}` is only a hint
that `photo:0191…` changed: its state is read again and sent, so an event that came twice, late or
in the wrong order does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    # Models cannot be imported yet when the front door is.
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

Viewer: TypeAlias = "AbstractBaseUser | AnonymousUser"
State = Mapping[str, object]

_TOPIC = re.compile(r"(?P<kind>[a-z_]{1,32}):(?P<name>[A-Za-z0-9_-]{1,64})")


class MayListen(Protocol):
    def __call__(self, *, viewer: Viewer, name: str) -> bool: ...


class ReadState(Protocol):
    def __call__(self, *, name: str) -> State | None: ...


@dataclass(frozen=True, kw_only=True)
class Channel:
    kind: str
    may_listen: MayListen
    read_state: ReadState


_channels: dict[str, Channel] = {}
# What other apps add to a kind. They may do so before its owner registers it.
_more: dict[str, list[ReadState]] = {}


def register(kind: str, *, may_listen: MayListen, read_state: ReadState) -> None:
    """Let browsers listen to topics of this kind.

    `may_listen` is asked once, when a browser connects. `read_state` gives what every listener is
    told, the same for all of them, as values that JSON knows; None when the thing is gone.
    """
    _channels[kind] = Channel(kind=kind, may_listen=may_listen, read_state=read_state)


def extend(kind: str, *, read_state: ReadState) -> None:
    """Add to the state of a kind that an app below owns: so one topic tells all of a page.

    `read_state` gives what is added, or None for nothing; it is not asked for what is gone.
    """
    _more.setdefault(kind, []).append(read_state)


def forget(kind: str) -> None:
    """Take the kind off the register again."""
    _channels.pop(kind, None)
    _more.pop(kind, None)


def kinds() -> list[str]:
    return sorted(_channels)


def may_listen(*, viewer: Viewer, topic: str) -> bool:
    """Answer no for a topic that is malformed or of a kind nobody registered."""
    found = _find(topic)
    if found is None:
        return False
    channel, name = found
    return channel.may_listen(viewer=viewer, name=name)


def read_state(*, topic: str) -> State | None:
    found = _find(topic)
    if found is None:
        return None
    channel, name = found
    state = channel.read_state(name=name)
    if state is None:
        return None
    added = [read(name=name) or {} for read in _more.get(channel.kind, ())]
    return {key: value for part in (state, *added) for key, value in part.items()}


def topic_of(event: str, payload: Mapping[str, object]) -> str | None:
    """Name the topic an event is about: its first word is the kind, the payload has the name."""
    kind = event.partition(".")[0]
    if kind not in _channels or kind not in payload:
        return None
    return f"{kind}:{payload[kind]}"


def _find(topic: str) -> tuple[Channel, str] | None:
    match = _TOPIC.fullmatch(topic)
    channel = _channels.get(match["kind"]) if match else None
    return (channel, match["name"]) if match and channel else None
