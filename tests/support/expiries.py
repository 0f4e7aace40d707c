"""One of several processes whose visitors stand at the end of an entry that may be stale.

`python -m tests.support.expiries <file> <kind>`: says "ready" and does what each line says, then
answers with a line of its own:

"fill"     computes the entry, where there is none;
"expire"   waits until its time is over;
"look"     lets eight visitors arrive: each looks the entry up, in a request of his own;
"early"    lets half of them ask, and prints what they were answered;
"release"  lets computations come to their end: those that begin after a "look" stand until then;
"settle"   waits until nothing goes on in the background here: what was computed is stored;
"late"     lets the other half ask, waits again, and prints what they were answered.

Each computation writes a letter to the file the moment it begins. Its value is their number.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import django

from tests.support.stampede import THREADS, Asker, say
from tests.support.wait import LEAST, wait_until

# So short that it ends while a test looks on, and much longer than two looks at a clock.
TIMEOUT = timedelta(seconds=0.5)


class Visitors(Asker):
    """Such a process, as a test holds it."""

    module = "tests.support.expiries"

    def do(self, word: str) -> str:
        self.say(word)
        return self.hear()


class Site:
    """What the lines do. `get` is the entry."""

    def __init__(self, get: Callable[[], str], pool: ThreadPoolExecutor) -> None:
        self.get = get
        self.pool = pool
        self.released = threading.Event()
        self.turns = {"early": threading.Event(), "late": threading.Event()}
        self.answers: dict[str, list[Future[str]]] = {}

    def fill(self) -> str:
        self.released.set()
        return self.get()

    def expire(self) -> str:
        from apps.caching.lookup import Found, look_up

        wait_until(lambda: look_up([self.get.call()])[0].found is Found.SOFT)  # type: ignore[attr-defined]
        return "stale"

    def look(self) -> str:
        self.released.clear()
        arrived = threading.Barrier(THREADS + 1, timeout=LEAST)
        for name in self.turns:
            self.turns[name] = turn = threading.Event()
            half = range(THREADS // 2)
            self.answers[name] = [self.pool.submit(self._visit, arrived, turn) for _ in half]
        arrived.wait()
        return "looked"

    def early(self) -> str:
        return self._answered("early")

    def release(self) -> str:
        self.released.set()
        return "released"

    def settle(self) -> str:
        from apps.caching.background import is_idle

        wait_until(is_idle)
        return "settled"

    def late(self) -> str:
        answers = self._answered("late")
        self.settle()
        return answers

    def _visit(self, arrived: threading.Barrier, turn: threading.Event) -> str:
        from apps import caching
        from apps.caching import memo

        with memo.remembering():
            caching.prefetch(self.get.call())  # type: ignore[attr-defined]
            arrived.wait()
            assert turn.wait(LEAST)
            return self.get()

    def _answered(self, name: str) -> str:
        self.turns[name].set()
        return " ".join(sorted({answer.result(LEAST) for answer in self.answers[name]}))


def main(file: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()

    from django.conf import settings

    from apps import caching

    # A busy machine is not a server that is away, and a test is not patient by the lease.
    settings.CACHING = {**settings.CACHING, "SOCKET_TIMEOUT": 5.0, "LEASE_SECONDS": LEAST}

    # By lot it would be renewed before its end, for it is computed so slowly.
    @caching.cached(timeout=TIMEOUT, stale_for=timedelta(minutes=10), refresh_ahead=False)
    def get() -> str:
        with file.open("a", encoding="ascii") as note:
            note.write("c")
        number = file.stat().st_size
        assert site.released.wait(LEAST)
        return str(number)

    with ThreadPoolExecutor(THREADS) as pool:
        site = Site(get, pool)
        say("ready")
        for line in sys.stdin:
            say(getattr(site, line.strip())())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
