"""Events on Redis or Valkey: a stream and a group of readers.

Not a list, as kombu's queues are there: between taking a message off a list and noting that it is
not acknowledged kombu holds it in memory only, and a worker that is killed then has lost it. A
reader of a stream is given a message and has it noted in one step.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import kombu
from redis.exceptions import ResponseError

from apps.messaging import broker
from apps.messaging.batches.wires import BacklogFull, Delivery, reaching
from apps.messaging.conf import limits

KEY = "events.stream"
GROUP = "workers"
# All workers read under one name: who has a message does not matter, only for how long. A name for
# each would leave one behind with every worker that is killed.
READER = "worker"
FIELD = b"m"

ADD = """
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', ARGV[2], ARGV[3])
return 1
"""


class StreamWire:
    """A wire on Redis. Messages that nobody acknowledged for a while are given out again."""

    def __init__(self, connection: kombu.Connection) -> None:
        self._connection = connection
        with reaching(connection):
            # kombu knows how to reach Redis: directly, by sentinels, with TLS, with a password.
            channel: Any = connection.default_channel
            self._redis = channel.client
            self._key = f"{channel.global_keyprefix}{KEY}"
            self._add = self._redis.register_script(ADD)
        self._has_joined = False
        self._claimed_at = float("-inf")

    def send(self, body: bytes) -> None:
        with reaching(self._connection):
            taken = self._add(keys=[self._key], args=[limits().event_backlog, FIELD, body])
        if not taken:
            raise BacklogFull(f"{limits().event_backlog} messages wait in {self._key}")

    def receive(self, *, most: int, seconds: float) -> list[Delivery]:
        if most <= 0:
            return []
        with reaching(self._connection):
            self._join()
            return self._claim(most) or self._read(most, seconds)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        tags = [delivery.tag for delivery in deliveries]
        if tags:
            with reaching(self._connection), self._redis.pipeline() as pipe:
                pipe.xack(self._key, GROUP, *tags).xdel(self._key, *tags).execute()

    def count(self) -> int:
        with reaching(self._connection):
            return int(self._redis.xlen(self._key))

    def close(self) -> None:
        broker.close(self._connection)

    def _join(self) -> None:
        """Make the group where there is none: at first, and when Redis has forgotten it."""
        if self._has_joined:
            return
        try:
            self._redis.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._has_joined = True

    def _read(self, most: int, seconds: float) -> list[Delivery]:
        # A block of 0 ms would be for ever.
        block = max(1, int(seconds * 1000))
        answer = self._redis.xreadgroup(GROUP, READER, {self._key: ">"}, count=most, block=block)
        entries = answer.values() if isinstance(answer, dict) else [part[1] for part in answer]
        return [delivery for part in entries for delivery in _deliveries(part)]

    def _claim(self, most: int) -> list[Delivery]:
        """What a worker was given that must be dead by now; looked for a few times in that time."""
        patience = limits().event_redeliver_seconds
        if time.monotonic() < self._claimed_at + patience / 4:
            return []
        self._claimed_at = time.monotonic()
        idle = int(patience * 1000)
        answer = self._redis.xautoclaim(self._key, GROUP, READER, idle, count=most)
        return _deliveries(answer[1])


def _deliveries(entries: Sequence[Any]) -> list[Delivery]:
    # Redis 6 still lists entries that were deleted meanwhile, without their fields; and RESP3 may
    # nest the list once more.
    if len(entries) == 1 and isinstance(entries[0], list):
        entries = entries[0]
    return [Delivery(tag, fields.get(FIELD, b"")) for tag, fields in entries if fields is not None]
