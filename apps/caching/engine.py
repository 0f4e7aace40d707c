"""The layer as the settings want it: where the servers are, how keys begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from apps.caching.keys import Keyspace
from apps.caching.options import Options, read_options
from apps.caching.servers import Servers, connect


@dataclass(frozen=True)
class Engine:
    """Options, keys and servers, as they belong together."""

    options: Options
    keys: Keyspace
    servers: Servers

    def bump(self, keys: list[str]) -> None:
        self.servers.bump(keys, everything=self.keys.epoch)


# The setting it was made from beside it, for another setting means another engine.
_engine: tuple[object, Engine] | None = None


def engine() -> Engine:
    """Return the engine that `settings.CACHING` describes."""
    raw: Mapping[str, object] = getattr(settings, "CACHING", {})
    if _engine is None or _engine[0] is not raw:
        options = read_options(raw)
        servers = connect(options.servers, options.socket_timeout)
        replace(Engine(options, Keyspace(options.prefix, options.version), servers))
    return _engine[1]  # type: ignore[index] # just replaced


def replace(new: Engine) -> None:
    """Use `new` until the setting changes."""
    global _engine  # noqa: PLW0603 - one per process, swapped whole
    _engine = (getattr(settings, "CACHING", {}), new)
