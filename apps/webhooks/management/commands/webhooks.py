from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from apps.webhooks import services
from apps.webhooks.models import Delivery, Webhook

LOG_LINES = 50


class Command(BaseCommand):
    help = (
        "See and steer the services outside that are told what happens here. "
        "Exits with 1 when something asked for is not there or not allowed, with 2 on wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        # The parsers below are made of the class of this one, which asks for more by itself.
        words = parser.add_subparsers(dest="word", required=True, parser_class=ArgumentParser)
        together = ArgumentParser(add_help=False)
        together.add_argument("--json", action="store_true", help="print one JSON document")
        one = ArgumentParser(add_help=False, parents=[together])
        one.add_argument("webhook", type=int, metavar="ID")
        words.add_parser("list", parents=[together], help="who is told what")
        add = words.add_parser("add", parents=[together], help="tell a service; shows its secret")
        add.add_argument("name")
        add.add_argument("url", metavar="URL")
        add.add_argument("--topics", default="#", metavar="PATTERN", help="photo.*; default: all")
        words.add_parser("remove", parents=[one], help="tell it no more, forget its deliveries")
        words.add_parser("secret", parents=[one], help="show the secret that receivers check with")
        words.add_parser("rotate", parents=[one], help="a new secret; both count for two days")
        words.add_parser("ping", parents=[one], help="send a test event")
        words.add_parser("pause", parents=[one], help="hold what there is for it")
        words.add_parser("resume", parents=[one], help="send what was held, and go on")
        words.add_parser("log", parents=[one], help=f"its last {LOG_LINES} deliveries")
        again = words.add_parser("redeliver", parents=[together], help="send deliveries again")
        again.add_argument("delivery", nargs="+", metavar="UUID")

    def handle(self, *args: Any, **options: Any) -> None:
        document = getattr(self, f"_{options['word']}")(options)
        if options["json"]:
            self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder))
            return
        for row in document if isinstance(document, list) else [document]:
            self.stdout.write("  ".join(f"{value}" for value in row.values() if value is not None))

    def _list(self, options: dict[str, Any]) -> list[dict[str, object]]:
        return [_described(webhook) for webhook in Webhook.objects.all()]

    def _add(self, options: dict[str, Any]) -> dict[str, object]:
        try:
            webhook = services.add_webhook(
                name=options["name"], url=options["url"], pattern=options["topics"]
            )
        except ValidationError as error:
            problems = error.message_dict.items()
            said = "; ".join(f"{field}: {' '.join(words)}" for field, words in problems)
            raise CommandError(said) from error
        return {**_described(webhook), "secret": webhook.secret}

    def _remove(self, options: dict[str, Any]) -> dict[str, object]:
        webhook = _find(options)
        described = _described(webhook)
        services.delete_webhook(webhook=webhook)
        return described

    def _secret(self, options: dict[str, Any]) -> dict[str, object]:
        return {"secret": _find(options).secret}

    def _rotate(self, options: dict[str, Any]) -> dict[str, object]:
        return {"secret": services.rotate_secret(webhook=_find(options))}

    def _ping(self, options: dict[str, Any]) -> dict[str, object]:
        return {"delivery": services.ping(webhook=_find(options)).uuid}

    def _pause(self, options: dict[str, Any]) -> dict[str, object]:
        services.pause(webhook=_find(options), because="by command")
        return _described(_find(options))

    def _resume(self, options: dict[str, Any]) -> dict[str, object]:
        sent = services.resume(webhook=_find(options))
        return {**_described(_find(options)), "sent": sent}

    def _log(self, options: dict[str, Any]) -> list[dict[str, object]]:
        deliveries = _find(options).deliveries.all()[:LOG_LINES]
        names = ["created_at", "uuid", "topic", "state", "attempts", "status", "answer"]
        return [{name: getattr(one, name) for name in names} for one in deliveries]

    def _redeliver(self, options: dict[str, Any]) -> dict[str, object]:
        try:
            chosen = list(Delivery.objects.filter(uuid__in=options["delivery"]))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if len(chosen) < len(set(options["delivery"])):
            raise CommandError("There is no such delivery.")
        return {"queued": services.redeliver(deliveries=chosen)}


def _find(options: dict[str, Any]) -> Webhook:
    webhook = Webhook.objects.filter(pk=options["webhook"]).first()
    if webhook is None:
        raise CommandError(f"There is no webhook {options['webhook']}: see `webhooks list`.")
    return webhook


def _described(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.pk,
        "name": webhook.name,
        "url": webhook.url,
        "topics": webhook.pattern,
        "state": f"paused: {webhook.paused_because}" if webhook.paused_at else "active",
        "failing_since": webhook.failing_since,
    }
