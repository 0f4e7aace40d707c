"""What somebody does to a picture. It is kept beside the original, which never changes.

The order is fixed: the picture is turned, then cropped, then its tones are changed. The values are
those of a person's controls; what they mean for pixels is in `darkroom/editing.py`.
"""

from __future__ import annotations

from typing import Any

import msgspec

FULL_TURN = 4
TONE = 100
# A stripe of two hundred pixels of a photo is still a picture; less is a slip of the finger.
SMALLEST_CROP = 0.05
_DIGITS = 4


class Crop(msgspec.Struct, frozen=True, kw_only=True):
    """What remains of a picture, as shares of its sides after it was turned."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            # The same crop has one name, whatever arithmetic it comes from.
            msgspec.structs.force_setattr(self, name, round(getattr(self, name), _DIGITS))
        slack = 10**-_DIGITS
        is_inside = (
            self.left >= 0
            and self.top >= 0
            and self.left + self.width <= 1 + slack
            and self.top + self.height <= 1 + slack
        )
        if not is_inside:
            raise ValueError("a crop lies inside the picture")
        if min(self.width, self.height) < SMALLEST_CROP:
            raise ValueError("a crop leaves something to look at")

    def fitted(self, ratio: float, *, whole: float) -> Crop:
        """The largest crop of that ratio of the sides in the middle of this one.

        `whole` is the ratio (width by height) of the picture that is cropped.
        """
        share = ratio / whole
        width = min(self.width, self.height * share)
        height = width / share
        return Crop(
            left=self.left + (self.width - width) / 2,
            top=self.top + (self.height - height) / 2,
            width=width,
            height=height,
        )


class Edits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a picture is to look. Without arguments: as it was sent."""

    turns: int = 0
    """Quarters of a turn to the right."""
    crop: Crop | None = None
    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    warmth: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.turns < FULL_TURN:
            raise ValueError("a picture is turned by none to three quarters")
        tones = (self.brightness, self.contrast, self.saturation, self.warmth)
        if not all(-TONE <= tone <= TONE for tone in tones):
            raise ValueError(f"a tone is changed by {-TONE} to {TONE}")

    @classmethod
    def read(cls, stored: object) -> Edits:
        """Read what `as_json` returned. Raises msgspec.ValidationError."""
        return msgspec.convert(stored, cls)

    def as_json(self) -> dict[str, Any]:
        """What a row or a message keeps: only what differs from the picture as it was sent."""
        return dict(msgspec.to_builtins(self))

    @property
    def name(self) -> str:
        """What tells these edits from all others; "" for none."""
        return msgspec.json.encode(self).decode() if self != NO_EDITS else ""

    def whole_ratio(self, width: int, height: int) -> float:
        """The ratio of the upright original that became a picture of that size."""
        if self.crop is not None:
            ratio = (width / self.crop.width) / (height / self.crop.height)
        else:
            ratio = width / height
        return 1 / ratio if self.turns % 2 else ratio


NO_EDITS = Edits()
