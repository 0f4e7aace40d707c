"""A way to keep what a function of one number returns: what each library is measured through."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Function = Callable[[int], Any]
_of_thread = threading.local()


class Kept:
    """The function with its values kept. Libraries differ in these verbs and in nothing else."""

    many_by = "one by one"

    def __init__(self, function: Function) -> None:
        self.function = function
        self.name = function.__qualname__.replace("<locals>.", "")

    def __call__(self, number: int) -> Any:
        raise NotImplementedError

    def many(self, numbers: Sequence[int]) -> list[Any]:
        """Return the values of all these; a library without a way to do that asks one by one."""
        return [self(number) for number in numbers]

    def tell(self, number: int) -> None:
        """Say, inside the transaction of a change, what a user of the library has to say."""

    def lose_bookkeeping(self) -> bool:
        """Evict what the library keeps beside the values; False if it keeps nothing else."""
        return False


class Untouched(Kept):
    """A function as it is: its queries may be kept, by a library that does so unasked."""

    def __call__(self, number: int) -> Any:
        return self.function(number)


class KeptAwaiting(Kept):
    """For a library that can only be awaited. Each thread has an event loop of its own."""

    async def later(self, number: int) -> Any:
        raise NotImplementedError

    def __call__(self, number: int) -> Any:
        return event_loop().run_until_complete(self.later(number))


@dataclass(frozen=True, kw_only=True)
class Way:
    """One row of the tables."""

    name: str
    keep: Callable[[Function, int], Kept]
    server: str = "valkey"
    # The app of Django that must be installed for it: it changes the ORM of the whole process.
    app: str = ""
    # What must be importable for it.
    package: str = ""
    # Keeps text only: what a template renders.
    only_text: bool = False


def event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of this thread."""
    if not hasattr(_of_thread, "loop"):
        _of_thread.loop = asyncio.new_event_loop()
    return _of_thread.loop
