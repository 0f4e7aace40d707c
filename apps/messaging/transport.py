"""What we mend in kombu's transport for Redis, until it is mended there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from queue import Empty
from typing import Any

from kombu.transport import redis

logger = logging.getLogger(__name__)


class _FanoutQueues(dict[str, Any]):
    """A dictionary that may grow while somebody walks through it.

    kombu 5.7 keeps the fanout queues of all Redis channels of a process in one dictionary of the
    class. Every channel that closes walks through it, whichever thread binds a queue meanwhile.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(self.copy())


_CHANNEL: Any = redis.Channel
_read: Any = _CHANNEL._brpop_read  # noqa: SLF001


def _read_or_drop(channel: Any, **options: Any) -> Any:
    """Take the next message of a queue, or drop what is none.

    On Redis kombu puts each message into an envelope of its own. What is not one, whoever put it
    there, raises in the loop of the worker, which ends; and the next takes the next of them.
    """
    try:
        return _read(channel, **options)
    except (ValueError, KeyError, TypeError, AttributeError):
        logger.warning("what is no message was dropped from a queue", exc_info=True)
        raise Empty from None


_QOS: Any = redis.QoS
_restore: Any = _QOS.restore_unacked


def _restore_or_leave(qos: Any, client: Any = None) -> None:
    """Give back what was not acknowledged, unless the connection that could is gone.

    A channel that is closed late, after its connection was given up, raises in kombu, and the
    worker ends. What it leaves is given back after the visibility timeout; bells are rung again.
    """
    if client is None and _is_given_up(qos):
        logger.warning("%d messages wait for the visibility timeout", len(qos._delivered))  # noqa: SLF001
        qos._delivered.clear()  # noqa: SLF001
        return
    _restore(qos, client)


def _unless_given_up(act: Any) -> Any:
    """Let a message be acknowledged or rejected, unless its connection was given up.

    The loop of the worker does so late, and ends of what kombu raises then. The message comes
    again; what it asked for has been done, or has been written down elsewhere.
    """

    def acted(qos: Any, *arguments: Any, **options: Any) -> None:
        if _is_given_up(qos):
            logger.info("a message of a connection that was given up comes again")
        else:
            act(qos, *arguments, **options)

    return acted


_acknowledge, _reject = _unless_given_up(_QOS.ack), _unless_given_up(_QOS.reject)


def _is_given_up(qos: Any) -> bool:
    return getattr(qos.channel.connection, "client", None) is None


def mend() -> None:
    """Do it, once or again."""
    _QOS.restore_unacked = _restore_or_leave
    _QOS.ack = _acknowledge
    _QOS.reject = _reject
    _CHANNEL._fanout_queues = _FanoutQueues()  # noqa: SLF001
    _CHANNEL._brpop_read = _read_or_drop  # noqa: SLF001
