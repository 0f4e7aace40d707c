"""What is mended in kombu: a worker must not end because its broker did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from kombu.transport import redis

import apps.messaging.broker  # noqa: F401 - which mends


def test_a_channel_that_closes_after_its_connection_leaves_what_it_held():
    qos: Any = redis.QoS.__new__(redis.QoS)
    qos.channel = SimpleNamespace(connection=SimpleNamespace(client=None))
    qos._delivered = {"tag": object()}

    qos.restore_unacked()

    assert qos._delivered == {}
