"""A real worker calls a real service: no event is lost, whatever dies."""

from __future__ import annotations

import json

import pytest

from apps.webhooks import services
from apps.webhooks.models import Delivery
from tests.support.messaging import make_due
from tests.support.wait import wait_until
from tests.support.webhooks import Receiver, is_signed, make_webhook

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
HASTE = {
    "JOB_LEASE_SECONDS": "2",
    "JOB_SWEEP_SECONDS": "0.2",
    "JOB_RING_AGAIN_SECONDS": "1",
    "WEBHOOKS_ALLOW_PRIVATE_NETWORKS": "true",
}


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


def all_delivered():
    make_due()
    return set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_every_event_arrives_signed_though_the_worker_is_killed(worker, receiver):
    receiver.hang()
    webhook = make_webhook(receiver.url)
    first = worker("webhooks", **HASTE)
    for number in range(10):
        services.announce("photo.published", {"number": number})
    wait_until(lambda: receiver.told)  # it hangs in the first

    first.kill()
    worker("webhooks", **HASTE)
    wait_until(all_delivered, seconds=30)

    numbers = {json.loads(told.body)["data"]["number"] for told in receiver.told}
    assert numbers == set(range(10))
    # Twice only what hung when its worker was killed, and then with the same id.
    assert len({told.headers["Webhook-Id"] for told in receiver.told}) == 10
    assert len(receiver.told) == 11
    assert all(is_signed(told, webhook.secret) for told in receiver.told)
