"""Whether the servers are there: for a readiness probe and for operators, not for pages."""

from __future__ import annotations

from apps.caching.engine import engine
from apps.caching.stores import Refused, StoreAway


class ServersAway(Exception):
    """One or more cache servers do not answer."""


def see_servers() -> dict[str, bool]:
    """Ask every server now, past breakers and debts: its name, and whether it answered."""
    eng = engine()
    seen = {}
    for node in eng.servers.nodes:
        try:
            node.store.get([eng.keys.epoch])
        except (StoreAway, Refused):
            seen[node.name] = False
        else:
            seen[node.name] = True
    return seen


def ping() -> None:
    """Do nothing if every server answers. Raises ServersAway with the names of those that do not.

    The site works without them: let a probe say "degraded", not "failed".
    """
    away = [name for name, answers in see_servers().items() if not answers]
    if away:
        raise ServersAway(", ".join(away))
