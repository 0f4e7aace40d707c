"""Plain messages: what may be lost is sent at once, and nobody waits for it."""

from __future__ import annotations

import base64
import json
import time

import pytest
import redis
from django.conf import settings as project
from django.db import transaction
from kombu.exceptions import EncodeError

from apps import messaging
from apps.messaging import broker
from apps.messaging.conf import limits

QUEUE = "plain"


@pytest.fixture
def messages():
    with redis.Redis.from_url(project.BROKER_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


def read(client):
    """Return the headers, the properties and the arguments of the only message."""
    assert client.llen(QUEUE) == 1
    message = json.loads(client.rpop(QUEUE))
    body = json.loads(base64.b64decode(message["body"]))
    return message["headers"], message["properties"], body[0]


def test_a_message_carries_its_arguments_and_need_not_survive_its_broker(messages):
    assert messaging.send("tests.tidy", 17, ["a"], queue=QUEUE)

    headers, properties, arguments = read(messages)
    assert headers["task"] == "tests.tidy"
    assert headers["ignore_result"] is True
    assert (headers["eta"], headers["expires"]) == (None, None)
    assert properties["delivery_mode"] == 1
    assert arguments == [17, ["a"]]


def test_a_message_may_be_for_later_and_may_become_pointless(messages):
    messaging.send("tests.tidy", queue=QUEUE, countdown=5, expires=60)

    headers, _, _ = read(messages)
    assert headers["eta"] < headers["expires"]


@pytest.mark.django_db
def test_a_message_does_not_wait_for_the_transaction(messages):
    with transaction.atomic():
        messaging.send("tests.tidy", queue=QUEUE)
        transaction.set_rollback(True)

    assert messages.llen(QUEUE) == 1


def test_a_broker_that_refuses_costs_nobody_a_wait(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    began = time.monotonic()

    assert not messaging.send("tests.tidy", queue=QUEUE, countdown=1)

    assert time.monotonic() - began < limits().broker_seconds
    assert broker.breaker.is_open


def test_while_the_breaker_is_open_a_message_is_lost_at_once(messages):
    assert not messaging.is_away()
    broker.breaker.trip()

    assert messaging.is_away()
    assert not messaging.send("tests.tidy", queue=QUEUE)

    assert messages.llen(QUEUE) == 0


def test_what_does_not_fit_into_json_is_the_mistake_of_the_caller(messages):
    with pytest.raises(EncodeError):
        messaging.send("tests.tidy", object(), queue=QUEUE)
