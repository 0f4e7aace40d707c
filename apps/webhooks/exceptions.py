"""How a call to an outside service may fail.

Exception
└── NotDelivered
    ├── Forbidden    the address is one that the site does not call
    ├── NoAnswer     no connection, or no answer in time
    └── Refused      it answered, but not with a status of success
"""

from __future__ import annotations


class NotDelivered(Exception):
    """The event was not delivered."""


class Forbidden(NotDelivered):
    """The address is one that the site does not call."""


class NoAnswer(NotDelivered):
    """There was no answer in time."""


class Refused(NotDelivered):
    """The service answered with another status than one of success."""

    def __init__(self, status: int, *, wait: float | None = None) -> None:
        super().__init__(f"It answered {status}.")
        self.status = status
        self.wait = wait
