"""Pictures made small: safe decoding, renditions, placeholders. It knows no photo of ours.

    with thumbnails.workspace() as folder:
        for step in thumbnails.develop(source, folder, recipe, seconds=45, pixels=60_000_000):
            names = thumbnails.publish(step, key)     # first light, then the whole set

No image library is imported by this process: `develop` starts one of its own for each picture.
"""

from __future__ import annotations

from apps.thumbnails.development import develop
from apps.thumbnails.edits import NO_EDITS, SMALLEST_CROP, TONE, Crop, Edits
from apps.thumbnails.formats import FORMATS, HEAD_BYTES, Format, sniff
from apps.thumbnails.originals import OriginalMissing, local_original
from apps.thumbnails.pictures import Camera, Developed, FirstLight, Recipe, Rendition
from apps.thumbnails.publishing import make_key, publish, published, unpublish
from apps.thumbnails.refusals import EngineFailed, Reason, Refused, explain
from apps.thumbnails.workspace import workspace

__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "NO_EDITS",
    "SMALLEST_CROP",
    "TONE",
    "Camera",
    "Crop",
    "Developed",
    "Edits",
    "EngineFailed",
    "FirstLight",
    "Format",
    "OriginalMissing",
    "Reason",
    "Recipe",
    "Refused",
    "Rendition",
    "develop",
    "explain",
    "local_original",
    "make_key",
    "publish",
    "published",
    "sniff",
    "unpublish",
    "workspace",
]
