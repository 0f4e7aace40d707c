"""What a task raises to say how it failed, and why a question was not answered.

Exception
├── Temporary      try again later
├── Permanent      never try again
└── NotAnswered
    ├── Unavailable    the broker is away
    ├── Busy           too many ask: it would not be answered in time
    ├── Late           nobody answered in time
    ├── Superseded     the same caller asked something newer, or cancelled
    └── Failed         it was tried and cannot be done; the words are those of the worker
"""

from __future__ import annotations


class Temporary(Exception):
    """It could not be done now: the job is due again after `wait` seconds, or after its backoff."""

    def __init__(self, why: str, *, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Permanent(Exception):
    """It can never be done: the job is dead at once."""


class NotAnswered(Exception):
    """A question did not get its answer, and nobody works on it any more."""


class Unavailable(NotAnswered):
    """The broker is away."""


class Busy(NotAnswered):
    """So many ask that the answer would come too late."""


class Late(NotAnswered):
    """Nobody answered in time."""


class Superseded(NotAnswered):
    """Its caller has asked something newer, or does not want to know any more."""


class Failed(NotAnswered):
    """The worker could not do it, and says why."""
