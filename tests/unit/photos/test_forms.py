"""What comes in: the stream of an upload, and the fields of the forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import UploadedFile
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict
from pytest_django import Settings

from apps.photos.forms import EditForm, OriginalsHandler, UploadForm
from tests.support.photos import files_of, make_original

LIMIT = 200_000


Stream = Callable[..., list[Any]]


@pytest.fixture
def stream() -> Iterator[Stream]:
    """Send files as a browser does, through the handler, and return what comes out."""
    requests = []

    def send(field: str, *contents: bytes) -> list[Any]:
        files = [make_original(f"{number}.jpg", content=it) for number, it in enumerate(contents)]
        request = RequestFactory().post("/", {field: files})
        request.upload_handlers = [OriginalsHandler(request)]
        requests.append(request)
        return request.FILES.getlist(field)

    yield send
    for request in requests:
        request.close()


@pytest.fixture(autouse=True)
def small_limit(settings: Settings) -> None:
    settings.PHOTO_MAX_BYTES = LIMIT


# --- The handler ----------------------------------------------------------------------------------
def test_even_a_small_file_goes_to_disk_beside_the_originals(media: Path, stream: Stream) -> None:
    (file,) = stream("originals", b"small")

    path = Path(file.temporary_file_path())
    assert path.parent == media / "originals" / "incoming"
    assert path.read_bytes() == b"small"
    assert (file.name, file.size) == ("0.jpg", 5)


def test_a_file_is_streamed_in_order_and_whole(stream: Stream) -> None:
    contents = [bytes([number]) * (70_000 * number) for number in (1, 2)]

    files = stream("originals", *contents)

    assert [file.read() for file in files] == contents


def test_a_file_at_the_limit_is_kept_and_one_byte_more_is_dropped(stream: Stream) -> None:
    fits, larger = stream("originals", b"x" * LIMIT, b"x" * (LIMIT + 1))

    assert fits.size == LIMIT
    assert Path(fits.temporary_file_path()).stat().st_size == LIMIT
    assert larger.size == LIMIT + 1
    assert Path(larger.temporary_file_path()).stat().st_size == 0


def test_a_dropped_file_does_not_disturb_the_next(stream: Stream) -> None:
    _, after = stream("originals", b"x" * (3 * LIMIT), b"after")

    assert after.read() == b"after"


def test_files_beyond_the_number_take_no_room(settings: Settings, stream: Stream) -> None:
    settings.PHOTOS_PER_UPLOAD = 1

    kept, dropped = stream("originals", b"kept", b"dropped")

    assert kept.read() == b"kept"
    assert dropped.size == len(b"dropped")
    assert dropped.read() == b""


def test_files_that_nobody_asked_for_are_not_even_begun(media: Path, stream: Stream) -> None:
    assert stream("other", b"x" * 1000) == []
    assert files_of(media) == []


def test_temporary_files_go_with_the_request(media: Path, stream: Stream) -> None:
    for file in stream("originals", b"one", b"two"):
        assert Path(file.temporary_file_path()).exists()
        file.close()

    assert files_of(media) == []


def test_where_originals_are_elsewhere_uploads_wait_in_the_systems_place(
    monkeypatch: pytest.MonkeyPatch, media: Path, stream: Stream
) -> None:
    def no_path(self: FileSystemStorage, name: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr(type(default_storage), "path", no_path, raising=False)

    (file,) = stream("originals", b"small")

    assert file.read() == b"small"
    assert files_of(media) == []


# --- The forms ------------------------------------------------------------------------------------
def upload_form(*names: str, **data: str) -> UploadForm:
    files: list[UploadedFile[Any]] = [make_original(name) for name in names]
    return UploadForm(data, MultiValueDict({"originals": files}))


def test_several_files_come_out_of_one_field() -> None:
    form = upload_form("one.jpg", "two.jpg", title=" Trip ")

    assert form.is_valid()
    assert [file.name for file in form.cleaned_data["originals"]] == ["one.jpg", "two.jpg"]
    assert (form.cleaned_data["title"], form.cleaned_data["description"]) == ("Trip", "")


def test_which_files_are_good_is_not_for_the_form_to_say() -> None:
    form = UploadForm({}, MultiValueDict({"originals": [make_original(content=b"")]}))

    assert form.is_valid()


@pytest.mark.parametrize(
    ("names", "data", "field"),
    [
        ((), {}, "originals"),
        (("one.jpg",), {"title": "x" * 121}, "title"),
        (("one.jpg",), {"description": "x" * 2001}, "description"),
        (("one.jpg",), {"title": "a\0b"}, "title"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(
    names: tuple[str, ...], data: dict[str, str], field: str
) -> None:
    assert list(upload_form(*names, **data).errors) == [field]


def test_the_file_field_takes_many_and_suggests_pictures() -> None:
    html = str(UploadForm()["originals"])

    assert "multiple" in html
    assert 'accept="image/*,.heic,.heif,.avif,.tif,.tiff"' in html


def test_only_words_can_be_edited() -> None:
    assert list(EditForm().fields) == ["title", "description", "alt"]
