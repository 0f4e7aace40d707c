"""The photo as a row: what was uploaded, how far its development is, what came of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import connection, models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps import thumbnails

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.photos.models.leftovers import DeletedPhoto


class StoredRendition(TypedDict):
    """One size of a photo as its row keeps it: `file` is a name in the storage of renditions."""

    file: str
    width: int
    height: int


class PhotoQuerySet(models.QuerySet["Photo"]):
    def published(self) -> PhotoQuerySet:
        """Those that everybody may see."""
        return self.filter(state=Photo.State.READY)

    def unfinished(self) -> PhotoQuerySet:
        """Those that only their owner (and staff) may see: on the way, or failed."""
        return self.exclude(state=Photo.State.READY)

    def visible_to(self, viewer: User | None) -> PhotoQuerySet:
        if viewer is None:
            return self.published()
        if viewer.is_staff:
            return self
        return self.filter(Q(state=Photo.State.READY) | Q(owner=viewer))

    def with_owner(self) -> PhotoQuerySet:
        return self.select_related("owner")

    def newest_first(self) -> PhotoQuerySet:
        return self.order_by("-published_at", "-id")

    def older_than(self, published_at: datetime, pk: uuid.UUID) -> PhotoQuerySet:
        # The first term says nothing new, but it is the range that the index can start from.
        return self.filter(
            Q(published_at__lte=published_at)
            & (Q(published_at__lt=published_at) | Q(published_at=published_at, id__lt=pk))
        )

    def newer_than(self, published_at: datetime, pk: uuid.UUID) -> PhotoQuerySet:
        return self.filter(
            Q(published_at__gte=published_at)
            & (Q(published_at__gt=published_at) | Q(published_at=published_at, id__gt=pk))
        )

    def hold_content(self, sha256: str) -> None:
        """Until the transaction ends nobody else stores or removes the original with this content.

        Two people may upload the same picture, and it is stored once: without the lock one could
        find the file present in the moment in which the other's deletion takes it away.
        """
        key = int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


RECIPE = thumbnails.Recipe()
TITLE_LENGTH = 120
DESCRIPTION_LENGTH = 2000


class Photo(models.Model):
    """A picture that somebody uploaded. Its id is random: it is not guessed and tells no count."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        DEVELOPING = "developing", _("developing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="photos",
        db_index=False,  # the index of the person page begins with it
        verbose_name=_("owner"),
    )
    title = models.CharField(_("title"), max_length=TITLE_LENGTH, blank=True)
    description = models.TextField(_("description"), max_length=DESCRIPTION_LENGTH, blank=True)
    alt = models.CharField(
        _("description for people who cannot see the picture"), max_length=500, blank=True
    )

    original = models.FileField(_("original"), max_length=200)
    original_name = models.CharField(_("name of the file"), max_length=255)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    format = models.CharField(_("format"), max_length=10)
    sha256 = models.CharField(max_length=64, validators=[MinLengthValidator(64)])

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    # A code, so that everybody reads the reason in their own language: see `reason_text`.
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    placeholder = models.CharField(max_length=2000, blank=True)
    thumbhash = models.CharField(max_length=60, blank=True)
    camera = models.JSONField(_("camera"), default=dict, blank=True)
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    renditions = models.JSONField(_("renditions"), default=dict, blank=True)
    # As the renditions show it, and as its owner wants it: null when these are the same.
    edits = models.JSONField(_("edits"), default=dict, blank=True)
    wanted_edits = models.JSONField(_("edits to come"), null=True, blank=True)
    edits_version = models.PositiveIntegerField(_("version of the edits"), default=0)
    edits_reason = models.CharField(_("why the edits failed"), max_length=40, blank=True)

    like_count = models.PositiveIntegerField(_("likes"), default=0)
    comment_count = models.PositiveIntegerField(_("comments"), default=0)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    # Reasons of ours, beside those of `thumbnails`.
    ORIGINAL_MISSING = "original_missing"
    GIVEN_UP = "given_up"

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "sha256"],
                name="photo_once_per_owner",
                violation_error_message=_("You have uploaded this picture already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "developing", "ready", "failed"]),
                name="photo_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="ready")
                | Q(published_at__isnull=False, width__gt=0, height__gt=0) & ~Q(renditions={}),
                name="photo_ready_has_its_renditions",
            ),
            models.CheckConstraint(
                condition=(Q(state="failed") & ~Q(reason="")) | (~Q(state="failed") & Q(reason="")),
                name="photo_failed_has_a_reason",
            ),
            models.CheckConstraint(condition=Q(bytes__gt=0), name="photo_original_is_not_empty"),
        ]
        indexes = [
            models.Index(
                F("published_at").desc(),
                F("id").desc(),
                condition=Q(state="ready"),
                name="photo_stream",
            ),
            models.Index(
                F("owner"), F("published_at").desc(), F("id").desc(), name="photo_of_owner"
            ),
            models.Index(fields=["original"], name="photo_original"),
        ]

    def __str__(self) -> str:
        return self.title or self.original_name

    def get_absolute_url(self) -> str:
        return reverse("photo", args=[self.pk])

    def as_event(self) -> dict[str, object]:
        """What services outside are told of it: nothing that its page does not show."""
        return {
            "id": str(self.pk),
            "url": settings.SITE_URL + self.get_absolute_url(),
            "title": self.title,
            "owner": self.owner.username,
            "published_at": self.published_at,
        }

    def cache_tags(self) -> list[str]:
        """Everything that shows this photo, and every list that it may enter or leave."""
        return [f"photo:{self.pk}", "stream", f"stream:{self.owner_id}"]

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY

    @property
    def is_changing(self) -> bool:
        """Whether it is about to look different: its owner has edited it."""
        return self.wanted_edits is not None

    @property
    def latest_edits(self) -> thumbnails.Edits:
        """How its owner wants it to look."""
        return thumbnails.Edits.read(self.wanted_edits if self.is_changing else self.edits)

    @property
    def key(self) -> str:
        """The set that its pages show; "" for none."""
        stored: StoredRendition | None = next(iter(self.renditions.values()), None)
        return stored["file"].rpartition("/")[0] if stored else ""

    def key_of(self, edits: thumbnails.Edits) -> str:
        """The set that it has, or would have, with these edits."""
        return key_of(self, edits)

    @property
    def is_unfinished(self) -> bool:
        """Whether its state will still change by itself."""
        return self.state in {self.State.QUEUED, self.State.DEVELOPING}


def key_of(photo: Photo | DeletedPhoto, edits: thumbnails.Edits) -> str:
    """The set of renditions that a photo has, or would have, with these edits."""
    return thumbnails.make_key(
        about=f"photo:{photo.pk}", sha256=photo.sha256, recipe=RECIPE, edits=edits
    )
