"""What the layer needs of a server: five verbs. One file for each kind of server."""

from __future__ import annotations

from apps.caching.stores.inspection import CannotTell, Facts, Inspectable, Inspector
from apps.caching.stores.opening import open_store
from apps.caching.stores.protocol import Item, Refused, Store, StoreAway

__all__ = [
    "CannotTell",
    "Facts",
    "Inspectable",
    "Inspector",
    "Item",
    "Refused",
    "Store",
    "StoreAway",
    "open_store",
]
