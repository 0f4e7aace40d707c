"""Django's own cache (`django.core.cache`), for the libraries that want one; ours is `@cached`.

It keeps JSON on the servers of `settings.CACHING`, behind the same time-outs and breakers, so that
a server that is away is an empty cache and never an error. `add` then says that it stored:
libraries take it for a lock, and a cache that is away must not lock anybody out.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from apps.caching.engine import engine
from apps.caching.keys import short_hash
from apps.caching.node import Node
from apps.caching.stores import Item


class DjangoCache(BaseCache):
    """A backend for `settings.CACHES`. Raises TypeError for a value that JSON cannot hold."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:  # noqa: ARG002 - Django's
        super().__init__(params)

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        place, name = self._place(key, version)
        added = place.add([self._item(name, value, timeout)])
        return added is None or added[0]

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        place, name = self._place(key, version)
        found = (place.get([name]) or [None])[0]
        return default if found is None else msgspec.json.decode(found)

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        place, name = self._place(key, version)
        place.put([self._item(name, value, timeout)])

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        value = self.get(key, version=version)
        if value is not None:
            self.set(key, value, timeout, version)
        return value is not None

    def delete(self, key: str, version: int | None = None) -> bool:
        place, name = self._place(key, version)
        return place.drop([name])

    def _place(self, key: str, version: int | None) -> tuple[Node, str]:
        ours = engine()
        name = f"{ours.keys.prefix}:d:{short_hash(self.make_key(key, version).encode())}"
        return ours.servers.place(name), name

    def _item(self, name: str, value: Any, timeout: Any) -> Item:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        # For Django None is "for ever" and zero "not at all"; for our stores zero is for ever.
        return Item(name, msgspec.json.encode(value), 0 if seconds is None else max(seconds, 0.001))
