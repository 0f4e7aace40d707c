"""The worker's side: avatars, letters that ask who owns an address, those who never confirmed.

An avatar is known by the name of its original, which is never used twice: every write asks for
that name, so that a job of an avatar that was replaced meanwhile changes nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from apps import caching, messaging, thumbnails
from apps.accounts import rendering
from apps.accounts.models import User, UserQuerySet

logger = logging.getLogger(__name__)

RECIPE = thumbnails.Recipe(name="a1", squares=(96, 320), edges=())
_UNFINISHED = (User.AvatarState.QUEUED, User.AvatarState.DEVELOPING)


def develop_avatar(*, person_id: int, original: str) -> None:
    """Make the squares of an avatar; a picture that cannot be read ends as failed, with a reason.

    Raises messaging.Temporary where another time may do better.
    """
    if not _begin(person_id, original):
        logger.info("avatar %s needs no development", original)
        return
    key = _key(person_id, original)
    files: dict[str, str] = {}
    try:
        with thumbnails.workspace() as folder, thumbnails.local_original(original) as source:
            for step in thumbnails.develop(
                source,
                folder,
                RECIPE,
                seconds=settings.PHOTO_MAX_SECONDS,
                pixels=settings.PHOTO_MAX_PIXELS,
                have=thumbnails.published(key),
            ):
                files = thumbnails.publish(step, key)
    except thumbnails.Refused as refusal:
        if not refusal.is_final:
            raise messaging.Temporary(str(refusal)) from refusal
        _fail(person_id, original, refusal.code)
    except thumbnails.OriginalMissing:
        logger.warning("avatar %s has lost its original", original)
        _fail(person_id, original, thumbnails.Reason.INTERRUPTED)
    else:
        _keep(person_id, original, files)


def give_up_avatar(job: messaging.Job) -> None:
    """The queue has given the job up: say so where another picture can be chosen."""
    arguments = job.arguments
    _fail(arguments["person_id"], arguments["original"], thumbnails.Reason.INTERRUPTED)


def remove_files(*, original: str, key: str) -> None:
    """Remove an original and a set of renditions, each if it has a name. Twice is once."""
    if original:
        default_storage.delete(original)
    if key:
        thumbnails.unpublish(key)


def address_of(person: User) -> EmailAddress:
    """Return the address row of a person, which those have not who came by another way."""
    address, _ = EmailAddress.objects.get_or_create(
        user=person, email=person.email, defaults={"primary": True}
    )
    return address


def write_to_new_address(address: EmailAddress) -> None:
    """Ask whether the address is theirs; or, if it is another person's, tell that person."""
    owner = User.objects.filter(email=address.email).exclude(pk=address.user_id).first()
    if owner is None:
        rendering.ask_to_confirm_change(address)
    else:
        rendering.tell_owner_of_change(owner)


def forget_unconfirmed() -> int:
    """Delete those who never confirmed: their name and their address are free again."""
    before = timezone.now() - timedelta(days=settings.UNCONFIRMED_DAYS)
    late = User.objects.unconfirmed().filter(date_joined__lt=before, is_staff=False)
    count = 0
    for person in late.iterator():
        with transaction.atomic():
            # Asked again under a lock: the letter may be opened at this very moment.
            row = late.select_for_update().filter(pk=person.pk).first()
            if row is None:
                continue
            # They own nothing else: nobody publishes who is not confirmed.
            remove_files(original=row.avatar_name, key=row.avatar_key)
            row.delete()
            count += 1
    return count


def _avatars(person_id: int, original: str) -> UserQuerySet:
    return User.objects.filter(pk=person_id, avatar_original=original)


@transaction.atomic
def _begin(person_id: int, original: str) -> bool:
    unfinished = _avatars(person_id, original).filter(avatar_state__in=_UNFINISHED)
    return bool(unfinished.update(avatar_state=User.AvatarState.DEVELOPING))


@transaction.atomic
def _fail(person_id: int, original: str, reason: str) -> None:
    unfinished = _avatars(person_id, original).filter(avatar_state__in=_UNFINISHED)
    if unfinished.update(avatar_state=User.AvatarState.FAILED, avatar_reason=reason):
        logger.info("avatar %s failed: %s", original, reason)


def _keep(person_id: int, original: str, files: dict[str, str]) -> None:
    """Show the new avatar and take the old one away; or this one, if it was replaced meanwhile."""
    key = _key(person_id, original)
    with transaction.atomic():
        row = _avatars(person_id, original).select_for_update().first()
        outdated = key if row is None else row.avatar_key
        if row is not None:
            row.avatar_state, row.avatar_reason = User.AvatarState.READY, ""
            row.avatar_renditions = files
            row.save(update_fields=["avatar_state", "avatar_reason", "avatar_renditions"])
            caching.changed(row)
            caching.invalidate("people")
            messaging.publish("user.changed", {"user": person_id})
    if outdated and outdated != (row and key):
        thumbnails.unpublish(outdated)


def _key(person_id: int, original: str) -> str:
    # The name stands for the content: every upload gets a new one.
    return thumbnails.make_key(about=f"avatar:{person_id}", sha256=original, recipe=RECIPE)
