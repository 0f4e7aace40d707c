"""How a letter may fail to be delivered.

Exception
└── NotDelivered
    ├── NotNow       the server, or the way to it, is not ready: later
    ├── Refused      the server will never take this letter
    ├── Unclear      the answer to a whole letter did not come
    └── Overtaken    another worker has the letter now
"""

from __future__ import annotations


class NotDelivered(Exception):
    """The letter was not delivered."""

    def __init__(self, reply: str, *, code: int | None = None) -> None:
        super().__init__(f"{code} {reply}" if code else reply)
        self.code = code
        self.reply = reply


class NotNow(NotDelivered):
    """It was certainly not accepted, and may be later."""


class Refused(NotDelivered):
    """It was refused for good."""


class Unclear(NotDelivered):
    """The line was cut between the end of the letter and the answer: it may have arrived."""


class Overtaken(NotDelivered):
    """A later attempt has begun; this one must not send."""
