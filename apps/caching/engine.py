"""The layer as the settings want it: where the servers are, how keys begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from apps.caching.keys import Keyspace
from apps.caching.locks import Lock
from apps.caching.node import Node
from apps.caching.options import Options, read_options
from apps.caching.servers import Servers, connect


@dataclass(frozen=True)
class Engine:
    """Options, keys and servers, as they belong together."""

    options: Options
    keys: Keyspace
    servers: Servers

    def bump(self, keys: list[str]) -> list[str]:
        """Give each tag a new version; return the names of the servers that are owed it now."""
        return self.servers.bump(keys, everything=self.keys.epoch)

    def tag_keys(self, tags: Iterable[str]) -> list[str]:
        """Return the keys of these tags; if there are none, the key of everything."""
        return [self.keys.tag(tag) for tag in tags] or [self.keys.epoch]


# The setting it was made from beside it, for another setting means another engine.
_engine: tuple[object, Engine] | None = None
_making = Lock()


def engine() -> Engine:
    """Return the engine that `settings.CACHING` describes."""
    raw: Mapping[str, object] = getattr(settings, "CACHING", {})
    known = _engine
    if known is not None and known[0] is raw:
        return known[1]
    # One for all threads: what is owed to a server is remembered by the servers of an engine.
    with _making:
        if _engine is None or _engine[0] is not raw:
            replace(_make(read_options(raw)))
        return _engine[1]  # type: ignore[index] # just replaced


def _make(options: Options) -> Engine:
    servers = connect(options.servers, options.socket_timeout)
    for node in servers.nodes:
        node.catch_up = _catch_up if options.durable else None
    return Engine(options, Keyspace(options.prefix, options.version), servers)


def _catch_up(node: Node) -> bool:
    from apps.caching.sweeping import catch_up  # noqa: PLC0415 - which asks for the engine

    return catch_up(node)


def replace(new: Engine) -> None:
    """Use `new` until the setting changes."""
    global _engine  # noqa: PLW0603 - one per process, swapped whole
    _engine = (getattr(settings, "CACHING", {}), new)


def close() -> None:
    """Give back the servers of the engine that was asked for last, if there was one."""
    if _engine is not None:
        _engine[1].servers.close()
