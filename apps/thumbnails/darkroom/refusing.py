"""How the darkroom says no."""

from __future__ import annotations

import re

# As libvips, libspng, libjpeg, libwebp, libheif and glib put it (which finds no room for the stack
# of a thread). Some of them also speak of memory when a file is merely broken.
_OUT_OF_MEMORY = re.compile(
    r"out[ _]of[ _]memory|insufficient memory|memory allocation error(?!: security)|bad_alloc"
    r"|failed to allocate \d|picture memory error|error creating thread",
    re.IGNORECASE,
)


class Refusal(Exception):
    """The picture is refused; `code` is one of `refusals.Reason`, `detail` is for the log."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def refusal_of(error: Exception) -> Refusal:
    """Judge an error that a decoder raised."""
    text = str(error).strip()
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(text):
        return Refusal("too_much_memory", text)
    return Refusal("damaged", text)
