"""What the controls of the editor say, and what is made of it."""

from __future__ import annotations

import pytest

from apps.photos.forms import PictureForm
from apps.photos.models import Photo
from apps.thumbnails import NO_EDITS, Crop, Edits
from tests.support.photos import make_photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def photo() -> Photo:
    """One of 3000 x 2000 pixels."""
    return make_photo()


def edits_of(photo: Photo, **data: object) -> Edits:
    form = PictureForm(data, photo=photo)
    assert form.is_valid(), form.errors
    edits: Edits = form.cleaned_data["edits"]
    return edits


def test_an_empty_form_changes_nothing(photo: Photo) -> None:
    assert edits_of(photo) == NO_EDITS


def test_the_form_shows_what_the_owner_wants_of_the_picture(photo: Photo) -> None:
    crop = Crop(left=0.125, top=0, width=0.5, height=0.75)
    photo.wanted_edits = Edits(turns=1, crop=crop, warmth=-20).as_json()
    photo.edits_version = 4

    initial = PictureForm(photo=photo).initial

    assert (initial["turns"], initial["warmth"], initial["contrast"]) == (1, -20, 0)
    assert (initial["crop_left"], initial["crop_width"], initial["crop_height"]) == (12.5, 50, 75)
    assert initial["version"] == 4


@pytest.mark.parametrize(
    "edits",
    [
        NO_EDITS,
        Edits(turns=3, brightness=100),
        Edits(crop=Crop(left=0, top=0.5, width=1, height=0.5)),
    ],
)
def test_what_the_form_shows_is_what_it_says_when_nobody_touches_it(
    edits: Edits, photo: Photo
) -> None:
    photo.edits = edits.as_json()

    assert edits_of(photo, **PictureForm(photo=photo).initial) == edits


def test_a_crop_that_reaches_beyond_an_edge_ends_there(photo: Photo) -> None:
    crop = edits_of(photo, crop_left=40, crop_top=10, crop_width=100, crop_height=100).crop

    assert crop == Crop(left=0.4, top=0.1, width=0.6, height=0.9)


@pytest.mark.parametrize(
    ("turns", "crop"),
    [
        (0, Crop(left=0.1667, top=0, width=0.6667, height=1)),
        (1, Crop(left=0, top=0.1667, width=1, height=0.6667)),
    ],
)
def test_a_shape_is_one_of_the_picture_as_it_lies_after_turning(
    turns: int, crop: Crop, photo: Photo
) -> None:
    assert edits_of(photo, turns=turns, shape="1:1").crop == crop


def test_a_shape_is_not_led_astray_by_the_edits_that_pages_show(photo: Photo) -> None:
    # It was 3000 x 4000 when it came.
    photo.edits = Edits(turns=1, crop=Crop(left=0, top=0, width=0.75, height=2 / 3)).as_json()

    crop = edits_of(photo, shape="1:1").crop

    assert crop == Crop(left=0, top=0.125, width=1, height=0.75)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"brightness": 101}, "brightness"),
        ({"turns": 4}, "turns"),
        ({"turns": "left"}, "turns"),
        ({"shape": "1:0"}, "shape"),
        ({"crop_left": -1}, "crop_left"),
        ({"crop_width": 4}, "crop_width"),
        ({"crop_height": "nan"}, "crop_height"),
        ({"version": -1}, "version"),
        ({"crop_left": 97}, "__all__"),
        ({"crop_width": 5, "shape": "9:16", "crop_height": 5}, "__all__"),
    ],
)
def test_what_makes_no_picture_is_refused_at_its_control(
    data: dict[str, object], field: str, photo: Photo
) -> None:
    assert set(PictureForm(data, photo=photo).errors) == {field}


def test_only_an_edited_picture_can_be_reverted(photo: Photo) -> None:
    assert not PictureForm(photo=photo).is_edited

    photo.wanted_edits = {"turns": 1}

    assert PictureForm(photo=photo).is_edited


def test_a_page_says_whether_its_picture_can_be_cropped_upon(photo: Photo) -> None:
    assert PictureForm(photo=photo).is_shown_whole

    photo.edits = Edits(crop=Crop(left=0, top=0, width=0.5, height=1)).as_json()

    assert not PictureForm(photo=photo).is_shown_whole
