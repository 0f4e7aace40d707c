"""Two releases at work beside each other, as for a while at every deployment."""

from __future__ import annotations

import pytest

from apps.messaging import Job
from tests.support.later.greetings import greet, part
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def start(request, use_broker, hurried):
    """Start a worker of a release, on either broker."""
    variables = {}
    if request.param == "rabbitmq":
        variables["BROKER_URL"] = request.getfixturevalue("rabbitmq_server").url
        use_broker(variables["BROKER_URL"])

    def start_release(name):
        return hurried(
            "default", options=("--include", f"tests.support.{name}.greetings"), **variables
        )

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
