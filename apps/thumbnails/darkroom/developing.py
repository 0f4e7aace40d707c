"""The steps of one picture, in the order its viewers want them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pyvips

from apps.thumbnails.darkroom import editing, loading, rendering
from apps.thumbnails.darkroom.refusing import Refusal, refusal_of
from apps.thumbnails.darkroom.worker import Answer, Request

# One picture and out: a cache of operations would only hold memory.
pyvips.cache_set_max(0)


def prepare(source: Path) -> None:
    """Load what this picture needs beyond the usual: after this no library can be read."""
    if loading.recognise(source) == "heic":
        import_module("pillow_heif")  # forty milliseconds that other pictures are spared


def answers(request: Request) -> Iterator[Answer]:
    """Yield first light and then the whole set, or one refusal."""
    try:
        yield from _develop(request)
    except Refusal as refusal:
        yield {"step": "refused", "code": refusal.code, "detail": refusal.detail}
    except (pyvips.Error, MemoryError) as error:
        verdict = refusal_of(error)
        yield {"step": "refused", "code": verdict.code, "detail": verdict.detail}


def _develop(request: Request) -> Iterator[Answer]:
    recipe, edits = request["recipe"], request["edits"]

    def scale_needed(width: int, height: int) -> float:
        return rendering.scale_needed(recipe, *editing.remaining(edits, width, height))

    picture = loading.load(
        Path(request["source"]), pixels=request["pixels"], scale_needed=scale_needed
    )
    scale = scale_needed(picture.width, picture.height)
    size = rendering.fit(picture.width, picture.height, scale)
    work = rendering.working_copy(picture.image, *(reversed(size) if picture.is_turned else size))
    width, height = editing.remaining(edits, picture.width, picture.height)
    work = editing.apply(work, edits, size=rendering.fit(width, height, scale))
    whole = rendering.whole_prints(work, recipe, width, height)
    squares = rendering.square_prints([work, *whole.values()], recipe)
    smallest = min(whole, default=None)
    impression = work if smallest is None else whole[smallest]
    about: Answer = {
        "format": picture.format,
        "width": width,
        "height": height,
        "camera": picture.camera,
        "placeholder": rendering.placeholder(impression),
        "thumbhash": rendering.impression(impression),
    }
    small = squares if smallest is None else squares | {smallest: whole.pop(smallest)}
    made = _make(small, request)
    yield {"step": "first_light", **about, "renditions": made}
    yield {"step": "developed", **about, "renditions": made + _make(whole, request)}


def _make(prints: dict[int, pyvips.Image], request: Request) -> list[Answer]:
    """Write the renditions that the caller does not have yet, smallest first."""
    made: list[Answer] = []
    for label, image in sorted(prints.items()):
        for extension in request["recipe"]["extensions"]:
            name = f"{label}.{extension}"
            is_new = name not in request["have"]
            if is_new:
                data = rendering.encode(image, extension, request["recipe"])
                Path(request["into"], name).write_bytes(data)
            made.append(
                {"name": name, "width": image.width, "height": image.height, "made": is_new}
            )
    return made
