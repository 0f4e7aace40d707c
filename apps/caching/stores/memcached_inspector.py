"""Looking at a Memcached server: its statistics, and the keys that its crawler lists."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from apps.caching.stores.inspection import CannotTell, Facts
from apps.caching.stores.protocol import StoreAway

END = b"END"


class MemcachedInspector:
    """Speaks the text protocol itself: the client has no word for the crawler."""

    def __init__(self, address: tuple[str, int], *, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._connection: socket.socket | None = None
        self._answers: Any = None

    def facts(self) -> Facts:
        told = dict(self._statistics("stats"))
        settings = dict(self._statistics("stats settings"))
        evicts = settings.get("evictions", "on") == "on"
        return Facts(
            software=f"Memcached {told.get('version', '?')}",
            uptime=_number(told, "uptime"),
            items=_number(told, "curr_items"),
            memory_used=_number(told, "bytes"),
            memory_limit=_number(told, "limit_maxbytes"),
            longest_item=_number(settings, "item_size_max"),
            policy="lru" if evicts else "none",
            evictions=_number(told, "evictions"),
            hits=_number(told, "get_hits"),
            misses=_number(told, "get_misses"),
            concerns=() if evicts else ("a full memory refuses entries: start it without -M",),
        )

    def keys(self, prefix: str) -> Iterator[str]:
        for line in self._ask("lru_crawler metadump all"):
            if not line.startswith("key="):
                # "BUSY", "CLIENT_ERROR lru crawler disabled", or "ERROR" of one that has none.
                raise CannotTell(line)
            # What has expired the crawler leaves out by itself.
            key = unquote(line.split(maxsplit=1)[0].removeprefix("key="))
            if key.startswith(prefix):
                yield key

    def close(self) -> None:
        if self._connection is not None:
            self._answers.close()
            self._connection.close()
            self._connection = None

    def _statistics(self, command: str) -> Iterator[tuple[str, str]]:
        for line in self._ask(command):
            _, _, rest = line.partition("STAT ")
            name, _, value = rest.partition(" ")
            yield name, value

    def _ask(self, command: str) -> Iterator[str]:
        """Send one command and yield the lines of its answer, without the last."""
        try:
            if self._connection is None:
                self._connection = socket.create_connection(self._address, timeout=self._timeout)
                self._answers = self._connection.makefile("rb")
            self._connection.sendall(f"{command}\r\n".encode())
            while (line := self._answers.readline()) != b"":
                if line.rstrip() == END:
                    return
                yield line.decode("ascii", "replace").rstrip()
        except OSError as error:
            raise StoreAway(str(error)) from error
        raise StoreAway("the server hung up")


def _number(told: dict[str, str], name: str) -> int | None:
    value = told.get(name, "")
    return int(value) if value.isdigit() else None
