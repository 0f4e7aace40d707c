"""What people can do about their accounts: every write."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.db.models.deletion import Collector
from django.utils import timezone

from apps import caching, messaging
from apps.accounts import rendering, tasks
from apps.accounts.exceptions import NameTaken
from apps.accounts.models import GHOST_DOMAIN, User
from apps.webhooks import services as webhooks


def sign_up(  # noqa: PLR0913 - the fields of the form
    *,
    username: str,
    email: str,
    password: str,
    language: str = "",
    avatar: File[bytes] | None = None,
    tell_owner: bool = True,
) -> User:
    """Store a person who has yet to confirm, and write the letter that asks them to.

    An address that has an owner already is not told from another, neither by the answer nor by
    its time nor by what is taken afterwards: the same rows are written. But the person is a
    ghost, without the address, to whom no letter leads; it leaves as all do who never confirm.
    The letter goes to the owner (unless not `tell_owner`: one in a while is enough).

    Raises NameTaken, and ValidationError for what no form would let pass.
    """
    hashed = make_password(password)  # slow by design, so before the transaction
    original = _store(avatar)
    person = User(username=username, email=email.lower(), password=hashed, language=language)
    if original:
        person.avatar_original.name, person.avatar_state = original, User.AvatarState.QUEUED
    try:
        with transaction.atomic():
            _sign_up(person, tell_owner=tell_owner)
    except BaseException:
        if original:
            default_storage.delete(original)
        raise
    return person


def _sign_up(person: User, *, tell_owner: bool) -> None:
    email = person.email
    owner = User.objects.filter(email=email).first()
    try:
        address = _insert(person, is_ghost=owner is not None)
    except IntegrityError as error:
        if User.objects.named(person.username).exists():
            raise NameTaken from error
        # Another sign-up with the same address committed since we looked.
        owner = User.objects.get(email=email)
        address = _insert(person, is_ghost=True)
    if owner is None:
        rendering.ask_to_confirm(address)
    elif tell_owner:
        rendering.tell_owner_of_sign_up(owner)


@transaction.atomic
def _insert(person: User, *, is_ghost: bool) -> EmailAddress:
    if is_ghost:
        person.email = f"{uuid4().hex}@{GHOST_DOMAIN}"
    # What is unique the database judges: anything asked before could be untrue a moment later.
    person.full_clean(validate_unique=False, validate_constraints=False)
    person.save(force_insert=True)
    if person.avatar_name:
        tasks.make_avatar.delay(person_id=person.pk, original=person.avatar_name)
    return EmailAddress.objects.create(user=person, email=person.email, primary=True)


@transaction.atomic
def confirm(*, person: User) -> None:
    """Note that the address is proved to be theirs. A second time changes nothing."""
    unconfirmed = User.objects.unconfirmed().filter(pk=person.pk)
    if not unconfirmed.update(confirmed_at=timezone.now()):
        return
    person.refresh_from_db(fields=["confirmed_at"])
    keep_address(person=person)
    _changed(person)
    messaging.publish("user.confirmed", {"user": person.pk})
    webhooks.announce("user.confirmed", person.as_event())


@transaction.atomic
def keep_address(*, person: User) -> None:
    """Let allauth know the address of a confirmed person who came another way than by sign-up."""
    if person.is_confirmed:
        EmailAddress.objects.update_or_create(
            user=person, email=person.email, defaults={"verified": True, "primary": True}
        )


@transaction.atomic
def change_address(*, person: User, email: str) -> EmailAddress:
    """Note the address that a person wants to have; it is theirs once they confirm it.

    What letter is written, and to whom, a worker finds out: the page knows no more of an address
    that has an owner than of another.
    """
    EmailAddress.objects.filter(user=person, verified=False).delete()
    address = EmailAddress.objects.create(user=person, email=email.lower())
    tasks.write_to_new_address.delay(address_id=address.pk)
    return address


@transaction.atomic
def ask_for_letter(*, email: str) -> None:
    """Write the confirmation letter anew, if somebody with this address waits for one."""
    tasks.write_confirmation.delay(email=email.lower())


@transaction.atomic
def ask_for_new_password(*, email: str) -> None:
    """Write the link to a new password, if this is somebody's address."""
    tasks.write_new_password.delay(email=email.lower())


@transaction.atomic
def set_password(*, person: User, password: str) -> None:
    """Replace the password: every session but the one that does it ends."""
    person.set_password(password)
    # Not the whole row: a worker may be writing the avatar at this moment.
    person.save(update_fields=["password"])


@transaction.atomic
def change_profile(*, person: User, display_name: str, bio: str, language: str) -> None:
    """Write what a person says about themselves. Raises ValidationError."""
    person.display_name = unicodedata.normalize("NFC", display_name).strip()
    person.bio = unicodedata.normalize("NFC", bio).strip()
    person.language = language
    person.full_clean(validate_unique=False, validate_constraints=False)
    person.save(update_fields=["display_name", "bio", "language"])
    _changed(person)


@transaction.atomic
def moderate(*, person: User, fields: Iterable[str]) -> None:
    """Write what an operator changed about a person. Raises ValidationError."""
    person.full_clean(validate_unique=False, validate_constraints=False)
    # Not the whole row: a worker may be writing the avatar at this moment.
    columns = {field.name for field in User._meta.concrete_fields}
    changed = columns.intersection(fields)
    person.save(update_fields=changed)
    _changed(person)
    if "is_active" in changed:
        # Lists and numbers of others leave out who was shut out.
        caching.changed(*_rows_about(person))


def change_avatar(*, person: User, upload: File[bytes]) -> None:
    """Store a new avatar and queue its development; the one before is shown until then."""
    original = _store(upload)
    try:
        with transaction.atomic():
            row = User.objects.select_for_update().get(pk=person.pk)
            before = row.avatar_name
            row.avatar_original.name = original
            row.avatar_state, row.avatar_reason = User.AvatarState.QUEUED, ""
            row.save(update_fields=["avatar_original", "avatar_state", "avatar_reason"])
            tasks.make_avatar.delay(person_id=row.pk, original=original)
            if before:
                tasks.remove_avatar.delay(original=before, key="")
    except BaseException:
        default_storage.delete(original)
        raise
    person.refresh_from_db(fields=["avatar_original", "avatar_state", "avatar_reason"])


@transaction.atomic
def remove_avatar(*, person: User) -> None:
    """Take the avatar away, from pages at once and from the storage soon after."""
    row = User.objects.select_for_update().get(pk=person.pk)
    _forget_files(row)
    row.avatar_original.name, row.avatar_renditions = "", {}
    row.avatar_state, row.avatar_reason = User.AvatarState.NONE, ""
    fields = ["avatar_original", "avatar_renditions", "avatar_state", "avatar_reason"]
    row.save(update_fields=fields)
    person.refresh_from_db(fields=fields)
    _changed(person)


@transaction.atomic
def delete_account(*, person: User) -> None:
    """Delete a person and all that is theirs, in every app; files follow after the commit."""
    row = User.objects.select_for_update().get(pk=person.pk)
    _forget_files(row)
    _changed(row)
    caching.changed(*_rows_about(row))
    row.delete()


def _rows_about(person: User) -> Iterator[models.Model]:
    """Yield every row that refers to a person and that a page may show: those of a cascade.

    Which tables refer to people is not for this app to know: the apps above it do.
    """
    collector = Collector(using=person._state.db or "default", origin=person)  # noqa: SLF001
    collector.collect([person])
    rows = chain(*collector.data.values(), *collector.fast_deletes)
    return (row for row in rows if hasattr(row, "cache_tags"))


def _forget_files(person: User) -> None:
    original, key = person.avatar_name, person.avatar_key
    if original or key:
        tasks.remove_avatar.delay(original=original, key=key)


def _store(upload: File[bytes] | None) -> str:
    """Keep an upload under a name of its own, or return "" for none."""
    return default_storage.save(f"avatars/{uuid4().hex}", upload) if upload else ""


def _changed(person: User) -> None:
    """Everything that shows this person, and every list of people, is out of date at commit."""
    caching.changed(person)
    caching.invalidate("people")
