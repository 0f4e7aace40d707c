"""`{% load social %}`: what differs by viewer, beside the fragments that are the same for all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import template

from apps.accounts.models import User
from apps.photos.models import Photo
from apps.photos.selectors import Entry, PhotoDetails
from apps.social import selectors, widgets
from apps.social.forms import CommentForm

register = template.Library()

Context = dict[str, Any]


@register.inclusion_tag("social/like_button.html", takes_context=True)
def like_button(context: Context, photo: Photo | PhotoDetails) -> Context:
    """Like the photo, or no longer: {% like_button photo %}."""
    page = _page(context)
    return page | {
        "photo": photo,
        "is_liked": photo.pk in _liked(page["viewer"], [photo.pk]),
        "way_back": photo.get_absolute_url(),
    }


@register.inclusion_tag("social/liked.html", takes_context=True)
def liked_among(context: Context, photo_ids: Iterable[UUID | Entry]) -> Context:
    """Name those of the photos on the page that the viewer likes; js/social.js marks their cards.

    The cards are the same for everybody, so the marks stand beside them: one query for them all.
    """
    ids = [found[0] if isinstance(found, tuple) else found for found in photo_ids]
    return {"liked": _liked(_viewer(context), ids)}


@register.inclusion_tag("social/follow_button.html", takes_context=True)
def follow_button(context: Context, person: User) -> Context:
    """Follow the person, or no longer: {% follow_button person %}. Nothing for oneself."""
    page = _page(context)
    viewer = page["viewer"]
    is_self = viewer == person
    return page | {
        "person": person,
        "is_self": is_self,
        "is_followed": viewer is not None
        and not is_self
        and selectors.is_following(viewer=viewer, person_id=person.pk),
        "way_back": person.get_absolute_url(),
    }


@register.inclusion_tag("social/comment_form.html", takes_context=True)
def comment_form(
    context: Context, photo: Photo | PhotoDetails, form: CommentForm | None = None
) -> Context:
    """Say something to the photo: {% comment_form photo %}."""
    return _page(context) | {"photo": photo, "form": form or CommentForm()}


@register.inclusion_tag("social/comments.html", takes_context=True)
def comments(context: Context, photo: Photo | PhotoDetails, before: int = 0) -> Context:
    """What was said to the photo, with a way to take away what one may: {% comments photo %}."""
    page = _page(context)
    shown = selectors.list_comments(photo_id=photo.pk, before=before)
    items = [
        {
            "entry": entry,
            "widget": widget,
            "may_delete": selectors.may_delete(
                viewer=page["viewer"], author_id=entry[1], owner_id=photo.owner_id
            ),
        }
        for entry, widget in zip(shown.entries, widgets.comment.each(shown.entries), strict=True)
        # A comment goes with its author; the list hears of that later than the comment itself.
        if widget
    ]
    return page | {
        "photo": photo,
        "items": items,
        "earlier": shown.earlier,
        "way_back": photo.get_absolute_url(),
    }


@register.inclusion_tag("social/following.html")
def following(person: User) -> Context:
    """Whom the person follows: {% following person %}."""
    return {"people": widgets.person.each(selectors.list_following(person_id=person.pk))}


def _page(context: Context) -> Context:
    """What every form needs: who looks, and the token that shows that the form is ours."""
    return {
        "viewer": _viewer(context),
        "csrf_token": context.get("csrf_token"),
        "request": context.get("request"),
    }


def _viewer(context: Context) -> User | None:
    user = context.get("user")
    return user if isinstance(user, User) else None


def _liked(viewer: User | None, photo_ids: list[UUID]) -> frozenset[UUID]:
    if viewer is None or not photo_ids:
        return frozenset()
    return selectors.list_liked(viewer=viewer, photo_ids=photo_ids)
