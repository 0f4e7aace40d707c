"""Asking a worker to rewrite in place what a change has made out of date: the writer's side.

A message carries tags and nothing else, and it may be lost: then the next reader computes. For
each tag at most one message waits, however often the tag changes: who puts up its mark sends the
message, and the worker takes the mark down *before* it reads the versions. So a change that found
the mark standing is seen by the worker, and one that did not sends a message of its own.

Celery is asked for only where `REWRITE_QUEUE` names a queue; without, nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from apps.caching.background import background
from apps.caching.engine import engine
from apps.caching.patterns import concerned
from apps.caching.stores import Item

TASK = "caching.rewrite"
# A change of more than these is an import or a repair: its readers compute what they look at.
MOST_TAGS = 100
# A message that waited longer would rewrite what readers have computed long since.
EXPIRES = 60


def ask(tags: Iterable[str]) -> None:
    """Have hot entries with these tags rewritten. Call it when the new versions are in place.

    Never raises, and nobody waits for the broker: a thread of the background sends.
    """
    if not engine().options.rewrite_queue:
        return
    wanted = concerned(tags)
    if 0 < len(wanted) <= MOST_TAGS:
        background().submit(partial(_send_unmarked, wanted))


def send(tags: Sequence[str], *, countdown: float = 0) -> None:
    """Send the message for tags whose marks are up. What cannot be sent takes its marks down."""
    from apps import messaging  # noqa: PLC0415 - a site without workers need not have Celery

    queue = engine().options.rewrite_queue
    if not messaging.send(TASK, list(tags), queue=queue, countdown=countdown, expires=EXPIRES):
        take_down(tags)


def take_down(tags: Iterable[str]) -> None:
    """Take down the marks of these tags: who changes them from now on sends a message."""
    eng = engine()
    for tag in tags:
        key = eng.keys.asked(tag)
        eng.servers.place(key).drop([key])


def first(key: str, seconds: float) -> bool:
    """Say whether `key` was not there and is now, for so long; no if its server is away."""
    return bool((engine().servers.place(key).add([Item(key, b"1", seconds)]) or [False])[0])


def _send_unmarked(tags: Sequence[str]) -> None:
    from apps import messaging  # noqa: PLC0415 - as above

    if messaging.is_away():
        return  # a mark would only keep others from sending
    eng = engine()
    ours = [tag for tag in tags if first(eng.keys.asked(tag), eng.options.lease_seconds)]
    if ours:
        send(ours)
