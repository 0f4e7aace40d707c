"""The one way out to the broker: bounded in time, and shut for a while when the broker is away.

Celery's own producers are not used for bells: with their default options a publish to a broker
that went away waits for seconds, inside somebody's request.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar

import kombu
from amqp.exceptions import PreconditionFailed
from celery import current_app
from kombu.exceptions import OperationalError

from apps.messaging import transport
from apps.messaging.breaker import Breaker
from apps.messaging.conf import limits

logger = logging.getLogger(__name__)
breaker = Breaker(lambda: limits().breaker_seconds)
transport.mend()
T = TypeVar("T")


class BrokerAway(Exception):
    """The broker did not answer in time, or the breaker is open."""


def connect(*, seconds: float) -> kombu.Connection:
    """A new connection, not opened yet, on which each step fails after `seconds`."""
    return current_app.connection_for_write(
        connect_timeout=seconds,
        transport_options={
            "max_retries": 0,
            "socket_connect_timeout": seconds,  # Redis
            "socket_timeout": seconds,
            "read_timeout": seconds,  # RabbitMQ
            "write_timeout": seconds,
            # What is sent here has a row behind it, or may be lost: nobody waits for a receipt.
            "confirm_publish": False,
        },
    )


def close(connection: kombu.Connection) -> None:
    """Close without waiting for the broker to agree, and without a word if it is away.

    Not with `collect(socket_timeout=…)`: that is the default of the whole process, and two threads
    at it may leave theirs behind. Each step has the limit that `connect` was given.
    """
    with contextlib.suppress(*errors_of(connection)):
        connection.collect()


def errors_of(connection: kombu.Connection) -> tuple[type[BaseException], ...]:
    """What a broker that is away may raise."""
    return (
        OperationalError,
        OSError,
        *connection.connection_errors,
        *connection.channel_errors,
    )


def queue_named(name: str, connection: kombu.Connection) -> kombu.Queue:
    """A queue for work, as workers declare it, too: on RabbitMQ one that several nodes keep.

    The settings of the workers must say the same: `task_create_missing_queue_type`.
    """
    is_rabbitmq = connection.get_transport_cls().driver_type == "amqp"
    arguments = {"x-queue-type": "quorum"} if is_rabbitmq else None
    return kombu.Queue(name, kombu.Exchange(name), name, queue_arguments=arguments)


def explain(error: BaseException) -> str:
    """Say what to do where the broker's own words do not."""
    if isinstance(error, PreconditionFailed):
        return (
            f"{error.reply_text}: the queue was made with other properties, by an older release."
            " Delete it on the broker (rabbitmqctl delete_queue NAME): its jobs are rows, which"
            " are rung for again, and lose nothing"
        )
    return str(error)


class Line:
    """One connection with its producer."""

    def __init__(self) -> None:
        self.connection = connect(seconds=limits().broker_seconds)
        self.producer = current_app.amqp.Producer(self.connection, auto_declare=False)
        self.pid = os.getpid()
        # A thread that ends takes its line along: close it then, rather than when memory is tidied.
        weakref.finalize(self, _close, self.connection, self.pid).atexit = False


def _close(connection: kombu.Connection, pid: int) -> None:
    """Close, but not what was inherited from a parent."""
    if pid == os.getpid():
        close(connection)


class _Own(threading.local):
    """One line per thread. A pool would need locks, and those do not survive a fork."""

    line: Line | None = None


_own = _Own()


def attempt(send: Callable[[Line], T]) -> T:
    """Call `send` with this thread's line. Raises BrokerAway, soon, if that cannot be done now."""
    if breaker.is_open:
        raise BrokerAway("the breaker is open")
    line = _own.line
    if line is not None and line.pid == os.getpid():
        try:
            return send(line)
        except errors_of(line.connection):
            # A broker that was restarted has cut old lines: that alone is no reason to give up.
            hang_up()
    line = _own.line = Line()
    try:
        answer = send(line)
    except errors_of(line.connection) as error:
        hang_up()
        if breaker.trip():
            logger.warning("broker away: %s", explain(error))
        raise BrokerAway(explain(error)) from error
    breaker.reset()
    return answer


def declare(name: str) -> None:
    """Make sure that a queue for work exists, of the right kind. Raises BrokerAway."""
    attempt(lambda line: queue_named(name, line.connection)(line.connection).declare())


def hang_up() -> None:
    """Close this thread's line, without waiting for the broker to agree."""
    line, _own.line = _own.line, None
    if line is not None:
        _close(line.connection, line.pid)
