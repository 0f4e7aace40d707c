"""Why a picture was not developed, in words for its owner."""

from __future__ import annotations

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(StrEnum):
    """The codes to keep in a row; `explain` turns one into a sentence in the reader's language."""

    NOT_A_PICTURE = "not_a_picture"
    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_FRAMES = "too_many_frames"
    TOO_COMPLEX = "too_complex"
    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"


_SENTENCES: dict[Reason, Promise] = {
    Reason.NOT_A_PICTURE: _(
        "This is not a picture that we can read. Please send a JPEG, PNG, WebP, GIF, TIFF, HEIC "
        "or AVIF file."
    ),
    Reason.UNSUPPORTED: _(
        "This is a raw or unusual kind of picture. Please export it as a JPEG and send that."
    ),
    Reason.DAMAGED: _(
        "The file is damaged or incomplete. Please check that it opens on your device, and send "
        "it again."
    ),
    Reason.TOO_MANY_PIXELS: _(
        "The picture has more pixels than this site accepts. Please send a smaller copy."
    ),
    Reason.TOO_MANY_FRAMES: _(
        "The animation has too many frames. Please send a shorter one or a still picture."
    ),
    Reason.TOO_COMPLEX: _(
        "The file is built in an unusual way that takes too long to open. Please save it again "
        "with a picture editor and send that."
    ),
    Reason.TOO_SLOW: _("The picture took too long to open. Please send a smaller or simpler copy."),
    Reason.TOO_MUCH_MEMORY: _(
        "The picture needs more memory than this site allows. Please send a smaller copy."
    ),
    Reason.CRASHED: _(
        "The file made our picture reader fail. Please save it again with a picture editor and "
        "send that."
    ),
    Reason.INTERRUPTED: _("The work on this picture was interrupted. Please try again."),
}


def reason_of(code: str) -> Reason:
    """Return the reason with that code; a code we do not know counts as a crash."""
    return Reason(code) if code in set(Reason) else Reason.CRASHED


def explain(code: str) -> str:
    """Return the sentence for a code that a row kept, in the language now active."""
    return str(_SENTENCES[reason_of(code)])


class Refused(Exception):
    """The picture was not developed: `code` says why, `message` says it to its owner.

    `is_final` is false when the picture is not to blame: its process was killed from outside, or
    the machine was too busy to give it its time. Trying again later is then worth while.
    `detail` is for the log.
    """

    def __init__(self, code: Reason, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.detail = detail

    @property
    def message(self) -> str:
        return explain(self.code)

    @property
    def is_final(self) -> bool:
        return self.code is not Reason.INTERRUPTED


class EngineFailed(RuntimeError):
    """The darkroom itself is broken (a missing library, a bug): no verdict on the picture."""
