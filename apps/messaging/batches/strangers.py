"""Messages of topics that this release does not know, kept for a worker of the one that does.

While a release rolls out, the processes that emit may be newer than the one that folds. What they
send is left unacknowledged: it goes to another worker when this one ends, on Redis also while it
runs. What nobody has wanted for a while is dropped, as are those that are too many: a topic that
was given up must not take all the room of those that are folded.
"""

from __future__ import annotations

import logging
import time

from apps.messaging.batches.wires import Delivery

logger = logging.getLogger(__name__)
MOST = 100
# RabbitMQ closes a channel on which a message is not acknowledged for half an hour.
PATIENCE_SECONDS = 900.0


class Strangers:
    """Those that one worker holds."""

    def __init__(self) -> None:
        self._held: dict[object, tuple[Delivery, str, float]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, tag: object) -> bool:
        return tag in self._held

    def keep(self, delivery: Delivery, topic: str) -> None:
        if not any(topic == known for _, known, _ in self._held.values()):
            logger.warning("events of %s wait: no handler in this release", topic)
        self._held[delivery.tag] = (delivery, topic, time.monotonic() + PATIENCE_SECONDS)

    def clear(self) -> None:
        """Forget them: the broker gives them to somebody again."""
        self._held.clear()

    def dismiss(self) -> list[Delivery]:
        """Return those that nobody is going to want, with a line in the log for each."""
        now = time.monotonic()
        # They are in the order in which they came, so the oldest go first.
        many = len(self._held) - MOST
        gone = [
            tag
            for place, (tag, (_, _, until)) in enumerate(self._held.items())
            if place < many or until <= now
        ]
        return [self._dismissed(tag) for tag in gone]

    def _dismissed(self, tag: object) -> Delivery:
        delivery, topic, _ = self._held.pop(tag)
        logger.warning("dropped a message of %s: no handler", topic)
        return delivery
