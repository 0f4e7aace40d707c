"""One server as the layer sees it: it never raises, and it is not read while it is owed something.

An invalidation that could not be delivered would leave the server with entries that it takes for
valid. So the tags are remembered as owed; until they are delivered this process neither reads
from that server nor writes to it, and a thread goes on trying.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from apps.caching.breaker import Breaker
from apps.caching.events import Trip, tell
from apps.caching.stores import Item, Refused, Store, StoreAway
from apps.caching.versions import new_version

logger = logging.getLogger(__name__)
T = TypeVar("T")
# A version that outlives every entry; one that is lost anyway is a miss, never a hit.
VERSION_SECONDS = 30 * 24 * 3600
MANY_DEBTS = 1000
FIRST_RETRY, SLOWEST_RETRY = 0.25, 2.0
QUIET_SECONDS = 30.0


class Node:
    """A store with its breaker and its debts. None as an answer means: the server is away."""

    def __init__(self, store: Store, *, breaker: Breaker | None = None) -> None:
        self.store = store
        self.name = store.name
        self.breaker = breaker or Breaker()
        self._lock = threading.Lock()
        self._serial = itertools.count()
        self._debts: dict[str, int] = {}
        self._payer: threading.Thread | None = None
        self._said: dict[str, float] = {}

    @property
    def owes(self) -> int:
        """Return how many invalidations this process could not deliver yet."""
        return len(self._debts)

    def get(self, keys: Sequence[str]) -> list[bytes | None] | None:
        return self._attempt("get", tuple(keys), lambda: self.store.get(keys))

    def put(self, items: Sequence[Item]) -> bool:
        keys = tuple(item.key for item in items)
        return self._attempt("put", keys, _done(lambda: self.store.put(items))) or False

    def add(self, items: Sequence[Item]) -> list[bool] | None:
        keys = tuple(item.key for item in items)
        return self._attempt("add", keys, lambda: self.store.add(items))

    def drop(self, keys: Sequence[str]) -> bool:
        return self._attempt("drop", tuple(keys), _done(lambda: self.store.drop(keys))) or False

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

    def bump(self, keys: Iterable[str], *, everything: str) -> None:
        """Give each tag a new version, now or as soon as the server is there again.

        `everything` is the tag of all entries: it stands for the others when too many are owed.
        """
        keys = list(keys)
        if not self._debts and self._deliver(keys):
            return
        with self._lock:
            self._debts.update((key, next(self._serial)) for key in keys)
            if len(self._debts) > MANY_DEBTS:
                self._debts = {everything: next(self._serial)}
            # A thread does not survive a fork, but the object that stood for it does.
            if self._payer is None or not self._payer.is_alive():
                self._payer = threading.Thread(target=self._keep_paying, daemon=True)
                self._payer.start()

    def pay(self) -> None:
        """Try to deliver what is owed, whatever the breaker says: no page waits for this."""
        owed = dict(self._debts)
        if owed and self._deliver(list(owed), forced=True):
            with self._lock:
                # What came due again while we were sending stays due.
                for key, serial in owed.items():
                    if self._debts.get(key) == serial:
                        del self._debts[key]

    def close(self) -> None:
        """Give the connections back and forget what is owed: nobody will use this again."""
        with self._lock:
            self._debts.clear()
        self.store.close()

    def _keep_paying(self) -> None:
        pause = FIRST_RETRY
        while True:
            self.pay()
            with self._lock:
                if not self._debts:
                    self._payer = None
                    return
            time.sleep(pause)
            pause = min(pause * 2, SLOWEST_RETRY)

    def _deliver(self, keys: Sequence[str], *, forced: bool = False) -> bool:
        if not forced and not self.breaker.allows():
            return False
        # New versions for each transmission: had the first one been carried out late, and the
        # same bytes been sent again, a version would return and revive what it once stamped.
        items = [self._version(key) for key in keys]
        return bool(self._try("put", tuple(keys), _done(lambda: self.store.put(items))))

    def _version(self, key: str) -> Item:
        return Item(key, new_version(), VERSION_SECONDS)

    def _attempt(self, verb: str, keys: tuple[str, ...], command: Callable[[], T]) -> T | None:
        if self._debts or not self.breaker.allows():
            return None
        return self._try(verb, keys, command)

    def _try(self, verb: str, keys: tuple[str, ...], command: Callable[[], T]) -> T | None:
        answer = None
        try:
            answer = command()
        except StoreAway as error:
            self.breaker.failed()
            self._say("did not answer", verb, error)
        except Refused as error:
            self.breaker.worked()
            self._say("refused", verb, error)
        else:
            self.breaker.worked()
        tell(Trip(self.name, verb, keys, answered=answer is not None))
        return answer

    def _say(self, problem: str, verb: str, error: Exception) -> None:
        # One line now and then: a server that is away for an hour is one event, not thousands.
        now = time.monotonic()
        if now - self._said.get(problem, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[problem] = now
            logger.warning("cache %s %s %s: %s", self.name, problem, verb, error)


def _done(command: Callable[[], None]) -> Callable[[], bool]:
    def run() -> bool:
        command()
        return True

    return run
