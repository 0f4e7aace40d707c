"""RabbitMQ's quorum queues, and messages that are none of ours."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from amqp import Connection
from amqp.exceptions import PreconditionFailed
from celery import current_app
from django.conf import settings

from apps.messaging import Job, bell, broker
from tests.support import jobs
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def states():
    return sorted(Job.objects.values_list("state", flat=True))


@pytest.fixture
def rabbitmq(rabbitmq_server, use_broker):
    use_broker(rabbitmq_server.url)
    return rabbitmq_server


def declare(server, queue, **arguments):
    with Connection(f"127.0.0.1:{server.port}") as connection:
        return connection.channel().queue_declare(
            queue, durable=True, auto_delete=False, arguments=arguments
        )


@pytest.mark.rabbitmq
def test_web_and_workers_declare_the_same_quorum_queue(rabbitmq, hurried, seen):
    jobs.write_line.delay(path=str(seen), line="hello")

    assert declare(rabbitmq, "default", **{"x-queue-type": "quorum"}).message_count == 1
    with pytest.raises(PreconditionFailed):
        declare(rabbitmq, "default")

    worker = hurried("default", BROKER_URL=rabbitmq.url)
    wait_until(lambda: states() == ["done"])
    assert "PRECONDITION" not in worker.log.read_text()


@pytest.mark.rabbitmq
def test_no_worker_declares_queues_for_messages_that_nobody_sends(rabbitmq, hurried, seen):
    hurried("default", BROKER_URL=rabbitmq.url)
    jobs.write_line.delay(path=str(seen), line="hello")
    wait_until(lambda: states() == ["done"])

    with Connection(f"127.0.0.1:{rabbitmq.port}") as connection:
        from amqp.exceptions import NotFound

        with pytest.raises(NotFound):
            connection.channel().queue_declare("celery_delayed_0", passive=True)


@pytest.mark.rabbitmq
def test_a_queue_of_an_older_release_is_named_with_the_way_out(rabbitmq, hurried, seen, caplog):
    declare(rabbitmq, "default")

    jobs.write_line.delay(path=str(seen), line="hello")

    assert "rabbitmqctl delete_queue" in caplog.text
    assert states() == ["queued"]

    with Connection(f"127.0.0.1:{rabbitmq.port}") as connection:
        connection.channel().queue_delete("default")
    broker.breaker.reset()
    hurried("default", BROKER_URL=rabbitmq.url)
    wait_until(lambda: states() == ["done"])


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def url(request, use_broker):
    if request.param == "redis":
        return settings.BROKER_URL
    server = request.getfixturevalue("rabbitmq")
    return server.url


STRANGERS: list[tuple[object, dict[str, object]]] = [
    ({"no": "task"}, {"serializer": "json"}),
    ([["x"], {}, {}], {"serializer": "json", "headers": {"task": "messaging.run", "id": "1"}}),
    (
        [[], {"job_id": {}}, {}],
        {"serializer": "json", "headers": {"task": "messaging.run", "id": "2"}},
    ),
    ([[1], {}, {}], {"serializer": "json", "headers": {"task": "nobody.knows", "id": "3"}}),
    (
        b"cos\nsystem\n.",
        {"content_type": "application/x-python-serialize", "content_encoding": "binary"},
    ),
]


def test_messages_that_are_none_of_ours_are_dropped_and_the_others_flow(url, hurried, seen):
    with broker.connect(seconds=30) as connection:
        queue: Any = broker.queue_named("default", connection)
        publish: Any = connection.Producer().publish
        for body, options in STRANGERS:
            publish(body, exchange="", routing_key="default", declare=[queue], **options)
    jobs.write_line.delay(path=str(seen), line="hello")

    worker = hurried("default", BROKER_URL=url)
    wait_until(lambda: states() == ["done"])
    wait_until(lambda: bell.depth("default") == 0)
    jobs.write_line.delay(path=str(seen), line="again")
    wait_until(lambda: states() == ["done"] * 2)

    log = worker.log.read_text()
    assert log.count("a malformed bell was dropped") == 2
    assert worker.is_running()


def test_what_is_no_message_at_all_costs_the_worker_nothing(hurried, seen):
    worker = hurried("default")
    garbage = [b"\x00 no message \xff", b"{}", b"[]", b"17", b'{"properties": 1, "body": {}}']
    with redis.Redis.from_url(settings.BROKER_URL) as client:
        client.lpush("default", *garbage)
    jobs.write_line.delay(path=str(seen), line="hello")

    wait_until(lambda: states() == ["done"])

    assert worker.log.read_text().count("what is no message was dropped") == len(garbage)
    assert worker.is_running()


@pytest.mark.rabbitmq
def test_receipts_are_asked_for_where_no_row_backs_a_message(rabbitmq):
    line = broker.connect(seconds=5)

    assert line.transport_options
    assert line.transport_options["confirm_publish"] is False
    assert current_app.conf.task_publish_retry is False
