"""Folders for work in hand, which a worker that was killed cannot leave lying about for ever."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """Give an empty folder for one picture, removed at the end of the block.

    A worker that is killed leaves its folder behind, but not the lock on it, which the kernel
    drops: each call first removes the folders that nobody holds, whoever left them.
    """
    shelf = (parent or Path(tempfile.gettempdir())) / f"safelight-darkroom-{os.getuid()}"
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shelf.lstat().st_uid != os.getuid():
        raise PermissionError(f"{shelf} belongs to somebody else")
    # Held while sweeping, so that nobody sees our folder between its making and its lock.
    with _held(shelf):
        _sweep(shelf)
        folder = Path(tempfile.mkdtemp(dir=shelf))
        lock = _hold(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(shelf: Path) -> None:
    for folder in shelf.iterdir():
        with contextlib.suppress(BlockingIOError, FileNotFoundError), _held(folder, wait=False):
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    lock = _hold(folder, wait=wait)
    try:
        yield
    finally:
        os.close(lock)


def _hold(folder: Path, *, wait: bool = True) -> int:
    """Return a descriptor that holds the lock of a folder; BlockingIOError if another does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
