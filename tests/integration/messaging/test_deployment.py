"""Two releases at work beside each other, as for a while at every deployment."""

from __future__ import annotations

import pytest

from apps.messaging import Job
from apps.messaging.batches import sender
from tests.support.later.greetings import Met, greet, part, remember
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def start(request, use_broker, hurried):
    """Start a worker of a release, on either broker."""
    variables = {"EVENT_REDELIVER_SECONDS": "1"}
    if request.param == "rabbitmq":
        variables["BROKER_URL"] = request.getfixturevalue("rabbitmq_server").url
        use_broker(variables["BROKER_URL"])

    def start_release(name, queue="default"):
        return hurried(queue, options=("--include", f"tests.support.{name}.greetings"), **variables)

    return start_release


def errors():
    return {job.task: job.error for job in Job.objects.filter(failures__gte=1)}


def test_what_the_earlier_release_does_not_know_waits_for_the_later(start, seen):
    earlier = start("earlier")
    greet.delay(path=str(seen), name="Ada")
    part.delay(path=str(seen))
    wait_until(lambda: len(errors()) == 2)
    assert errors()["greetings.part"] == "No task is called greetings.part here."
    assert "unexpected keyword argument 'name'" in errors()["greetings.greet"]

    start("later")
    earlier.ask_to_stop()
    assert earlier.wait_dead(30)
    greet.hurry(path=str(seen), name="Ada")
    part.hurry(path=str(seen))
    wait_until(lambda: not Job.objects.exclude(state="done").exists())

    assert sorted(seen.read_text().splitlines()) == ["Farewell", "Hello, Ada"]


def test_events_that_the_earlier_release_does_not_know_are_folded_by_the_later(start, seen, events):
    earlier = start("earlier", "events")
    for name in ("Ada", "Ben"):
        remember.emit(Met(path=str(seen), name=name))
    assert sender.flush(seconds=60)
    wait_until(lambda: "events of greetings.met wait" in earlier.log.read_text())
    assert seen.read_text() == ""

    start("later", "events")
    earlier.ask_to_stop()
    assert earlier.wait_dead(30)
    wait_until(lambda: len(seen.read_text().splitlines()) == 2)

    assert sorted(seen.read_text().splitlines()) == ["Met Ada", "Met Ben"]
