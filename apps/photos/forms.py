"""What comes in with an upload or an edit, and the handler that keeps it off the memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.photos.models import DESCRIPTION_LENGTH, TITLE_LENGTH, Photo

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
