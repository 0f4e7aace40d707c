"""Photos for tests: rows as development leaves them, and files as a camera writes them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import User
from apps.photos.models import Photo
from tests.support.accounts import make_user
from tests.support.pictures import Format, make_picture

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIZES = {
    "96": (96, 96),
    "320": (320, 320),
    "640": (640, 427),
    "1280": (1280, 853),
    "2048": (2048, 1365),
}
_numbers = itertools.count(1)


def make_photo(owner: User | None = None, *, state: str = "ready", **fields: Any) -> Photo:
    """Store a photo: developed and published, unless the test is about that. No file is made.

    Each is published an hour after the one before, so the newest is the one made last.
    """
    number = next(_numbers)
    digest = fields.setdefault("sha256", sha256(str(number).encode()).hexdigest())
    fields.setdefault("original", f"{digest[:2]}/{digest}.jpeg")
    fields.setdefault("original_name", f"dsc{number:04}.jpg")
    fields.setdefault("bytes", 1000 + number)
    fields.setdefault("format", "jpeg")
    if state == "ready":
        fields.setdefault("width", 3000)
        fields.setdefault("height", 2000)
        fields.setdefault("renditions", make_renditions(number))
        fields.setdefault("published_at", NOON + timedelta(hours=number))
    if state == "failed":
        fields.setdefault("reason", "damaged")
    return Photo.objects.create(owner=owner or make_user(), state=state, **fields)


def make_renditions(number: int = 1) -> dict[str, dict[str, object]]:
    """Return what the row of a developed photo says of its sizes."""
    key = f"1/{number % 256:02x}/{number:040x}"
    return {
        f"{label}.{suffix}": {"file": f"{key}/{label}.{suffix}", "width": width, "height": height}
        for label, (width, height) in SIZES.items()
        for suffix in ("webp", "jpg")
    }


def make_original(
    name: str = "harbour.jpg",
    *,
    kind: Format = "jpeg",
    size: tuple[int, int] = (64, 48),
    content: bytes | None = None,
    **picture: Any,
) -> SimpleUploadedFile:
    """Return a file to upload; each differs from the last, unless its `content` is given."""
    if content is None:
        # Bytes behind the end of a picture are not looked at, and make it another file.
        content = make_picture(kind, size=size, **picture) + f"#{next(_numbers)}".encode()
    return SimpleUploadedFile(name, content, f"image/{kind}")


def files_of(folder: Path) -> list[str]:
    """Return the files below a folder, by their paths in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
