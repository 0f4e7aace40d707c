"""Send a picture to the darkroom and pass on what comes back.

Every picture gets a process of its own, which may crash, loop or eat its memory: the worker that
waits for it turns each of these into a refusal and goes on. docs/benchmarks.md has its price.
Forking the worker instead would put the connections of the database and the broker, the secret
key and Celery's locks into the one process that is meant to be attacked.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Collection, Iterator
from pathlib import Path
from stat import S_ISREG

import msgspec

from apps.thumbnails import pictures
from apps.thumbnails.edits import NO_EDITS, Edits
from apps.thumbnails.isolation import Ended, OutOfTime, isolated
from apps.thumbnails.refusals import EngineFailed, Reason, Refused, reason_of

_MEMORY = 1536 * 1024 * 1024
# What a process does to itself; anything else was done to it.
_OWN_FAULT = frozenset({
    signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGTRAP,
    signal.SIGSYS,
})  # fmt: skip
# What glib and the C++ runtime say before they abort for it.
_LACK_OF_MEMORY = re.compile(r"failed to allocate|bad_alloc|out of memory", re.IGNORECASE)
_decode = msgspec.json.Decoder(pictures.WireLine).decode


def develop(  # noqa: PLR0913 - a picture, a place, two recipes and three limits
    source: Path,
    into: Path,
    recipe: pictures.Recipe,
    *,
    seconds: float,
    pixels: int,
    edits: Edits = NO_EDITS,
    memory: int = _MEMORY,
    have: Collection[str] = (),
) -> Iterator[pictures.FirstLight]:
    """Yield `FirstLight` as soon as the small sizes are there, then `Developed`.

    Writes the renditions into the folder `into` (see `workspace`). Those named in `have` exist
    already and are not made again. Raises Refused, possibly after first light, and EngineFailed
    or OSError if no verdict on the picture could be had. Leaving the generator early, or the end
    of this process in any way, ends the picture's process.
    """
    request = {
        "parent": os.getpid(),
        "source": str(source.resolve(strict=True)),
        "into": str(into.resolve(strict=True)),
        "recipe": recipe,
        # Whole: the darkroom knows no defaults.
        "edits": msgspec.structs.asdict(edits),
        "have": list(have),
        "pixels": pixels,
        "seconds": max(1, round(seconds)),
        "memory": memory,
    }
    with isolated(msgspec.json.encode(request), folder=into, seconds=seconds) as darkroom:
        try:
            for line in darkroom.lines():
                step = _step(line, into, recipe)
                yield step
                if isinstance(step, pictures.Developed):
                    return
        except OutOfTime as late:
            raise _judge(late.ended, seconds) from None
        raise _judge(darkroom.wait(), seconds)


def _step(line: bytes, into: Path, recipe: pictures.Recipe) -> pictures.FirstLight:
    """Return what a line says, or raise Refused if it says no."""
    try:
        said = _decode(line)
    except msgspec.MsgspecError as error:
        raise EngineFailed(f"the darkroom said {line[:200]!r}: {error}") from error
    if isinstance(said, pictures.WireRefusal):
        raise Refused(reason_of(said.code), said.detail)
    kind = pictures.Developed if isinstance(said, pictures.WireDeveloped) else pictures.FirstLight
    return kind(
        format=said.format,
        width=said.width,
        height=said.height,
        placeholder=said.placeholder,
        thumbhash=said.thumbhash,
        camera=said.camera,
        renditions=[_rendition(made, into, recipe) for made in said.renditions],
    )


def _rendition(
    said: pictures.WireRendition, into: Path, recipe: pictures.Recipe
) -> pictures.Rendition:
    sizes = (*recipe.squares, *recipe.edges)
    asked = {f"{size}.{extension}" for size in sizes for extension in recipe.extensions}
    if said.name not in asked:
        raise EngineFailed(f"the darkroom made {said.name!r}, which nobody asked for")
    rendition = pictures.Rendition(name=said.name, width=said.width, height=said.height)
    if not said.made:
        return rendition
    path = into / said.name
    # Not followed: a link could make us publish any file of ours.
    about = path.lstat() if os.path.lexists(path) else None
    if about is None or not S_ISREG(about.st_mode):
        raise EngineFailed(f"the darkroom made {said.name!r}, which is not a file")
    return msgspec.structs.replace(rendition, path=path, bytes=about.st_size)


def _judge(ended: Ended, seconds: float) -> Exception:
    """Return what to raise for a process that ended without having said all."""
    detail = f"exit code {ended.code} after {ended.cpu:.1f} s: {ended.stderr[-300:]}"
    if ended.code >= 0:
        return EngineFailed(detail)
    if -ended.code in _OWN_FAULT:
        is_memory = _LACK_OF_MEMORY.search(ended.stderr)
        return Refused(Reason.TOO_MUCH_MEMORY if is_memory else Reason.CRASHED, detail)
    # Killed, by us when its time was over or by somebody else. The picture is to blame only if
    # it had at least half of the time it was promised: the machine may just have been busy.
    is_slow = -ended.code == signal.SIGXCPU or ended.cpu >= seconds / 2
    return Refused(Reason.TOO_SLOW if is_slow else Reason.INTERRUPTED, detail)
