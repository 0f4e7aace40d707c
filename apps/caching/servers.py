"""Several servers as one: which key lives where, and versions of tags on all of them.

An entry lives on the server whose keyed hash of its key is the highest (rendezvous hashing):
every process finds the same one without asking, and a new server takes 1/n of the entries. A
server that is away is not replaced by its neighbour: its entries are computed until it is back,
for two servers with one entry would mean that one of them misses the next invalidation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache

from apps.caching.node import Node
from apps.caching.stores import Store, open_store


def score(server: str, key: str) -> bytes:
    """Return the weight of `server` for `key`: blake2b of the key, keyed by the server's name."""
    secret = hashlib.blake2b(server.encode(), digest_size=32).digest()
    return hashlib.blake2b(key.encode(), key=secret, digest_size=8).digest()


class Servers:
    """The nodes of a site, in no particular order."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.nodes = [Node(store) for store in stores]
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ValueError("a server is named twice")

    def place(self, key: str) -> Node:
        """Return the node on which the entry `key` lives."""
        if len(self.nodes) == 1:
            return self.nodes[0]
        return max(self.nodes, key=lambda node: score(node.name, key))

    def bump(self, keys: Iterable[str], *, everything: str) -> list[str]:
        """Write a new version of each tag to every server; return those that are owed it now."""
        keys = list(keys)
        return [node.name for node in self.nodes if not node.bump(keys, everything=everything)]

    def close(self) -> None:
        """Let go of every server."""
        for node in self.nodes:
            node.close()


@cache
def connect(urls: tuple[str, ...], timeout: float) -> Servers:
    """Return the servers at these addresses, the same object for the same addresses."""
    return Servers([open_store(url, timeout=timeout) for url in urls])
