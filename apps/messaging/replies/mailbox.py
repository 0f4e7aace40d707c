"""Where the answers for this process arrive: one queue and one thread, however many ask.

The queue is no exclusive one, as those who answer declare it too: on Redis only who has declared a
queue knows when it expires, and an answer to a process that has died must not lie there for ever.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import Any

import kombu

from apps.messaging import broker
from apps.messaging.conf import limits
from apps.messaging.exceptions import Unavailable
from apps.messaging.naming import new_id

logger = logging.getLogger(__name__)
EXPIRES = 60.0
POLL_SECONDS = 1.0
# Nobody asked for so long: give the connection back.
IDLE_SECONDS = 300.0


def queue_of(name: str) -> kombu.Queue:
    """The queue of a mailbox, declared alike by its owner and by those who answer."""
    return kombu.Queue(name, routing_key=name, durable=False, expires=EXPIRES)


class Slip:
    """One answer that is waited for."""

    def __init__(self, replaces: str) -> None:
        self.id = new_id()
        self.replaces = replaces
        self.superseded = False
        self._arrived = threading.Event()
        self._raw: bytes | None = None

    def wait(self, seconds: float) -> bytes | None:
        """The answer; None when the time is over, or somebody has superseded it."""
        self._arrived.wait(max(0.0, seconds))
        return self._raw

    def fill(self, raw: bytes) -> None:
        self._raw = raw
        self._arrived.set()

    def supersede(self) -> None:
        self.superseded = True
        self._arrived.set()


class Mailbox:
    """The answers of one process. Use `mailbox()`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.name = f"replies.{socket.gethostname()}.{self.pid}.{new_id()[:8]}"
        self._lock = threading.Lock()
        self._waiting: dict[str, Slip] = {}
        self._latest: dict[str, Slip] = {}
        self._listening = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._used = time.monotonic()

    def expect(self, replaces: str = "") -> Slip:
        """Wait for an answer from now on, in place of the slip before it. Raises Unavailable."""
        slip = Slip(replaces)
        with self._lock:
            self._used = time.monotonic()
            self._waiting[slip.id] = slip
            earlier = self._latest.get(replaces) if replaces else None
            if replaces:
                self._latest[replaces] = slip
            self._see_to_thread()
        if earlier is not None:
            earlier.supersede()
        # Only who listens already cannot miss the answer.
        if not self._listening.wait(2 * limits().broker_seconds):
            self.forget(slip)
            raise Unavailable("the broker does not deliver")
        return slip

    def close(self) -> None:
        """Listen no more. Who waits is told nothing."""
        self._closed.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def forget(self, slip: Slip) -> None:
        """Wait for it no more."""
        with self._lock:
            self._waiting.pop(slip.id, None)
            if self._latest.get(slip.replaces) is slip:
                del self._latest[slip.replaces]

    def _see_to_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="replies", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._may_end():
            connection = broker.connect(seconds=5)
            try:
                self._listen(connection)
            except broker.errors_of(connection) as error:
                logger.warning("the answers are cut off: %s", error)
                self._closed.wait(limits().broker_seconds)
            finally:
                self._listening.clear()
                broker.close(connection)

    def _may_end(self) -> bool:
        with self._lock:
            may_end = self._closed.is_set() or self._is_idle()
            if may_end:
                self._thread = None
        return may_end

    def _is_idle(self) -> bool:
        return not self._waiting and time.monotonic() - self._used > IDLE_SECONDS

    def _listen(self, connection: kombu.Connection) -> None:
        with connection.Consumer(queue_of(self.name), no_ack=True, on_message=self._deliver):
            self._listening.set()
            while not self._closed.is_set() and not self._is_idle():
                try:
                    connection.drain_events(timeout=POLL_SECONDS)
                except (TimeoutError, socket.timeout):  # noqa: UP041  kombu raises both
                    connection.heartbeat_check()

    def _deliver(self, message: Any) -> None:
        slip = self._waiting.get(str(message.properties.get("correlation_id")))
        if slip is not None:
            slip.fill(bytes(message.body))


_mailboxes: list[Mailbox] = []
_lock = threading.Lock()


def mailbox() -> Mailbox:
    """The mailbox of this process; a fork has one of its own."""
    with _lock:
        if not _mailboxes or _mailboxes[0].pid != os.getpid():
            _mailboxes[:] = [Mailbox()]
        return _mailboxes[0]


def close() -> None:
    """Give up the mailbox of this process, if it has one; who asks next gets a new one."""
    with _lock:
        for box in _mailboxes:
            if box.pid == os.getpid():
                box.close()
        _mailboxes.clear()
