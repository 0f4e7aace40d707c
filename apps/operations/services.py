"""The demo: people, their pictures, and what they say to each other.

Everything goes the way it goes for people: photos are uploaded, wait in the queue and are developed
by the image workers. What is there already is left alone, so it may be created at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

from django.contrib.auth.hashers import make_password
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.operations import tasks
from apps.operations.demo.cast import ADMIN, PASSWORD, PEOPLE, Person
from apps.operations.demo.catalogue import SHOTS, Shot
from apps.operations.exceptions import NameInUse
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import services as social

# Two pictures at a time: the library computes each with all cores, but the lines are Python.
AT_ONCE = 2
JOINED_BEFORE = timedelta(days=21)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Who may log in, and what there is now."""

    people: list[str]
    photos: int
    new_photos: int


class Studio(Protocol):
    """Who draws: passed in, as services are loaded where no image library may be."""

    def draw_shot(self, shot: Shot) -> Path: ...

    def draw_avatar(self, person: Person) -> Path: ...


def create_demo(*, studio: Studio, tell: Callable[[str], None] = lambda _: None) -> Demo:
    """Add what is missing of the demo.

    Raises NameInUse if somebody else has one of the names: nothing is done in their name.
    """
    people = {person.username: _find(person.username) for person in PEOPLE}
    _find(ADMIN)
    _join_admin()
    for person in PEOPLE:
        if people[person.username] is None:
            people[person.username] = _join(person, studio)
            tell(f"{person.name} joins")
    found = {name: user for name, user in people.items() if user}
    _follow(found)
    missing = [shot for shot in SHOTS if not _is_up(shot, found[shot.owner])]
    for shot, file in _drawn(missing, studio):
        _upload(shot, file, owner=found[shot.owner])
        tell(f"{shot.title}, by {found[shot.owner].name}")
    return Demo(people=list(found), photos=len(SHOTS), new_photos=len(missing))


def _address(username: str) -> str:
    return f"{username}@example.org"


def _find(username: str) -> User | None:
    """The person of the demo with this name. Raises NameInUse."""
    user = User.objects.named(username).first()
    if user is not None and user.email != _address(username):
        raise NameInUse(username)
    return user


@cache
def _hashed_password() -> str:
    """Slow by design, and the same for everybody."""
    return make_password(PASSWORD)


@transaction.atomic
def _make(username: str, **fields: object) -> User:
    user = User(
        username=username,
        email=_address(username),
        password=_hashed_password(),
        date_joined=timezone.now() - JOINED_BEFORE,
        **fields,
    )
    user.full_clean()
    user.save()
    accounts.confirm(person=user)
    return user


def _join(person: Person, studio: Studio) -> User:
    user = _make(person.username, display_name=person.name, bio=person.bio)
    with studio.draw_avatar(person).open("rb") as file:
        accounts.change_avatar(person=user, upload=File(file, name=f"{person.username}.jpg"))
    return user


def _join_admin() -> None:
    if _find(ADMIN) is None:
        _make(ADMIN, is_staff=True, is_superuser=True)


def _follow(people: dict[str, User]) -> None:
    for person in PEOPLE:
        for name in person.follows:
            social.follow_person(follower=people[person.username], followed=people[name])


def _is_up(shot: Shot, owner: User) -> bool:
    return Photo.objects.filter(owner=owner, original_name=shot.file_name).exists()


def _drawn(shots: list[Shot], studio: Studio) -> Iterator[tuple[Shot, Path]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files = pool.map(studio.draw_shot, shots)
        yield from zip(shots, files, strict=True)


@transaction.atomic
def _upload(shot: Shot, file: Path, *, owner: User) -> None:
    with file.open("rb") as original:
        photo = photos.upload_photo(
            owner=owner,
            original=File(original, name=shot.file_name),
            title=shot.title,
            description=shot.words,
            alt=shot.alt,
        )
    tasks.liven_up.delay(photo_id=str(photo.pk), slug=shot.slug)
