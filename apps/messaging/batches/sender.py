"""The producing end: a bounded buffer, and a thread that sends what waits in it.

Nobody who emits waits for the broker. While one message is on its way the next events gather, so
messages grow with the load. A message is sent again, under its number, until the broker has taken
it; events that find the buffer full meanwhile are dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
from collections import deque
from uuid import uuid4

import msgspec

from apps.messaging.batches.envelope import EVENTS_AT_MOST, Message, encode
from apps.messaging.batches.wires import BacklogFull, OpenWire, Wire, open_wire
from apps.messaging.broker import BrokerAway
from apps.messaging.conf import limits

logger = logging.getLogger(__name__)
SEND_SECONDS = 5.0
LAST_SECONDS = 3.0  # how long the end of a process waits for what is not sent yet


class Sender:
    """One for each process. Its thread starts with the first event."""

    def __init__(self, *, open_wire: OpenWire = open_wire) -> None:
        self._open_wire = open_wire
        self.producer = uuid4()
        self.dropped = 0
        self._number = 0
        self._waiting: dict[str, deque[bytes]] = {}
        self._count = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_sending = False
        self._ends_at: float | None = None
        self._wire: Wire | None = None
        self._is_away = False

    def put(self, topic: str, event: bytes) -> bool:
        """Leave an event to be sent; false if it was dropped. Never waits, never raises."""
        with self._changed:
            if self._count >= limits().event_buffer or self._ends_at is not None:
                self.dropped += 1
                return False
            self._waiting.setdefault(topic, deque()).append(event)
            self._count += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    def flush(self, *, seconds: float) -> bool:
        """Wait until all is sent, so long at most; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._count or self._is_sending), seconds)

    def close(self, *, seconds: float = LAST_SECONDS) -> None:
        """Send what can be sent in this time, and end."""
        with self._changed:
            self._ends_at = time.monotonic() + seconds
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds + SEND_SECONDS)
        if self._count:
            logger.warning("the process ends: %d events are lost", self._count)

    def _run(self) -> None:
        try:
            while (message := self._next()) is not None:
                self._deliver(message)
        finally:
            self._hang_up()

    def _next(self) -> Message | None:
        """The next message, once there is something to send; None at the end."""
        with self._changed:
            self._is_sending = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._count or self._ends_at is not None)
            if not self._count or self._is_over():
                return None
            topic, events = self._gather()
            self._is_sending = True
            self._number += 1
            return Message(
                producer=self.producer,
                number=self._number,
                name=f"{socket.gethostname()[:150]}:{os.getpid()}",
                topic=topic,
                events=[msgspec.Raw(event) for event in events],
                dropped=self.dropped,
            )

    def _gather(self) -> tuple[str, list[bytes]]:
        topic = next(iter(self._waiting))
        queue = self._waiting.pop(topic)
        events = [queue.popleft() for _ in range(min(len(queue), EVENTS_AT_MOST))]
        if queue:
            # Behind the others: one topic with many events does not hold them up.
            self._waiting[topic] = queue
        self._count -= len(events)
        return topic, events

    def _deliver(self, message: Message) -> None:
        body = encode(message)
        while not self._send(body):
            if self._is_over():
                logger.warning("the process ends: %d events are lost", len(message.events))
                return
            with self._changed:
                self._changed.wait_for(self._is_ending, limits().breaker_seconds)

    def _send(self, body: bytes) -> bool:
        is_used = self._wire is not None
        try:
            self._wire = self._wire or self._open_wire(seconds=SEND_SECONDS)
            self._wire.send(body)
        except BacklogFull as error:
            self._complain(error)
            return False
        except BrokerAway as error:
            self._hang_up()
            if is_used:
                # A broker that was restarted has cut old lines: try a new one at once.
                return self._send(body)
            self._complain(error)
            return False
        except Exception:
            # Whatever it was, without this thread the process would emit nothing any more.
            logger.exception("events could not be sent")
            self._hang_up()
            return False
        if self._is_away:
            self._is_away = False
            logger.info("events are sent again; %d were dropped so far", self.dropped)
        return True

    def _complain(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            logger.warning("events wait: %s", error)

    def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _is_ending(self) -> bool:
        return self._ends_at is not None

    def _is_over(self) -> bool:
        return self._ends_at is not None and time.monotonic() >= self._ends_at


class _Process:
    """The sender of this process. A child begins with one of its own: threads do not fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sender: Sender | None = None

    def sender(self) -> Sender:
        with self._lock:
            if self._sender is None:
                self._sender = Sender()
            return self._sender

    def close(self) -> None:
        with self._lock:
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()


_process = _Process()


def _begin_anew() -> None:
    global _process  # noqa: PLW0603  its lock may be held by a thread that the child has not got
    _process = _Process()


os.register_at_fork(after_in_child=_begin_anew)


def put(topic: str, event: bytes) -> bool:
    """Leave an event to the sender of this process."""
    return _process.sender().put(topic, event)


def flush(*, seconds: float) -> bool:
    """Wait until what this process emitted is sent; whether it is."""
    return _process.sender().flush(seconds=seconds)


def close() -> None:
    """Send what waits, and begin anew with the next event."""
    _process.close()


atexit.register(close)
