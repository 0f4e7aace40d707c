"""One server as the layer sees it: it never raises, and it is not read while it is owed something.

An invalidation that could not be delivered would leave the server with entries that it takes for
valid. So the tags are remembered as owed; until they are delivered this process neither reads
from that server nor writes to it, and a thread goes on trying. A server that was lost sight of is
closed in the same way until the thread has looked up what other processes owed it meanwhile.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from apps.caching.breaker import Breaker
from apps.caching.events import Trip, is_heard, tell
from apps.caching.locks import Lock
from apps.caching.stats import count_on
from apps.caching.stores import Item, Refused, Store, StoreAway
from apps.caching.versions import new_version

logger = logging.getLogger(__name__)
Q = TypeVar("Q")
A = TypeVar("A")
# A version that outlives every entry; one that is lost anyway is a miss, never a hit.
VERSION_SECONDS = 30 * 24 * 3600
MANY_DEBTS = 1000
FIRST_RETRY, SLOWEST_RETRY = 0.25, 2.0
QUIET_SECONDS = 30.0
PROBE = "-"


class Node:
    """A store with its breaker and its debts. None as an answer means: the server is away."""

    def __init__(self, store: Store, *, breaker: Breaker | None = None) -> None:
        self.store = store
        self.name = store.name
        self.breaker = breaker or Breaker()
        # Delivers to this node what is written down for it; says whether it could. See `sweeping`.
        self.catch_up: Callable[[Node], bool] | None = None
        self._lock = Lock()
        self._serial = itertools.count()
        self._debts: dict[str, int] = {}
        self._closed = False
        self._closures = 0
        self._payer: threading.Thread | None = None
        self._said: dict[str, float] = {}

    @property
    def owes(self) -> int:
        """Return how many invalidations this process could not deliver yet."""
        return len(self._debts)

    @property
    def is_shut(self) -> bool:
        """Say whether this process neither reads from the server nor writes to it just now."""
        return self._closed or self.breaker.is_open

    def get(self, keys: Sequence[str]) -> list[bytes | None] | None:
        return self._attempt("get", keys, self.store.get, keys)

    def put(self, items: Sequence[Item]) -> bool:
        keys = [item.key for item in items]
        return self._attempt("put", keys, _done(self.store.put), items) or False

    def add(self, items: Sequence[Item]) -> list[bool] | None:
        keys = [item.key for item in items]
        return self._attempt("add", keys, self.store.add, items)

    def drop(self, keys: Sequence[str]) -> bool:
        return self._attempt("drop", keys, _done(self.store.drop), keys) or False

    def versions(
        self, keys: Sequence[str], found: Sequence[bytes | None] | None = None
    ) -> tuple[bytes, ...] | None:
        """Return the version of each tag, giving one to those that have none. None: away.

        `found` is what a look-up of these keys has just brought, if there was one.
        """
        if found is None:
            found = self.get(keys)
        if found is not None and None in found:
            missing = [key for key, version in zip(keys, found, strict=True) if version is None]
            if self.add([self._version(key) for key in missing]) is None:
                return None
            # Not what we wrote but what is there: another process may have been first.
            found = self.get(keys)
        known = tuple(version for version in found or () if version is not None)
        return known if len(known) == len(keys) else None

    def bump(self, keys: Iterable[str], *, everything: str) -> bool:
        """Give each tag a new version, now or as soon as the server is there again.

        `everything` is the tag of all entries: it stands for the others when too many are owed.
        Returns whether it was now.
        """
        keys = list(keys)
        # Tried even where this process reads nothing: the server may be back, and others may read
        # from it before the thread comes round to it.
        if self.deliver(keys):
            return True
        count_on(self.name, "owed", len(keys))
        with self._lock:
            self._debts.update((key, next(self._serial)) for key in keys)
            if len(self._debts) > MANY_DEBTS:
                self._debts = {everything: next(self._serial)}
            self._close()
        return False

    def deliver(self, keys: Sequence[str]) -> bool:
        """Try to give each key a new version, whatever the breaker says."""
        # New versions for each transmission: had the first one been carried out late, and the
        # same bytes been sent again, a version would return and revive what it once stamped.
        items = [self._version(key) for key in keys]
        return bool(self._try("put", keys, _done(self.store.put), items))

    def pay(self) -> None:
        """Try to deliver what is owed, and open the server if that is all of it."""
        owed, closures = dict(self._debts), self._closures
        # Looked up after an answer: what is written down later is for a server that is there.
        if not (self.deliver(list(owed)) if owed else self._answers()) or not self._caught_up():
            return
        with self._lock:
            # What came due again while we were sending stays due.
            for key, serial in owed.items():
                if self._debts.get(key) == serial:
                    del self._debts[key]
            self._closed = bool(self._debts) or closures != self._closures

    def close(self) -> None:
        """Give the connections back and forget what is owed: nobody will use this again."""
        with self._lock:
            self._debts.clear()
            self._closed = False
        self.store.close()

    def _answers(self) -> bool:
        return self._try("get", (), self.store.get, [PROBE]) is not None

    def _caught_up(self) -> bool:
        try:
            return self.catch_up is None or self.catch_up(self)
        except Exception as error:  # noqa: BLE001 - whatever it was: not caught up
            self._say("stays closed", "the database does not tell what it is owed", error)
            return False

    def _close(self) -> None:
        """Neither read nor write until the thread has opened it. Called under the lock."""
        self._closed = True
        self._closures += 1
        self._see_to_payer()

    def _see_to_payer(self) -> None:
        # A thread does not survive a fork, but the object that stood for it does.
        if self._payer is None or not self._payer.is_alive():
            payer = threading.Thread(target=self._keep_paying, daemon=True)
            with suppress(RuntimeError):  # no thread to spare: whoever asks next tries again
                payer.start()
                self._payer = payer

    def _keep_paying(self) -> None:
        pause = FIRST_RETRY
        while True:
            self.pay()
            if self._is_settled():
                return
            time.sleep(pause)
            pause = min(pause * 2, SLOWEST_RETRY)
            # Given back meanwhile: whoever asks this server now does not expect us.
            if self._is_settled():
                return

    def _is_settled(self) -> bool:
        """Say whether there is nothing left to pay; the thread that asks has to end then."""
        with self._lock:
            if not self._closed:
                self._payer = None
            return not self._closed

    def _version(self, key: str) -> Item:
        return Item(key, new_version(), VERSION_SECONDS)

    def _attempt(
        self, verb: str, keys: Sequence[str], command: Callable[[Q], A], question: Q
    ) -> A | None:
        if self._closed:
            with self._lock:
                self._see_to_payer()
            return None
        return self._try(verb, keys, command, question) if self.breaker.allows() else None

    def _try(
        self, verb: str, keys: Sequence[str], command: Callable[[Q], A], question: Q
    ) -> A | None:
        answer = None
        started = time.perf_counter()
        try:
            answer = command(question)
        except StoreAway as error:
            self.breaker.failed()
            count_on(self.name, "away")
            self._lost_sight()
            self._say("did not answer", verb, error)
        except Refused as error:
            self.breaker.worked()
            count_on(self.name, "refused")
            self._say("refused", verb, error)
        else:
            self.breaker.worked()
        if is_heard():
            seconds = time.perf_counter() - started
            tell(Trip(self.name, verb, tuple(keys), answered=answer is not None, seconds=seconds))
        return answer

    def _lost_sight(self) -> None:
        if self.catch_up is not None and self.breaker.is_open and not self._closed:
            with self._lock:
                self._close()

    def _say(self, problem: str, what: str, error: Exception) -> None:
        # One line now and then: a server that is away for an hour is one event, not thousands.
        now = time.monotonic()
        if now - self._said.get(problem, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[problem] = now
            logger.warning("cache %s %s %s: %s", self.name, problem, what, error)


def _done(command: Callable[[Q], None]) -> Callable[[Q], bool]:
    def run(question: Q) -> bool:
        command(question)
        return True

    return run
