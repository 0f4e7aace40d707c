"""What somebody may do to a picture, and how it is kept."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.thumbnails import NO_EDITS, SMALLEST_CROP, Crop, Edits

HALF = Crop(left=0.25, top=0.25, width=0.5, height=0.5)
shares = st.floats(0, 1)
ratios = st.floats(0.2, 5)


def test_a_picture_without_edits_keeps_nothing_and_has_no_name() -> None:
    assert NO_EDITS.as_json() == {}
    assert NO_EDITS.name == ""
    assert Edits.read({}) == NO_EDITS


def test_edits_are_read_as_they_were_kept() -> None:
    edits = Edits(turns=3, crop=HALF, brightness=-100, warmth=100)

    stored = edits.as_json()

    assert stored == {
        "turns": 3,
        "crop": {"left": 0.25, "top": 0.25, "width": 0.5, "height": 0.5},
        "brightness": -100,
        "warmth": 100,
    }
    assert Edits.read(stored) == edits


def test_the_same_crop_has_one_name_whatever_arithmetic_it_comes_from() -> None:
    one = Crop(left=0.1 + 0.2, top=0, width=1 / 3, height=1)
    other = Crop(left=0.3, top=0, width=0.33333, height=1)

    assert Edits(crop=one).name == Edits(crop=other).name


@pytest.mark.parametrize(
    "stored",
    [
        {"turns": 4},
        {"turns": -1},
        {"turns": 0.5},
        {"brightness": 101},
        {"contrast": -101},
        {"warmth": "hot"},
        {"crop": {"left": 0, "top": 0, "width": 1}},
        {"crop": {"left": -0.1, "top": 0, "width": 1, "height": 1}},
        {"crop": {"left": 0.6, "top": 0, "width": 0.5, "height": 1}},
        {"crop": {"left": 0, "top": 0.6, "width": 1, "height": 0.5}},
        {"crop": {"left": 0, "top": 0, "width": 0.04, "height": 1}},
        {"crop": {"left": 0, "top": 0, "width": 1e308, "height": 1}},
        "a string",
    ],
)
def test_what_makes_no_picture_is_refused(stored: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        Edits.read(stored)


def test_a_crop_of_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="inside"):
        Crop(left=float("nan"), top=0, width=1, height=1)


def test_a_square_is_cut_from_the_middle_of_a_wide_picture() -> None:
    whole = Crop(left=0, top=0, width=1, height=1)

    assert whole.fitted(1, whole=2) == Crop(left=0.25, top=0, width=0.5, height=1)
    assert whole.fitted(1, whole=0.5) == Crop(left=0, top=0.25, width=1, height=0.5)


@given(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.3, 0.5), ratios, ratios)
def test_a_fitted_crop_has_the_shape_and_lies_in_the_one_before(
    left: float, top: float, side: float, ratio: float, whole: float
) -> None:
    crop = Crop(left=left, top=top, width=side, height=side)
    share = ratio / whole
    if side * min(share, 1 / share) <= SMALLEST_CROP:
        return

    fitted = crop.fitted(ratio, whole=whole)

    assert fitted.width * whole / fitted.height == pytest.approx(ratio, rel=0.01)
    assert fitted.left >= crop.left - 0.0002
    assert fitted.left + fitted.width <= crop.left + crop.width + 0.0002
    assert fitted.top + fitted.height <= crop.top + crop.height + 0.0002


@pytest.mark.parametrize(
    ("edits", "size"),
    [
        (NO_EDITS, (3000, 2000)),
        (Edits(turns=2), (3000, 2000)),
        (Edits(turns=1), (2000, 3000)),
        (Edits(crop=HALF), (1500, 1000)),
        (Edits(turns=3, crop=Crop(left=0, top=0, width=1, height=0.5)), (2000, 1500)),
    ],
)
def test_the_shape_of_the_original_is_known_from_what_became_of_it(
    edits: Edits, size: tuple[int, int]
) -> None:
    assert edits.whole_ratio(*size) == pytest.approx(1.5)
