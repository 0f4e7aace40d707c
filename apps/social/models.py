"""Who follows whom, who likes what, and what people say to a photo."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.photos.models import Photo
from apps.social.validators import has_no_control_characters, is_readable

COMMENT_LENGTH = 1000


class Follow(models.Model):
    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # the unique constraint begins with it
        verbose_name=_("who follows"),
    )
    followed = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("who is followed"),
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_others"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} → {self.followed_id}"

    def cache_tags(self) -> list[str]:
        return [f"follows:{self.follower_id}", f"followers:{self.followed_id}"]


class Like(models.Model):
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # the unique constraint begins with it
        verbose_name=_("who likes"),
    )
    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, related_name="likes", verbose_name=_("photo")
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("like")
        verbose_name_plural = _("likes")
        constraints = [models.UniqueConstraint(fields=["person", "photo"], name="like_once")]

    def __str__(self) -> str:
        return f"{self.person_id} ♥ {self.photo_id}"

    def cache_tags(self) -> list[str]:
        return [f"likes:{self.photo_id}"]


class Comment(models.Model):
    photo = models.ForeignKey(
        Photo,
        on_delete=models.CASCADE,
        related_name="comments",
        db_index=False,  # the index of the page begins with it
        verbose_name=_("photo"),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # the index of the flood limit begins with it
        verbose_name=_("author"),
    )
    text = models.TextField(
        _("comment"),
        max_length=COMMENT_LENGTH,
        # A form checks max_length of a text field, the model itself does not.
        validators=[MaxLengthValidator(COMMENT_LENGTH), has_no_control_characters, is_readable],
    )
    created_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["photo", "-id"], name="comment_of_photo"),
            models.Index(fields=["author", "-created_at"], name="comment_of_author"),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    def get_absolute_url(self) -> str:
        return f"{self.photo.get_absolute_url()}#comment-{self.pk}"

    def cache_tags(self) -> list[str]:
        return [f"comment:{self.pk}", f"comments:{self.photo_id}"]
