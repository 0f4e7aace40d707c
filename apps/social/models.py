"""Who follows whom, who likes what, what people say to a photo, and who is told of it."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
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


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unseen(self) -> Self:
        return self.filter(seen_at=None)


class Notification(models.Model):
    """Somebody did something that another should know of.

    It hangs on the row that it speaks of, and goes with it, whoever deletes that. What is alike (a
    photo was liked by many on one day) is folded when it is read: `day` is written down for that.
    """

    class Verb(models.TextChoices):
        LIKED = "liked", _("liked a photo")
        COMMENTED = "commented", _("commented on a photo")
        ALSO = "also", _("also commented on a photo")
        FOLLOWED = "followed", _("follows")

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # the index of the page begins with it
        verbose_name=_("who is told"),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("who did it"),
    )
    verb = models.CharField(_("what"), max_length=10, choices=Verb.choices)
    photo = models.ForeignKey(
        Photo, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    like = models.OneToOneField(
        Like, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    comment = models.ForeignKey(
        Comment,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # the unique constraint begins with it
    )
    follow = models.OneToOneField(
        Follow, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    day = models.DateField(_("day"), default=timezone.localdate)
    created_at = models.DateTimeField(_("when"), auto_now_add=True)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["comment", "recipient"], name="told_once_of_comment"),
            models.CheckConstraint(
                condition=~Q(recipient=F("actor")), name="notification_is_for_others"
            ),
            models.CheckConstraint(
                condition=(
                    Q(verb="liked", photo__isnull=False, like__isnull=False)
                    & Q(comment=None, follow=None)
                )
                | (
                    Q(verb__in=["commented", "also"], photo__isnull=False, comment__isnull=False)
                    & Q(like=None, follow=None)
                )
                | (
                    Q(verb="followed", follow__isnull=False)
                    & Q(photo=None, like=None, comment=None)
                ),
                name="notification_speaks_of_its_row",
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "-id"], name="notification_of_person"),
            models.Index(
                fields=["recipient"], condition=Q(seen_at=None), name="notification_unseen"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_id} {self.verb} → {self.recipient_id}"

    def cache_tags(self) -> list[str]:
        return [f"notifications:{self.recipient_id}"]


class NotificationChoice(models.Model):
    """What somebody wants to be told of. Without a row: all."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="+",
        verbose_name=_("person"),
    )
    likes = models.BooleanField(_("Tell me who likes my photos"), default=True)
    conversations = models.BooleanField(
        _("Tell me who comments on a photo after I did"), default=True, db_default=True
    )

    class Meta:
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")

    def __str__(self) -> str:
        return f"{self.person_id}: likes {self.likes}, conversations {self.conversations}"
