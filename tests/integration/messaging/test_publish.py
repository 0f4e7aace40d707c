"""News for whoever listens, over real brokers."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from django.db import transaction

from apps import messaging
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@contextmanager
def listening(pattern):
    """The list of what a subscriber in a thread hears, once it hears."""
    heard: list[messaging.Event] = []
    stop = threading.Event()

    def listen():
        for event in messaging.subscribe(pattern, stop=stop):
            heard.append(event)  # noqa: PERF402  as they come

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def publish_until_heard(heard, topic="warm.up"):
    """Publish until a subscriber hears: one that connects later missed what came before."""

    def again():
        messaging.publish(topic, {})
        return [event for event in heard if event.topic == topic]

    wait_until(again)


def others(heard):
    return [(event.topic, event.payload) for event in heard if event.topic != "warm.up"]


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def any_broker(request, use_broker):
    if request.param == "rabbitmq":
        use_broker(request.getfixturevalue("rabbitmq_server").url)


def test_what_is_published_is_heard_by_all_who_listen(any_broker):
    with listening("#") as one, listening("#") as other:
        publish_until_heard(one)
        publish_until_heard(other)

        messaging.publish("photo.developed", {"photo": "abc"})
        wait_until(lambda: others(one) and others(other))

    assert others(one) == others(other) == [("photo.developed", {"photo": "abc"})]


def test_a_subscriber_hears_only_what_it_asked_for(any_broker):
    with listening("photo.*") as heard:
        publish_until_heard(heard, "photo.warm")

        messaging.publish("user.confirmed", {})
        messaging.publish("photo.liked", {"by": "ben"})
        wait_until(lambda: [event for event in heard if event.topic == "photo.liked"])

    assert {event.topic for event in heard} == {"photo.warm", "photo.liked"}


def test_nothing_is_published_before_or_without_the_commit():
    with listening("#") as heard:
        publish_until_heard(heard)

        with transaction.atomic():
            messaging.publish("photo.developed", {"photo": "never"})
            transaction.set_rollback(True)
        with transaction.atomic():
            messaging.publish("photo.developed", {"photo": "first"})
            assert others(heard) == []
        messaging.publish("photo.developed", {"photo": "second"})
        wait_until(lambda: len(others(heard)) == 2)

    assert [payload["photo"] for _, payload in others(heard)] == ["first", "second"]


def test_a_broker_that_is_down_fails_no_request(valkey_server, use_broker):
    use_broker(valkey_server.url(1))
    valkey_server.kill()

    messaging.publish("photo.developed", {"photo": "abc"})


def test_a_subscriber_survives_its_broker_and_says_that_it_missed_something(
    valkey_server, use_broker
):
    use_broker(valkey_server.url(1))
    with listening("photo.*") as heard:
        publish_until_heard(heard, "photo.warm")

        valkey_server.kill()
        valkey_server.start()
        wait_until(lambda: [event for event in heard if event.topic == "messaging.gap"])
        publish_until_heard(heard, "photo.again")


def test_who_stops_listening_leaves_nothing_behind(valkey_server, use_broker):
    import redis

    use_broker(valkey_server.url(1))
    with listening("#") as heard:
        publish_until_heard(heard)
    messaging.publish("photo.developed", {"photo": "abc"})

    with redis.Redis.from_url(valkey_server.url(1)) as client:
        assert list(client.scan_iter()) == []
        wait_until(lambda: client.pubsub_numpat() == 0)
