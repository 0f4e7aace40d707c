"""Why a photo cannot be taken, or not be edited.

PhotoError
├── NotConfirmed
├── NotDeveloped
├── EditedMeanwhile
└── Refused
    ├── EmptyFile
    ├── FileTooLarge
    ├── TooManyFiles
    ├── NotAPicture
    └── AlreadyUploaded
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from apps.photos.models import Photo


class PhotoError(Exception):
    """Something about a photo that its owner has to know; `str()` is what they read."""


class NotConfirmed(PhotoError):
    """Only somebody whose address is confirmed publishes."""

    def __str__(self) -> str:
        return _("Confirm your address first: then you can publish.")


class NotDeveloped(PhotoError):
    """Only a picture that can be seen is edited."""

    def __str__(self) -> str:
        return _("This photo is not developed yet: its picture can be edited when it is.")


class EditedMeanwhile(PhotoError):
    """Somebody has saved other edits since the form was drawn."""

    def __str__(self) -> str:
        return _(
            "The picture was edited elsewhere in the meantime. Look at it as it is now, and save "
            "again if yours is better."
        )


class Refused(PhotoError):
    """One file is not taken, and why."""


class EmptyFile(Refused):
    """A file without a single byte."""

    def __str__(self) -> str:
        return _("This file is empty.")


class FileTooLarge(Refused):
    """More bytes than PHOTO_MAX_BYTES."""

    def __str__(self) -> str:
        return _("This file is too large: at most %(size)s are taken.") % {
            "size": filesizeformat(settings.PHOTO_MAX_BYTES)
        }


class TooManyFiles(Refused):
    """More files in one upload than PHOTOS_PER_UPLOAD."""

    def __str__(self) -> str:
        count = settings.PHOTOS_PER_UPLOAD
        return ngettext(
            "At most %(count)d photo is taken at a time: send this one again.",
            "At most %(count)d photos are taken at a time: send this one again.",
            count,
        ) % {"count": count}


class NotAPicture(Refused):
    """The first bytes are those of no picture format that is taken."""

    def __str__(self) -> str:
        return _(
            "This is no picture of a kind that is taken: JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF."
        )


class AlreadyUploaded(Refused):
    """The owner has a photo with the same content: `photo`."""

    def __init__(self, photo: Photo) -> None:
        super().__init__()
        self.photo = photo

    def __str__(self) -> str:
        return _("You have uploaded this picture already: “%(photo)s”.") % {"photo": self.photo}
