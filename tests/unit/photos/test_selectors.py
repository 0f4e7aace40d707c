"""What pages read."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.utils import timezone, translation

from apps import live, thumbnails
from apps.accounts.models import User
from apps.photos import selectors, widgets
from apps.photos.models import Photo
from tests.support.accounts import make_user
from tests.support.photos import make_photo

pytestmark = pytest.mark.django_db


def details(**fields: object) -> selectors.PhotoDetails:
    return selectors.describe(make_photo(**fields))  # type: ignore[arg-type]


# --- Details --------------------------------------------------------------------------------------
def test_a_photo_is_called_by_its_title_or_not_at_all() -> None:
    assert details(title="Harbour").name == "Harbour"
    assert details().name == "Untitled"


def test_words_for_who_cannot_see_it_are_the_best_there_are() -> None:
    assert details(title="Harbour", alt="Boats").words == "Boats"
    assert details(title="Harbour").words == "Harbour"
    assert details().words == "Photo without a description"


def test_squares_are_not_among_the_sizes_of_the_whole_picture() -> None:
    photo = details()

    assert [part.split()[1] for part in photo.webp.split(", ")] == ["640w", "1280w", "2048w"]
    assert photo.jpeg.count("w") == photo.webp.count("w") - photo.webp.count("webp")
    assert photo.fallback is not None
    assert photo.fallback.width == 640
    assert photo.square is not None
    assert photo.square.width == 320


def test_a_tall_picture_has_its_true_widths() -> None:
    size = {"file": "1/aa/x/640.webp", "width": 427, "height": 640}

    assert details(renditions={"640.webp": size}).webp.endswith(" 427w")


@pytest.mark.parametrize(
    ("widths", "poster"), [([640], 640), ([640, 1280, 2048], 1280), ([427, 853, 1365], 1365)]
)
def test_other_sites_get_a_large_picture_but_not_the_largest(
    widths: list[int], poster: int
) -> None:
    renditions = {
        f"{edge}.jpg": {"file": f"{edge}.jpg", "width": width, "height": 640}
        for edge, width in zip((640, 1280, 2048), widths, strict=False)
    }

    size = details(renditions=renditions).poster

    assert size is not None
    assert size.width == poster


def test_a_photo_without_sizes_has_no_picture() -> None:
    photo = details(state="queued")

    assert (photo.webp, photo.fallback, photo.poster, photo.square, photo.stamp) == (
        "", None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Leica Camera AG", "LEICA Q2", "LEICA Q2"),
        ("NIKON CORPORATION", "NIKON Z 6", "NIKON Z 6"),
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("Canon", None, "Canon"),
        (None, "X100V", "X100V"),
        (None, None, ""),
    ],
)
def test_a_camera_is_not_called_by_its_maker_twice(
    make: str | None, model: str | None, name: str
) -> None:
    facts = {key: value for key, value in (("make", make), ("model", model)) if value}

    photo = details(camera=facts)

    assert photo.camera_name == name
    assert photo.has_facts is bool(name)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("original_missing", "lost"),
        ("given_up", "our side"),
        ("damaged", "damaged"),
        (thumbnails.Reason.TOO_SLOW, "too long"),
    ],
)
def test_every_reason_has_words(reason: str, words: str) -> None:
    assert words in details(state="failed", reason=reason).reason_text


def test_no_reason_has_no_words() -> None:
    assert details().reason_text == ""


def test_only_published_photos_are_kept_for_everybody() -> None:
    ready, hidden = make_photo(), make_photo(state="developing")

    assert selectors.find_details(pk=ready.pk) == selectors.describe(ready)
    assert selectors.find_details(pk=hidden.pk) is None
    assert selectors.find_details(pk=uuid.uuid4()) is None
    assert set(selectors.describe_many([ready.pk, hidden.pk])) == {ready.pk}


# --- Who may --------------------------------------------------------------------------------------
def test_fetching_and_permission_are_one_call() -> None:
    ada, cyd = make_user("ada"), make_user("cyd")
    ready, hidden = make_photo(ada), make_photo(ada, state="failed")

    assert selectors.get_visible_photo(viewer=None, pk=ready.pk) == ready
    assert selectors.get_editable_photo(viewer=ada, pk=hidden.pk) == hidden
    with pytest.raises(Photo.DoesNotExist):
        selectors.get_visible_photo(viewer=cyd, pk=hidden.pk)
    with pytest.raises(Photo.DoesNotExist):
        selectors.get_editable_photo(viewer=cyd, pk=hidden.pk)
    with pytest.raises(PermissionDenied):
        selectors.get_editable_photo(viewer=cyd, pk=ready.pk)


def test_a_twin_is_looked_for_among_ones_own() -> None:
    ada = make_user("ada")
    photo = make_photo(ada)

    assert selectors.find_twin(owner=ada, sha256=photo.sha256) == photo
    assert selectors.find_twin(owner=make_user(), sha256=photo.sha256) is None


def test_the_live_channel_lets_in_whom_the_page_lets_in() -> None:
    ada = make_user("ada")
    ready, hidden = make_photo(ada), make_photo(ada, state="developing")

    def listen(viewer: live.Viewer, name: object) -> bool:
        return selectors.may_listen(viewer=viewer, name=str(name))

    assert listen(AnonymousUser(), ready.pk)
    assert listen(ada, hidden.pk)
    assert not listen(make_user(), hidden.pk)
    assert not listen(AnonymousUser(), hidden.pk)
    assert not listen(ada, uuid.uuid4())
    assert not listen(ada, "no-uuid")


def test_the_live_channel_tells_what_the_state_address_tells() -> None:
    photo = make_photo()

    told = selectors.read_live_state(name=str(photo.pk))

    assert told == selectors.read_state(selectors.describe(photo))
    assert selectors.read_live_state(name=str(uuid.uuid4())) is None


# --- Popular, numbers -----------------------------------------------------------------------------
def test_popular_is_what_is_liked_most_of_what_is_new() -> None:
    now = timezone.now()
    first = make_photo(published_at=now - timedelta(days=1), like_count=5)
    second = make_photo(published_at=now - timedelta(days=6), like_count=3)
    make_photo(published_at=now, like_count=0)
    make_photo(published_at=now - timedelta(days=8), like_count=9)
    make_photo(state="failed", like_count=9)

    popular = selectors.list_popular(days=7)

    assert [pk for pk, _ in popular] == [first.pk, second.pk]


def test_popular_photos_are_few() -> None:
    for likes in range(1, 10):
        make_photo(published_at=timezone.now(), like_count=likes)

    assert len(selectors.list_popular()) == 6


def test_the_site_in_numbers_counts_what_everybody_sees() -> None:
    ada = make_user("ada")
    make_user(confirmed=False)
    make_user(is_active=False)
    make_photo(ada, like_count=2)
    make_photo(ada, like_count=3)
    make_photo(ada, state="failed", like_count=7)

    assert selectors.count_numbers() == selectors.Numbers(photos=2, people=1, likes=5)


def test_an_empty_site_has_numbers_too() -> None:
    assert selectors.count_numbers() == selectors.Numbers(photos=0, people=0, likes=0)


# --- Widgets --------------------------------------------------------------------------------------
def test_a_card_shows_picture_title_owner_and_likes() -> None:
    ada = make_user("ada", display_name="Ada")
    photo = make_photo(ada, title="Harbour", like_count=12)

    card = widgets.card((photo.pk, ada.pk))

    assert f'href="{photo.get_absolute_url()}"' in card
    assert "ratio-150" in card
    assert "Harbour" in card
    assert "Ada" in card
    assert "12" in card


def test_the_card_of_a_photo_that_is_gone_is_nothing() -> None:
    photo = make_photo()
    hidden = make_photo(state="developing")

    cards = widgets.card.each(
        [(photo.pk, photo.owner_id), (uuid.uuid4(), 1), (hidden.pk, hidden.owner_id)]
    )

    assert cards[0] != ""
    assert cards[1:] == ["", ""]


def test_titles_cannot_bring_markup_into_a_card() -> None:
    photo = make_photo(title="<script>alert(1)</script>")

    assert "<script>" not in widgets.card((photo.pk, photo.owner_id))


def test_a_card_whose_owner_leaves_while_it_is_made_is_empty(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(ada)
    entry, seen = (photo.pk, ada.pk), selectors.describe_many([photo.pk])
    ada.delete()
    monkeypatch.setattr(selectors, "describe_many", lambda _: seen)

    assert widgets.card(entry).strip() == ""


def test_nothing_popular_takes_no_room() -> None:
    assert widgets.popular().strip() == ""


def test_popular_shows_squares() -> None:
    photo = make_photo(published_at=timezone.now(), like_count=1)

    assert photo.renditions["320.jpg"]["file"] in widgets.popular(days=7)


def test_a_card_speaks_the_language_of_its_page() -> None:
    photo = make_photo(like_count=1)
    calls = []
    for language in ("en", "de"):
        with translation.override(language):
            calls.append(widgets.card.call((photo.pk, photo.owner_id)))

    assert calls[0].digest != calls[1].digest


def test_a_byline_of_nobody_is_nothing() -> None:
    ada = make_user("ada")

    assert "/people/ada/" in widgets.byline(owner_id=ada.pk)
    assert widgets.byline(owner_id=0).strip() == ""


def test_a_stranger_to_the_site_is_nobody() -> None:
    assert not selectors.may_listen(viewer=SimpleNamespace(), name="x")  # type: ignore[arg-type]
