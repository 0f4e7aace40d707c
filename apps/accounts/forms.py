"""What people type, choose and send about their account, and the way in of an avatar."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.core import validators
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from apps import thumbnails
from apps.accounts.exceptions import NameTaken
from apps.accounts.models import User
from apps.accounts.validators import refuse_invisible, refuse_invisible_in_lines

# Longer than any phrase a person types; hashing is slow, and should not be slower still.
PASSWORD_MAX, ADDRESS_MAX = 256, 254
AVATAR = "avatar"
PICTURES = "image/*,.heic,.heif,.avif,.tif,.tiff"


class AvatarHandler(TemporaryFileUploadHandler):
    """Stream one avatar to disk, and no more of it than anybody takes; drop every other file.

    What is too large still comes out as a file with its true size, so that the form can say so.
    Photos come in by a handler of their own.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.has_one = self.is_dropped = False

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        # Not by SkipFile, at which Django closes the file that came before.
        self.is_dropped = field_name != AVATAR or self.has_one
        if not self.is_dropped:
            self.has_one = True
            # The name is of no use, and a long one would be too long for a temporary file.
            super().new_file(field_name, AVATAR, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if not self.is_dropped and start + len(raw_data) <= settings.AVATAR_MAX_BYTES:
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        return None if self.is_dropped else super().file_complete(file_size)


class AvatarField(forms.FileField):
    """A picture by its first bytes; whether it can be read in whole, a worker finds out."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Picture of you"))
        kwargs.setdefault("widget", forms.FileInput(attrs={"accept": PICTURES}))
        super().__init__(required=False, max_length=1000, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, initial)
        if isinstance(upload, UploadedFile):
            self._check(upload)
        return upload

    def _check(self, upload: UploadedFile[bytes]) -> None:
        if (upload.size or 0) > settings.AVATAR_MAX_BYTES:
            limit = filesizeformat(settings.AVATAR_MAX_BYTES)
            message = _("The picture is too large: %(limit)s is the limit.")
            raise forms.ValidationError(message, code="too_large", params={"limit": limit})
        head = upload.read(thumbnails.HEAD_BYTES)
        upload.seek(0)
        if thumbnails.sniff(head) is None:
            reason = thumbnails.Reason.NOT_A_PICTURE
            raise forms.ValidationError(thumbnails.explain(reason), code=reason)


class LoginForm(allauth_forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields)
        login, password = self.fields["login"], self.fields["password"]
        login.label = _("User name or e-mail address")
        login.widget.attrs = {"autocomplete": "username", "autofocus": True}
        _limit(login, ADDRESS_MAX)
        password.help_text = ""  # the page has the link
        self.fields["remember"].label = _("Stay logged in on this device")


class SignupForm(allauth_forms.SignupForm):  # type: ignore[misc]
    """Sign-up. A known address passes as any other does; see services.sign_up."""

    avatar = AvatarField(help_text=_("You can add or change it later."))
    field_order = ("username", "email", "password1", "password2", "avatar")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields)
        username, email = self.fields["username"], self.fields["email"]
        username.label, email.label = _("User name"), _("E-mail address")
        username.help_text = User._meta.get_field("username").help_text
        email.help_text = User._meta.get_field("email").help_text

    def validate_unique_email(self, value: str) -> str:
        """Ask nothing: who owns an address is not for this page to know."""
        return value

    def try_save(self, request: HttpRequest) -> tuple[None, HttpResponse]:
        try:
            return None, get_adapter().sign_up(request, self.cleaned_data)
        except NameTaken:
            # Free when it was checked, a moment ago.
            self.add_error("username", get_adapter().validation_error("username_taken"))
            return None, TemplateResponse(request, "account/signup.html", {"form": self})


class AddressForm(allauth_forms.AddEmailForm):  # type: ignore[misc]
    """The address to change to. One that has an owner passes as any other does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields)
        self.fields["email"].label = _("New e-mail address")

    def clean_email(self) -> str:
        email: str = get_adapter().clean_email(self.cleaned_data["email"].lower())
        if email == self.user.email:
            raise get_adapter().validation_error("same_as_current")
        return email

    def save(self, request: HttpRequest) -> Any:  # noqa: ARG002 - allauth's signature
        return get_adapter().change_address(self.user, self.cleaned_data["email"])


class ResetForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """The address of an account whose password is forgotten. Nothing is looked up here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields)
        self.fields["email"].label = _("E-mail address")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def save(self, request: HttpRequest, **kwargs: Any) -> str:  # noqa: ARG002 - allauth's
        email: str = self.cleaned_data["email"]
        get_adapter().ask_for_new_password(email)
        return email


class NewPasswordForm(allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password of somebody who opened the letter: which proves the address, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields)

    def save(self) -> None:
        super().save()
        get_adapter().confirm_by_letter(self.user)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields)


class LetterForm(forms.Form):
    """Where to send the confirmation letter again."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=ADDRESS_MAX,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class ProfileForm(forms.Form):
    """What a person says about themselves."""

    display_name = forms.CharField(
        label=_("Name"),
        help_text=User._meta.get_field("display_name").help_text,
        max_length=80,
        required=False,
        validators=[refuse_invisible],
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    bio = forms.CharField(
        label=_("About you"),
        max_length=500,
        required=False,
        validators=[refuse_invisible_in_lines],
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    language = forms.ChoiceField(
        label=_("Language of pages and letters"),
        required=False,
        choices=lambda: [("", _("As the browser asks")), *settings.LANGUAGES],
    )
    avatar = AvatarField()
    remove_avatar = forms.BooleanField(label=_("Remove the picture"), required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {name: getattr(person, name) for name in ("display_name", "bio", "language")}
        if not (person.avatar_original or person.avatar_renditions):
            del self.fields["remove_avatar"]
        if len(settings.LANGUAGES) == 1:
            del self.fields["language"]


class DeleteForm(forms.Form):
    """The password, for what cannot be undone."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=PASSWORD_MAX,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not get_adapter().reauthenticate(self.person, password):
            raise get_adapter().validation_error("incorrect_password")
        return password


def _plain(fields: dict[str, forms.Field]) -> None:
    """Take away the placeholders: they repeat the label, and leave when they are needed."""
    for field in fields.values():
        field.widget.attrs.pop("placeholder", None)
        if isinstance(field, forms.EmailField):
            _limit(field, ADDRESS_MAX)
        if isinstance(field.widget, forms.PasswordInput):
            _limit(field, PASSWORD_MAX)


def _limit(field: forms.Field, length: int) -> None:
    field.widget.attrs["maxlength"] = length
    field.validators.append(validators.MaxLengthValidator(length))
