"""What the tests of rewriting share: functions that workers know too (`--include` this module).

They read the database, so that what a worker computes and what a test computes is the same.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from apps import caching
from apps.caching.engine import engine
from apps.caching.envelope import unpack
from apps.caching.lookup import look_up, place
from tests.support.wait import wait_until

MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["group:{pk}"], refresh=caching.REWRITE)
def get_hot_name(pk: int) -> str:
    return Group.objects.get(pk=pk).name


@caching.cached(timeout=MINUTE, tags=["groups"], refresh=caching.REWRITE)
def list_hot_names() -> list[str]:
    return list(Group.objects.order_by("name").values_list("name", flat=True))


def rename(group: Group, name: str) -> None:
    """Change a group and say so, as a service does."""
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name=name)
        caching.changed(group)


def kept(call: caching.Call[Any]) -> Any:
    """Return what a reader would be answered at once; None if he had to compute."""
    look = look_up([call])[0]
    return look.value if look.is_hit else None


def ends_ms(call: caching.Call[Any]) -> int:
    """Return when the entry of `call` ends, in milliseconds since 1970."""
    where = place(call, engine())
    (raw,) = where.node.get([where.key]) or [None]
    assert raw is not None
    envelope = unpack(raw)
    return envelope.created_ms + envelope.fresh_ms


@caching.cached(timeout=MINUTE, tags=["group:{pk}"], refresh=caching.REWRITE)
def get_watched_name(pk: int) -> str:
    """Read the name; note who did; stand until the gate is there, if there is to be one."""
    name = Group.objects.get(pk=pk).name
    with Path(os.environ["SEEN_FILE"]).open("a") as file:
        file.write(f"{os.getpid()} {name}\n")
    gate = Path(os.environ["GATE_FILE"])
    wait_until(gate.exists, seconds=60)
    return name
