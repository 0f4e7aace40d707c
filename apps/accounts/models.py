"""A person as a row: names, the address, whether it is confirmed, and the avatar."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps import thumbnails
from apps.accounts.validators import (
    USERNAME,
    USERNAME_MAX,
    refuse_foreign_letters,
    refuse_invisible,
    refuse_invisible_in_lines,
    username_validators,
)

# The address of somebody who signed up with that of another: see services.sign_up. No letter can
# reach a name below `invalid` (RFC 2606).
GHOST_DOMAIN = "ghost.invalid"


class UserQuerySet(models.QuerySet["User"]):
    def confirmed(self) -> UserQuerySet:
        """Those who proved that their address is theirs, and were not shut out since."""
        return self.filter(confirmed_at__isnull=False, is_active=True)

    def unconfirmed(self) -> UserQuerySet:
        return self.filter(confirmed_at__isnull=True)

    def named(self, username: str) -> UserQuerySet:
        """The one with this name, however it is capitalised."""
        return self.filter(username__iexact=username)


class _UserManager(DjangoUserManager["User"]):
    use_in_migrations = False

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username__iexact=username)

    def create_superuser(
        self,
        username: str,
        email: str | None = None,
        password: str | None = None,
        **extra_fields: Any,
    ) -> User:
        """Whoever may run `createsuperuser` needs no letter to prove anything: confirmed."""
        extra_fields.setdefault("confirmed_at", timezone.now())
        return super().create_superuser(username, email, password, **extra_fields)


UserManager = _UserManager.from_queryset(UserQuerySet)


class User(AbstractUser):
    """A person of the community."""

    class AvatarState(models.TextChoices):
        NONE = "none", _("none")
        QUEUED = "queued", _("queued")
        DEVELOPING = "developing", _("developing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    # Not every name has two parts in this order; `display_name` is whatever a person is called.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    username = models.CharField(
        _("user name"),
        max_length=USERNAME_MAX,
        unique=True,
        validators=username_validators,
        help_text=_("The address of your page. Letters, digits, dots, hyphens, underscores."),
        error_messages={"unique": _("This name is taken. Please choose another.")},
    )
    email = models.EmailField(
        _("e-mail address"),
        unique=True,
        validators=[refuse_foreign_letters],
        help_text=_("Never shown to anybody."),
    )
    display_name = models.CharField(
        _("name"),
        max_length=80,
        blank=True,
        validators=[refuse_invisible],
        help_text=_("What others see. Left empty, your user name stands there."),
    )
    bio = models.TextField(
        _("about you"), max_length=500, blank=True, validators=[refuse_invisible_in_lines]
    )
    language = models.CharField(_("language"), max_length=15, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    avatar_original = models.FileField(_("avatar"), max_length=200, blank=True)
    avatar_state = models.CharField(
        _("state of the avatar"),
        max_length=10,
        choices=AvatarState.choices,
        default=AvatarState.NONE,
    )
    avatar_reason = models.CharField(_("reason"), max_length=40, blank=True)
    # Name of the rendition ("96.webp") to its name in the storage. Those of the avatar before
    # stay until the new one is developed: a face is not taken away for a second.
    avatar_renditions = models.JSONField(_("renditions"), default=dict, blank=True)

    objects = UserManager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            # `iexact` compares in upper case, so this is also the index of each look-up by name.
            models.UniqueConstraint(
                Upper("username"),
                name="user_name_is_unique",
                violation_error_message=_("This name is taken. Please choose another."),
            ),
            models.CheckConstraint(
                condition=Q(username__regex=rf"\A{USERNAME}\Z"), name="user_name_is_well_formed"
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")) & ~Q(email=""), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(avatar_state__in=["none", "queued", "developing", "ready", "failed"]),
                name="user_avatar_state_is_known",
            ),
        ]
        indexes = [
            models.Index(
                F("confirmed_at").desc(),
                condition=Q(is_active=True, confirmed_at__isnull=False),
                name="user_newest",
            )
        ]

    def __str__(self) -> str:
        return self.username

    def get_absolute_url(self) -> str:
        return reverse("person", kwargs={"username": self.username})

    def as_event(self) -> dict[str, object]:
        """What services outside are told of somebody: what everybody may know."""
        return {"username": self.username, "url": settings.SITE_URL + self.get_absolute_url()}

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What this person is called on pages and in letters."""
        return self.display_name or self.username

    @property
    def is_confirmed(self) -> bool:
        """Whether the address is proved: who is not may look, and neither log in nor publish."""
        return self.confirmed_at is not None

    @property
    def is_ghost(self) -> bool:
        """Whether this is what a sign-up with somebody else's address left, until it is pruned."""
        return self.email.endswith(f"@{GHOST_DOMAIN}")

    @property
    def avatar_name(self) -> str:
        """The name of the original in its storage, or ""."""
        return self.avatar_original.name or ""

    @property
    def avatar_key(self) -> str:
        """The set of renditions that is shown now, or ""."""
        stored = next(iter(self.avatar_renditions.values()), "")
        return str(stored).rpartition("/")[0]

    @property
    def is_avatar_developing(self) -> bool:
        return self.avatar_state in {self.AvatarState.QUEUED, self.AvatarState.DEVELOPING}

    @property
    def avatar_problem(self) -> str:
        """Why the last avatar could not be developed, for its owner; "" if nothing is wrong."""
        is_failed = self.avatar_state == self.AvatarState.FAILED
        return thumbnails.explain(self.avatar_reason) if is_failed else ""

    @property
    def avatar_url(self) -> str:
        """The address of the small square, or "" of a person whose initials stand for them."""
        stored = self.avatar_renditions.get("96.webp")
        return storages["renditions"].url(stored) if stored else ""

    @property
    def large_avatar_url(self) -> str:
        stored = self.avatar_renditions.get("320.webp")
        return storages["renditions"].url(stored) if stored else ""

    def cache_tags(self) -> list[str]:
        """What is out of date when this person changes: see caching.changed."""
        return [f"user:{self.pk}"]
