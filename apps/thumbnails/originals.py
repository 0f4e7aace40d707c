"""Originals as files of this machine, wherever the storage keeps them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import default_storage

from apps.thumbnails.workspace import workspace


class OriginalMissing(Exception):
    """The storage has lost the file that was to be developed."""


@contextlib.contextmanager
def local_original(name: str) -> Iterator[Path]:
    """Give the stored file itself, or a copy where the storage is elsewhere.

    Raises OriginalMissing; a FileNotFoundError of the block is the block's own.
    """
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:
        with workspace() as folder:
            path = folder / "original"
            try:
                remote = default_storage.open(name)
            except FileNotFoundError as error:
                raise OriginalMissing from error
            with remote, path.open("wb") as local:
                shutil.copyfileobj(remote, local)
            yield path
    else:
        if not path.is_file():
            raise OriginalMissing
        yield path
