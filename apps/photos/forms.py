"""What comes in with an upload or an edit, and the handler that keeps it off the memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps import thumbnails
from apps.photos.models import DESCRIPTION_LENGTH, TITLE_LENGTH, Photo

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

FIELD = "originals"


class Incoming(TemporaryUploadedFile):
    """An upload on the disk where it will stay, if that is a disk: keeping it is a rename."""

    def __init__(self, name: str, content_type: str) -> None:
        # Not by way of TemporaryUploadedFile: it ends the name of the temporary file as the
        # upload is named, and the operating system refuses a long one.
        file = NamedTemporaryFile(suffix=".upload", dir=_beside_originals())  # noqa: SIM115
        UploadedFile.__init__(self, file, name, content_type, 0, None, None)


def _beside_originals() -> Path | None:
    try:
        folder = Path(default_storage.path("incoming"))
    except NotImplementedError:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class OriginalsHandler(TemporaryFileUploadHandler):
    """Stream every original to disk, and none further than anybody will take it.

    A file beyond the limits still comes out as a file, with its name and its true size, so that
    the one who sent it learns which was refused; but its bytes are dropped as they arrive.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.files_begun = 0
        self.is_dropped = False

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, field_name, file_name, *args, **kwargs)
        # Nothing is asked for in other fields. Django's SkipFile would close the file before.
        self.is_dropped = field_name != FIELD
        if not self.is_dropped:
            self.files_begun += 1
            self.is_dropped = self.files_begun > settings.PHOTOS_PER_UPLOAD
            self.file = Incoming(file_name, self.content_type or "")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.is_dropped:
            return
        if start + len(raw_data) > settings.PHOTO_MAX_BYTES:
            self.is_dropped = True
            self.file.truncate(0)
            return
        super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        return super().file_complete(file_size) if self.field_name == FIELD else None


class _FilesInput(forms.FileInput):
    allow_multiple_selected = True


class OriginalsField(forms.FileField):
    """Several files under one name. Which of them are taken is for the service to say."""

    widget = _FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:  # noqa: ARG002 - a form's signature
        files = list(data) if isinstance(data, list | tuple) else [data]
        if not any(files):
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return files


class UploadForm(forms.Form):
    """Photos, and what may be said about all of them."""

    originals = OriginalsField(
        label=_("Photos"),
        error_messages={"required": _("Choose at least one photo.")},
        widget=_FilesInput(attrs={"accept": "image/*,.heic,.heif,.avif,.tif,.tiff"}),
    )
    title = forms.CharField(label=_("Title"), max_length=TITLE_LENGTH, required=False)
    description = forms.CharField(
        label=_("Description"),
        max_length=DESCRIPTION_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class EditForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the owner says about a photo."""

    class Meta:
        model = Photo
        fields = ["title", "description", "alt"]
        widgets = {"description": forms.Textarea(attrs={"rows": 4})}


class Slider(forms.NumberInput):
    input_type = "range"


def _tone(label: StrPromise) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=-thumbnails.TONE,
        max_value=thumbnails.TONE,
        required=False,
        widget=Slider,
    )


def _share(label: StrPromise, least: float = 0) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        min_value=least,
        max_value=_PERCENT,
        required=False,
        # For fingers: a crop that was fitted to a shape may lie between two steps.
        widget=Slider(attrs={"step": 0.1}),
    )


_PERCENT = 100
_TURNS = [
    (0, _("as it was sent")),
    (1, _("a quarter to the right")),
    (2, _("upside down")),
    (3, _("a quarter to the left")),
]
# The sides of the shape, as people name it.
_SHAPES = [
    ("", _("as drawn")),
    ("1:1", _("square")),
    ("5:4", "5:4"),
    ("4:3", "4:3"),
    ("3:2", "3:2"),
    ("16:9", "16:9"),
    ("4:5", "4:5"),
    ("3:4", "3:4"),
    ("2:3", "2:3"),
    ("9:16", "9:16"),
]


class PictureForm(forms.Form):
    """What the owner does to the picture; `cleaned_data["edits"]` is all of it.

    A field that is left out changes nothing of the original. A crop that reaches beyond an edge
    ends there: without JavaScript nothing keeps the sliders in step.
    """

    turns = forms.TypedChoiceField(
        label=_("Turned"), choices=_TURNS, coerce=int, empty_value="0", required=False
    )
    shape = forms.ChoiceField(label=_("Shape"), choices=_SHAPES, required=False)
    crop_left = _share(_("Cut off on the left, in percent"))
    crop_top = _share(_("Cut off above, in percent"))
    crop_width = _share(_("Width that remains, in percent"), 100 * thumbnails.SMALLEST_CROP)
    crop_height = _share(_("Height that remains, in percent"), 100 * thumbnails.SMALLEST_CROP)
    brightness = _tone(_("Brightness"))
    contrast = _tone(_("Contrast"))
    saturation = _tone(_("Saturation"))
    warmth = _tone(_("Warmth"))
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)

    def __init__(self, data: Any = None, *, photo: Photo) -> None:
        self.photo = photo
        super().__init__(data, initial=self._initial(photo.latest_edits))

    @property
    def is_edited(self) -> bool:
        """Whether there is something to revert."""
        return self.photo.latest_edits != thumbnails.NO_EDITS

    @property
    def is_shown_whole(self) -> bool:
        """Whether the page's own picture is one that can be cropped as these fields say."""
        return self.photo.latest_edits.crop is None and not self.photo.is_changing

    def _initial(self, edits: thumbnails.Edits) -> dict[str, Any]:
        crop = edits.crop or _WHOLE
        tones = {name: getattr(edits, name) for name in _TONES}
        shares = {f"crop_{name}": _in_percent(getattr(crop, name)) for name in _SIDES}
        return {"turns": edits.turns, "version": self.photo.edits_version, **tones, **shares}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        turns = int(data["turns"])
        try:
            data["edits"] = thumbnails.Edits(
                turns=turns,
                crop=self._crop(data, turns),
                **{name: data[name] or 0 for name in _TONES},
            )
        except ValueError as error:
            raise forms.ValidationError(
                _("So little would be left of the picture that nobody could see it.")
            ) from error
        return data

    def _crop(self, data: dict[str, Any], turns: int) -> thumbnails.Crop | None:
        left, top = (data[f"crop_{name}"] or 0.0 for name in ("left", "top"))
        width, height = (
            _PERCENT if data[f"crop_{name}"] is None else data[f"crop_{name}"]
            for name in ("width", "height")
        )
        crop = thumbnails.Crop(
            left=left / _PERCENT,
            top=top / _PERCENT,
            width=min(width, _PERCENT - left) / _PERCENT,
            height=min(height, _PERCENT - top) / _PERCENT,
        )
        if data["shape"]:
            across, down = map(int, data["shape"].split(":"))
            crop = crop.fitted(across / down, whole=self._ratio(turns))
        return None if crop == _WHOLE else crop

    def _ratio(self, turns: int) -> float:
        """Of the whole picture as it lies when it is cropped."""
        shown = thumbnails.Edits.read(self.photo.edits)
        ratio = shown.whole_ratio(self.photo.width or 1, self.photo.height or 1)
        return 1 / ratio if turns % 2 else ratio


_WHOLE = thumbnails.Crop(left=0, top=0, width=1, height=1)
_SIDES = ("left", "top", "width", "height")
_TONES = ("brightness", "contrast", "saturation", "warmth")


def _in_percent(share: float) -> float:
    return round(share * _PERCENT, 2)
