"""What a task raises to say how it failed.

Exception
├── Temporary      try again later
└── Permanent      never try again
"""

from __future__ import annotations


class Temporary(Exception):
    """It could not be done now: the job is due again after `wait` seconds, or after its backoff."""

    def __init__(self, why: str, *, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Permanent(Exception):
    """It can never be done: the job is dead at once."""
