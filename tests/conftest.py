"""Fixtures every test may name."""

from __future__ import annotations

from tests.support.accounts import ada, ben, cyd, quick_passwords
from tests.support.batches import events
from tests.support.caching import cache_of_its_own, fresh_cache, nothing_is_stale
from tests.support.dependencies import nothing_is_undeclared
from tests.support.media import media
from tests.support.messaging import patient_with_the_broker, use_broker
from tests.support.servers import (
    _rabbitmq,
    memcached_server,
    rabbitmq_server,
    smtp_server,
    valkey_server,
    worker,
)
from tests.support.tables import quick_flush

__all__ = [
    "_rabbitmq",
    "ada",
    "ben",
    "cache_of_its_own",
    "cyd",
    "events",
    "fresh_cache",
    "media",
    "memcached_server",
    "nothing_is_stale",
    "nothing_is_undeclared",
    "patient_with_the_broker",
    "quick_flush",
    "quick_passwords",
    "rabbitmq_server",
    "smtp_server",
    "use_broker",
    "valkey_server",
    "worker",
]
