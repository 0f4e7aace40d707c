"""One call, to a real server: what is sent, and what may come back."""

from __future__ import annotations

import json
import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.webhooks import delivery, services
from apps.webhooks.exceptions import Forbidden, NoAnswer, Refused
from apps.webhooks.models import Delivery, Webhook
from tests.support.webhooks import is_signed, make_webhook

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


def make_delivery(url, **payload):
    webhook = make_webhook(url)
    return Delivery.objects.create(webhook=webhook, topic="photo.published", payload=payload)


def test_a_service_is_told_what_happened(receiver):
    made = make_delivery(receiver.url, id="17", title="Nebel über dem See")

    answer = delivery.post(made)

    (told,) = receiver.told
    assert answer.status == 204
    assert told.path == "/hook"
    assert told.headers["Content-Type"] == "application/json"
    event = json.loads(told.body)
    assert event["type"] == "photo.published"
    assert event["data"] == {"id": "17", "title": "Nebel über dem See"}
    assert event["timestamp"].startswith(str(timezone.now().year))


def test_a_call_is_signed_over_id_time_and_body(receiver):
    made = make_delivery(receiver.url)

    delivery.post(made)

    (told,) = receiver.told
    assert is_signed(told, made.webhook.secret)
    assert not is_signed(told._replace(body=told.body + b" "), made.webhook.secret)
    for header in ("Webhook-Id", "Webhook-Timestamp"):
        forged = told._replace(headers={**told.headers, header: "1"})
        assert not is_signed(forged, made.webhook.secret)


def test_every_webhook_has_a_secret_of_its_own(receiver):
    assert make_webhook(receiver.url).secret != make_webhook(receiver.url).secret


def test_the_same_event_has_the_same_id_at_each_attempt(receiver):
    made = make_delivery(receiver.url)

    delivery.post(made)
    delivery.post(made)

    first, second = receiver.told
    assert first.headers["Webhook-Id"] == second.headers["Webhook-Id"]


def test_after_a_rotation_both_secrets_count_for_a_while(receiver):
    made = make_delivery(receiver.url)
    old = made.webhook.secret

    new = services.rotate_secret(webhook=made.webhook)

    made.webhook.refresh_from_db()
    delivery.post(made)
    assert is_signed(receiver.told[0], old)
    assert is_signed(receiver.told[0], new)
    Webhook.objects.update(rotated_at=timezone.now() - timedelta(days=3))
    made.webhook.refresh_from_db()
    delivery.post(made)
    assert not is_signed(receiver.told[1], old)
    assert is_signed(receiver.told[1], new)


def test_a_former_key_of_the_site_still_signs(receiver, settings):
    made = make_delivery(receiver.url)
    old = made.webhook.secret
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 8

    delivery.post(made)

    assert is_signed(receiver.told[0], old)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500, 503])
def test_a_status_that_is_no_success_is_a_refusal(receiver, status):
    receiver.answer(status, Location=receiver.url)

    with pytest.raises(Refused, match=f"It answered {status}"):
        delivery.post(make_delivery(receiver.url))

    assert len(receiver.told) == 1  # a redirect is not followed


@pytest.mark.parametrize(
    ("status", "asked", "wait"),
    [(429, "30", 30), (503, "999999", 3600), (503, "tomorrow", None), (400, "30", None)],
)
def test_a_busy_service_may_ask_for_patience_within_reason(receiver, status, asked, wait):
    receiver.answer(status, Retry_After=asked)

    with pytest.raises(Refused) as refused:
        delivery.post(make_delivery(receiver.url))

    assert refused.value.wait == wait


def test_a_long_answer_is_read_in_part(receiver):
    receiver.answer(200, "x" * 1_000_000 + "\0")

    assert len(delivery.post(make_delivery(receiver.url)).text) == delivery.ANSWER_BYTES


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_service_that_takes_its_time_is_cut_off(receiver, how):
    getattr(receiver, how)()

    with pytest.raises(NoAnswer, match="longer than"):
        delivery.post(make_delivery(receiver.url), seconds=0.3)


def test_nobody_there_is_no_answer():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer, match="ConnectionRefused"):
            delivery.post(make_delivery(f"http://127.0.0.1:{bound.getsockname()[1]}/"))


def test_a_service_without_a_certificate_is_not_told(receiver):
    with pytest.raises(NoAnswer, match="SSL"):
        delivery.post(make_delivery(receiver.url.replace("http:", "https:")))

    assert receiver.told == []


def test_what_does_not_speak_http_is_no_answer(receiver):
    receiver.replies.append(lambda request: request.wfile.write(b"220 mail ready\r\n\r\n"))

    with pytest.raises(NoAnswer):
        delivery.post(make_delivery(receiver.url))


def test_the_private_network_is_not_called(receiver, settings):
    made = make_delivery(receiver.url.replace("http:", "https:"))
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": False}

    with pytest.raises(Forbidden, match="not public"):
        delivery.post(made)


def test_plain_http_is_not_called_on_the_internet(receiver, settings):
    made = make_delivery(receiver.url)
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": False}

    with pytest.raises(Forbidden, match="not https"):
        delivery.post(made)


def test_one_private_address_among_public_ones_forbids_the_name(settings, monkeypatch):
    made = make_delivery("https://example.org/")
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": False}
    resolve_to(monkeypatch, "93.184.215.14", "10.0.0.1")

    with pytest.raises(Forbidden):
        delivery.post(made)


def test_a_name_that_resolves_to_something_else_later_gains_nothing(settings, monkeypatch):
    """The connection goes to the address that was checked: nobody asks for the name again."""
    made = make_delivery("https://rebinding.example/")
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": False}
    resolve_to(monkeypatch, "93.184.215.14")
    connected = []

    def create_connection(address, timeout):
        connected.append(address)
        raise OSError("enough")

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with pytest.raises(NoAnswer):
        delivery.post(made)

    assert connected == [("93.184.215.14", 443)]


def test_a_name_that_nobody_has_is_no_answer():
    with pytest.raises(NoAnswer, match="cannot be resolved"):
        delivery.post(make_delivery("http://nobody.invalid/"))


def test_letters_of_the_world_travel_in_a_request_line(receiver):
    delivery.post(make_delivery(f"{receiver.url}/ä?q=ö"))

    assert receiver.told[0].path == "/hook/%C3%A4?q=%C3%B6"


def resolve_to(monkeypatch, *addresses):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
