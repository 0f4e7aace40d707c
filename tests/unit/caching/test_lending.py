"""Connections that are lent: one command at a time, none after an error, none of the parent."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.caching.stores.lending import Lending

PATIENCE = 10


class Connection:
    """One that knows which process made it and whether it was closed."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Interrupted(BaseException):
    """As what stops a thread from outside: no Exception."""


@pytest.fixture
def lending() -> Lending[Connection]:
    return Lending(Connection, Connection.close)


def itself(connection: Connection, _: object) -> Connection:
    return connection


def fail(connection: Connection, error: BaseException) -> Connection:
    raise error


def test_a_connection_is_used_again(lending: Lending[Connection]) -> None:
    assert lending.ask(itself, None) is lending.ask(itself, None)


@pytest.mark.parametrize("error", [OSError(), Interrupted()])
def test_a_command_that_did_not_end_takes_its_connection_along(
    lending: Lending[Connection], error: BaseException
) -> None:
    first = lending.ask(itself, None)

    with pytest.raises(type(error)):
        lending.ask(fail, error)

    assert first.closed
    assert lending.ask(itself, None) is not first


def test_two_that_ask_at_once_have_two_connections(lending: Lending[Connection]) -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def meet(connection: Connection, _: object) -> Connection:
        both.wait()
        return connection

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: lending.ask(meet, None), range(2))

    assert first is not second


def test_idle_connections_are_closed_and_those_in_use_are_not(
    lending: Lending[Connection],
) -> None:
    def drop(connection: Connection, _: object) -> Connection:
        lending.drop_idle()
        return connection

    lending.ask(lambda *_: lending.ask(itself, None), None)  # now there are two
    used = lending.ask(drop, None)

    assert not used.closed
    assert lending.ask(itself, None) is used
    lending.drop_idle()
    assert used.closed


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(lending: Lending[Connection]) -> None:
    mine = lending.ask(itself, None)

    child = os.fork()
    if child == 0:
        fine = lending.ask(itself, None).pid == os.getpid()
        os._exit(0 if fine else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert lending.ask(itself, None) is mine
