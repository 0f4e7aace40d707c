"""Connections that are kept open and lent to one command at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

C = TypeVar("C")
Q = TypeVar("Q")
A = TypeVar("A")


class Lending(Generic[C]):
    """As many connections to one server as threads ask it at the same time, without a lock.

    The pools of the clients take two locks and ask the system about the socket before each command;
    that costs as much as the command. Here a connection is good as long as each command on it
    came to its end, and whoever meets a dead one drops all that are idle, see `drop_idle`.
    """

    def __init__(self, connect: Callable[[], C], disconnect: Callable[[C], None]) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._idle: deque[C] = deque()
        self._pid = os.getpid()

    def ask(self, command: Callable[[C, Q], A], question: Q) -> A:
        """Return what `command` makes of a connection and the question."""
        if self._pid != os.getpid():
            self._leave_to_the_parent()
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            answer = command(connection, question)
        except BaseException:
            # Also what interrupts from outside, a time limit for example: what is left of this
            # answer would be read as that to the next question.
            self._disconnect(connection)
            raise
        self._idle.append(connection)
        return answer

    def drop_idle(self) -> None:
        """Close what is not lent now."""
        idle, self._idle = self._idle, deque()
        with suppress(IndexError):  # others may take from it still
            while True:
                self._disconnect(idle.pop())

    def _leave_to_the_parent(self) -> None:
        # A socket inherited over a fork would carry two conversations at once. The parent's stays
        # open when we close ours. The number of the process comes last: a thread that sees it must
        # not find the old connections any more.
        self.drop_idle()
        self._pid = os.getpid()
