"""The folding end: receive, hold for a second, fold, acknowledge. One thread of a worker."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from apps.messaging.batches import folding, receipts
from apps.messaging.batches.batch import Batch
from apps.messaging.batches.folding import Parcel, UnknownTopic
from apps.messaging.batches.strangers import Strangers
from apps.messaging.batches.wires import Delivery, OpenWire, Wire, open_wire
from apps.messaging.broker import BrokerAway

logger = logging.getLogger(__name__)
PREFETCH = 500
"""How many messages a worker holds: what is behind them waits on the broker, for any worker."""
POLL_SECONDS = 0.5
CONNECT_SECONDS = 5.0
RETRY_SECONDS = 1.0
PRUNE_SECONDS = 3600.0


@dataclass
class Pile:
    """What is held of one topic."""

    batch: Batch[Any]
    due_at: float
    held: list[tuple[Delivery, Parcel]] = field(default_factory=list)
    events: int = 0

    def add(self, delivery: Delivery, parcel: Parcel) -> None:
        self.held.append((delivery, parcel))
        self.events += len(parcel.events)

    def is_due(self, now: float) -> bool:
        return now >= self.due_at or self.events >= self.batch.most


class Consumer:
    """Folds until it is stopped; then what is held is folded too."""

    def __init__(self, *, open_wire: OpenWire = open_wire) -> None:
        self._open_wire = open_wire
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name="batches", daemon=True)
        self._piles: dict[str, Pile] = {}
        self._strangers = Strangers()
        self._is_away = False
        self._retry_at = float("-inf")
        # Not at the start: what a dead worker left comes first, and must find its receipts.
        self._prune_at = time.monotonic() + PRUNE_SECONDS

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Fold what is held, and end. Returns when that is done, or after seconds."""
        self._stopped.set()
        self._thread.join(timeout=2 * CONNECT_SECONDS)

    def run(self) -> None:
        while not self._stopped.is_set():
            # What was held before the connection broke comes again, and finds its receipt.
            self._piles.clear()
            self._strangers.clear()
            try:
                self._serve()
            except BrokerAway as error:
                if not self._is_away:
                    logger.warning("no events are received: %s", error)
                self._is_away = True
            except Exception:
                logger.exception("folding failed")
            finally:
                connections.close_all()
            self._stopped.wait(RETRY_SECONDS)

    def _serve(self) -> None:
        wire = self._open_wire(seconds=CONNECT_SECONDS)
        try:
            while not self._stopped.is_set():
                self._receive(wire)
                self._is_away = False
                self._serve_what_is_held(wire)
                self._prune()
            self._fold_due(wire)
        finally:
            wire.close()

    def _receive(self, wire: Wire) -> None:
        now = time.monotonic()
        room = PREFETCH - self._count()
        due = min((pile.due_at for pile in self._piles.values()), default=now + POLL_SECONDS)
        if room <= 0:
            self._stopped.wait(max(0, min(self._retry_at - now, POLL_SECONDS)))
        seconds = max(0.0, min(max(due, self._retry_at) - now, POLL_SECONDS))
        known = {delivery.tag for pile in self._piles.values() for delivery, _ in pile.held}
        for delivery in wire.receive(most=room, seconds=seconds):
            # Redis gives out again what is held for long, while the database is away.
            if delivery.tag not in known and delivery.tag not in self._strangers:
                self._take(wire, delivery)

    def _take(self, wire: Wire, delivery: Delivery) -> None:
        try:
            unpacked = folding.unpack(delivery.body)
        except UnknownTopic as error:
            self._strangers.keep(delivery, str(error))
            return
        if unpacked is None:
            wire.acknowledge([delivery])
            return
        batch, parcel = unpacked
        pile = self._piles.get(batch.topic)
        if pile is None:
            pile = self._piles[batch.topic] = Pile(batch, time.monotonic() + batch.every)
        pile.add(delivery, parcel)

    def _serve_what_is_held(self, wire: Wire) -> None:
        self._fold_due(wire)
        if unwanted := self._strangers.dismiss():
            wire.acknowledge(unwanted)

    def _fold_due(self, wire: Wire) -> None:
        now = time.monotonic()
        if now < self._retry_at and not self._stopped.is_set():
            return
        every = self._stopped.is_set() or self._count() >= PREFETCH
        for topic, pile in list(self._piles.items()):
            if every or pile.is_due(now):
                self._fold(wire, topic, pile)

    def _fold(self, wire: Wire, topic: str, pile: Pile) -> None:
        try:
            folding.fold(pile.batch, [parcel for _, parcel in pile.held])
        except folding.NOBODYS_FAULT as error:
            logger.warning("%d events of %s wait: %s", pile.events, topic, error)
            self._retry_at = pile.due_at = time.monotonic() + RETRY_SECONDS
            connections.close_all()
            return
        wire.acknowledge(delivery for delivery, _ in pile.held)
        del self._piles[topic]

    def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_SECONDS
            receipts.prune()

    def _count(self) -> int:
        return sum(len(pile.held) for pile in self._piles.values()) + len(self._strangers)
