from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.messaging import Job
from apps.webhooks import processing, services
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.selectors import list_subscribers
from tests.support.caching import trace
from tests.support.messaging import make_due, run_jobs
from tests.support.webhooks import make_webhook

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]
NOWHERE = "http://127.0.0.1:9/"


def states():
    return sorted(Delivery.objects.values_list("state", flat=True))


def test_who_wants_a_topic_is_told_of_it(receiver):
    make_webhook(receiver.url, pattern="photo.*")
    make_webhook(NOWHERE, pattern="user.#")

    services.announce("photo.published", {"id": "17"})

    (job,) = run_jobs()
    (made,) = Delivery.objects.all()
    assert job.state == Job.State.DONE
    assert (made.state, made.status, made.attempts) == (Delivery.State.DELIVERED, 204, 1)
    assert len(receiver.told) == 1


def test_what_is_taken_back_is_told_to_nobody(receiver):
    make_webhook(receiver.url)

    with transaction.atomic():
        services.announce("photo.published", {})
        transaction.set_rollback(True)

    assert not Job.objects.exists()


def test_a_site_without_webhooks_asks_no_database():
    list_subscribers("photo.published")

    with trace() as seen:
        services.announce("photo.published", {})

    assert [query for query in seen.queries if "webhooks" in query] == []


def test_a_change_of_the_webhooks_is_seen_by_the_next_event():
    assert list_subscribers("photo.published") == []

    webhook = make_webhook(NOWHERE)
    assert list_subscribers("photo.published") == [webhook.pk]
    webhook.pattern = "user.*"
    services.edit_webhook(webhook=webhook)
    assert list_subscribers("photo.published") == []
    webhook.pattern = "#"
    services.edit_webhook(webhook=webhook)
    services.pause(webhook=webhook, because="a test")
    assert list_subscribers("photo.published") == []
    services.resume(webhook=webhook)
    assert list_subscribers("photo.published") == [webhook.pk]
    services.delete_webhook(webhook=webhook)
    assert list_subscribers("photo.published") == []


def test_a_refusal_is_tried_again_later(receiver):
    receiver.answer(500, "out of paper")
    webhook = make_webhook(receiver.url)
    services.announce("photo.published", {})

    (job,) = run_jobs()
    assert (job.state, job.due_at > timezone.now()) == (Job.State.QUEUED, True)
    webhook.refresh_from_db()
    assert webhook.failing_since is not None
    make_due()
    run_jobs()

    webhook.refresh_from_db()
    assert states() == ["delivered"]
    assert webhook.failing_since is None
    assert Delivery.objects.get().attempts == 2


def test_one_that_is_gone_is_paused_at_once(receiver):
    receiver.answer(410)
    webhook = make_webhook(receiver.url)
    services.announce("photo.published", {})

    run_jobs()

    webhook.refresh_from_db()
    assert webhook.paused_at is not None
    assert "410" in webhook.paused_because
    assert states() == ["failed"]
    assert services.announce("photo.published", {}) == 0


def test_one_that_fails_for_days_is_paused(receiver):
    receiver.answer(500)
    webhook = make_webhook(receiver.url)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=3, hours=1))
    services.announce("photo.published", {})

    run_jobs()

    webhook.refresh_from_db()
    assert webhook.paused_at is not None


def test_what_was_queued_is_held_while_paused_and_sent_afterwards(receiver):
    webhook = make_webhook(receiver.url)
    services.announce("photo.published", {})
    services.pause(webhook=webhook, because="a test")
    run_jobs()
    assert (states(), receiver.told) == (["held"], [])

    assert services.resume(webhook=webhook) == 1

    run_jobs()
    assert states() == ["delivered"]
    assert services.resume(webhook=webhook) == 0


def test_a_test_event_is_sent_whatever_it_wants_and_while_it_is_paused(receiver):
    webhook = make_webhook(receiver.url, pattern="photo.*")
    services.pause(webhook=webhook, because="a test")

    made = services.ping(webhook=webhook)

    run_jobs()
    made.refresh_from_db()
    assert (made.topic, made.state) == ("webhook.pinged", Delivery.State.DELIVERED)


def test_an_address_that_is_not_called_ends_at_once(settings):
    make_webhook(NOWHERE)
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": False}
    services.announce("photo.published", {})

    (job,) = run_jobs()

    assert job.state == Job.State.DEAD
    assert states() == ["failed"]
    assert "not https" in Delivery.objects.get().answer


def test_deliveries_can_be_sent_again(receiver):
    make_webhook(receiver.url)
    services.announce("photo.published", {})
    run_jobs()

    assert services.redeliver(deliveries=Delivery.objects.all()) == 1
    assert services.redeliver(deliveries=Delivery.objects.all()) == 0  # it is under way

    run_jobs()
    first, second = receiver.told
    assert first.headers["Webhook-Id"] == second.headers["Webhook-Id"]


def test_a_service_that_hangs_leaves_room_for_others(receiver):
    webhook = make_webhook(receiver.url)
    services.announce("photo.published", {})

    with processing._turn(webhook.pk):
        (job,) = run_jobs()

    assert (job.state, job.error) == (Job.State.QUEUED, "Others are being called.")
    assert receiver.told == []


def test_a_webhook_that_is_deleted_takes_its_log_along():
    webhook = make_webhook(NOWHERE)
    services.announce("photo.published", {})

    services.delete_webhook(webhook=webhook)

    (job,) = run_jobs()
    assert job.state == Job.State.DONE
    assert not Delivery.objects.exists()


def test_old_calls_are_forgotten_but_not_those_that_wait():
    make_webhook(NOWHERE)
    for state in ("delivered", "failed", "held", "queued"):
        services.announce("photo.published", {})
        Delivery.objects.filter(state="queued").update(state=state)
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))

    assert processing.prune() == 2
    assert states() == ["held", "queued"]


@pytest.mark.parametrize(
    "wrong", [{"url": "gopher://x"}, {"pattern": "("}, {"name": ""}, {"name": "n" * 101}]
)
def test_a_webhook_with_something_wrong_is_not_added(wrong):
    with pytest.raises(ValidationError):
        services.add_webhook(**{"name": "newsroom", "url": NOWHERE, **wrong})

    assert not Webhook.objects.exists()
