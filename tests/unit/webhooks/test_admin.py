from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.webhooks import services
from apps.webhooks.models import Delivery, Webhook
from tests.support.messaging import run_jobs
from tests.support.webhooks import make_webhook

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]
LIST = "admin:webhooks_webhook_changelist"
LOG = "admin:webhooks_delivery_changelist"


def act(client, name, *chosen, page=LIST):
    data = {"action": name, "_selected_action": [one.pk for one in chosen]}
    return client.post(reverse(page), data, follow=True).content.decode()


def test_a_webhook_is_added_and_its_secret_shown_once(admin_client):
    data = {"name": "newsroom", "url": "https://example.org/hook", "pattern": "photo.*"}

    page = admin_client.post(reverse("admin:webhooks_webhook_add"), data, follow=True)

    secret = Webhook.objects.get().secret
    assert secret in page.content.decode()
    assert secret not in admin_client.get(reverse(LIST)).content.decode()


def test_an_address_of_nowhere_is_refused_with_a_reason(admin_client, public):
    data = {"name": "newsroom", "url": "https://10.0.0.1/", "pattern": "#"}

    page = admin_client.post(reverse("admin:webhooks_webhook_add"), data).content.decode()

    assert "not on the public internet" in page
    assert not Webhook.objects.exists()


def test_it_is_changed_paused_resumed_pinged_and_deleted(admin_client, receiver):
    webhook = make_webhook(receiver.url)
    change = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
    admin_client.post(change, {"name": "desk", "url": receiver.url, "pattern": "user.*"})
    webhook.refresh_from_db()
    assert (webhook.name, webhook.pattern) == ("desk", "user.*")

    act(admin_client, "pause", webhook)
    webhook.refresh_from_db()
    assert "admin" in webhook.paused_because
    act(admin_client, "resume", webhook)
    act(admin_client, "ping", webhook)
    run_jobs()
    assert len(receiver.told) == 1
    old = webhook.secret
    page = act(admin_client, "rotate_secret", webhook)
    webhook.refresh_from_db()
    assert webhook.secret != old
    assert webhook.secret in page

    admin_client.post(reverse("admin:webhooks_webhook_delete", args=[webhook.pk]), {"post": "yes"})
    assert not Webhook.objects.exists()


def test_the_log_shows_what_was_said_and_sends_it_again(admin_client, receiver):
    receiver.answer(500, "out of paper")
    webhook = make_webhook(receiver.url)
    services.announce("photo.published", {"id": "0191"})
    run_jobs()
    made = Delivery.objects.get()

    page = admin_client.get(reverse("admin:webhooks_delivery_change", args=[made.pk]))

    assert "0191" in page.content.decode()
    assert "It answered 500." in page.content.decode()
    Delivery.objects.update(state="failed")
    assert "1 delivery is queued." in act(admin_client, "redeliver", made, page=LOG)
    assert webhook.deliveries.get().state == "queued"


def test_the_command_does_what_the_admin_does(capsys, receiver):
    call_command("webhooks", "add", "newsroom", receiver.url, "--topics", "photo.*", "--json")
    assert Webhook.objects.get().secret in capsys.readouterr().out
    pk = str(Webhook.objects.get().pk)

    for words in (["list"], ["ping", pk], ["pause", pk], ["resume", pk], ["secret", pk],
                  ["rotate", pk], ["log", pk]):  # fmt: skip
        call_command("webhooks", *words)
        assert capsys.readouterr().out

    run_jobs()
    made = Delivery.objects.get()
    call_command("webhooks", "redeliver", str(made.uuid))
    call_command("webhooks", "remove", pk)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "words",
    [["ping", "17"], ["add", "x", "gopher://x"], ["redeliver", "nonsense"],
     ["redeliver", "00000000-0000-0000-0000-000000000000"]],
)  # fmt: skip
def test_the_command_says_what_is_wrong(words):
    with pytest.raises(CommandError):
        call_command("webhooks", *words)
