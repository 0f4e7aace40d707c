"""The queue's side of accounts: which queue, which waits, and what is called."""

from __future__ import annotations

import logging
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings

from apps import messaging
from apps.accounts import processing, rendering
from apps.accounts.models import User

logger = logging.getLogger(__name__)

BULK = messaging.Priority.BULK
SOON = messaging.Backoff(first=5, limit=900, total=86400)


@messaging.job(
    queue="images",
    retry=SOON,
    # The darkroom keeps its own, shorter limit; this one is for what hangs around it.
    time_limit=2 * settings.PHOTO_MAX_SECONDS + 30,
    on_dead="apps.accounts.processing.give_up_avatar",
    about="person:{person_id}",
)
def make_avatar(*, person_id: int, original: str) -> None:
    processing.develop_avatar(person_id=person_id, original=original)


@messaging.job(queue="default", retry=SOON, priority=BULK)
def remove_avatar(*, original: str, key: str) -> None:
    processing.remove_files(original=original, key=key)


@messaging.job(queue="default", retry=SOON)
def write_confirmation(*, email: str) -> None:
    person = User.objects.unconfirmed().filter(email=email, is_active=True).first()
    if person is not None:
        rendering.ask_to_confirm(processing.address_of(person))


@messaging.job(queue="default", retry=SOON)
def write_new_password(*, email: str) -> None:
    person = User.objects.filter(email=email, is_active=True).first()
    if person is not None:
        rendering.offer_new_password(person)


@messaging.job(queue="default", retry=SOON, about="address:{address_id}")
def write_to_new_address(*, address_id: int) -> None:
    address = EmailAddress.objects.filter(pk=address_id, verified=False).first()
    if address is None:
        logger.info("address %d was given up while its letter waited", address_id)
        return
    processing.write_to_new_address(address)


@messaging.job(queue="default", retry=SOON, priority=BULK, every=timedelta(hours=1))
def forget_unconfirmed() -> None:
    if count := processing.forget_unconfirmed():
        logger.info("forgot %d people who never confirmed their address", count)
