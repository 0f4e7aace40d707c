"""Renditions in their public place: one folder per set, named so that nobody can guess it.

The name of a set is made from what it is a picture of, so that work done twice ends in the same
files, and with the site's secret, so that holding a file tells nobody whether the site has it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.crypto import salted_hmac

from apps.thumbnails.edits import NO_EDITS, Edits
from apps.thumbnails.pictures import FirstLight, Recipe

_ALIAS = "renditions"
# 160 bits: as unguessable as the session key beside it.
_DIGITS = 40


def make_key(*, about: str, sha256: str, recipe: Recipe, edits: Edits = NO_EDITS) -> str:
    """Return the key of a set: its folder in the storage, `<recipe>/<k[:2]>/<k>`.

    `about` names the thing the picture belongs to ("photo:<uuid>"), so that two people who send
    the same file have sets of their own; `sha256` is that of the original.
    """
    content = "\n".join(filter(None, (about, sha256, recipe.name, edits.name)))
    secret = salted_hmac("safelight.renditions", content, algorithm="sha256")
    digits = secret.hexdigest()[:_DIGITS]
    return f"{recipe.name}/{digits[:2]}/{digits}"


def published(key: str) -> set[str]:
    """Return the names of the renditions that a set has: what `develop` takes as `have`."""
    with suppress(FileNotFoundError):
        _, files = storage().listdir(key)
        return {name for name in files if not name.startswith(".")}
    return set()


def publish(step: FirstLight, key: str) -> dict[str, str]:
    """Put the renditions of a step into their place; return their storage names by name.

    Each file is there whole or not at all. Doing it again, or twice at once, changes nothing.
    """
    names = {rendition.name: f"{key}/{rendition.name}" for rendition in step.renditions}
    for rendition in step.renditions:
        if rendition.path is not None:
            _put(storage(), names[rendition.name], rendition.path)
    return names


def unpublish(key: str) -> None:
    """Remove a set; one that is gone already is fine."""
    place = storage()
    folder = _local(place, key)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for name in published(key):
        place.delete(f"{key}/{name}")


def storage() -> Storage:
    return storages[_ALIAS]


def _put(place: Storage, name: str, source: Path) -> None:
    if place.exists(name):
        return
    target = _local(place, name)
    if target is not None:
        _put_file(target, source)
        return
    with source.open("rb") as file:  # S3 and the like show an object when all of it has arrived
        place.save(name, File(file))


def _local(place: Storage, name: str) -> Path | None:
    """Return where a name lies on this machine, or None if the storage is elsewhere."""
    return Path(place.path(name)) if isinstance(place, FileSystemStorage) else None


def _put_file(target: Path, source: Path) -> None:
    """Copy by way of a file beside the target: FileSystemStorage would write in plain sight."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(source.read_bytes())
            os.fchmod(descriptor, 0o644)
            file.flush()
            os.fsync(descriptor)  # or a power cut could leave an empty file of the final name
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
