"""What is mended in kombu: a worker must not end because its broker did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kombu.transport import redis

import apps.messaging.broker  # noqa: F401 - which mends


def test_a_channel_that_closes_after_its_connection_leaves_what_it_held():
    qos: Any = redis.QoS.__new__(redis.QoS)
    qos.channel = SimpleNamespace(connection=SimpleNamespace(client=None))
    qos._delivered = {"tag": object()}

    qos.restore_unacked()

    assert qos._delivered == {}


@pytest.mark.parametrize("connection", [None, SimpleNamespace(client=None)])
@pytest.mark.parametrize("verb", ["ack", "reject"])
def test_what_a_lost_connection_brought_is_left_to_come_again(connection: Any, verb: str) -> None:
    qos: Any = redis.QoS.__new__(redis.QoS)
    # As kombu leaves a channel whose connection was lost: no client can be made from it.
    qos.channel = redis.Channel.__new__(redis.Channel)
    qos.channel.connection = connection
    qos._delivered = {"tag": object()}

    getattr(qos, verb)("tag")

    assert set(qos._delivered) == {"tag"}
