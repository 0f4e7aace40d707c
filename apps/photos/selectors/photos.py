"""One photo, for somebody: who may see it, who may change it."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied

from apps import live
from apps.accounts.models import User
from apps.photos.models import Photo
from apps.photos.selectors.details import PhotoDetails, describe


def get_visible_photo(*, viewer: User | None, pk: UUID) -> Photo:
    """The photo, if `viewer` (None: not logged in) may see it. Raises Photo.DoesNotExist."""
    return Photo.objects.visible_to(viewer).with_owner().get(pk=pk)


def get_editable_photo(*, viewer: User, pk: UUID) -> Photo:
    """The photo for its owner or staff. Raises Photo.DoesNotExist, or PermissionDenied."""
    photo = get_visible_photo(viewer=viewer, pk=pk)
    if not (viewer.is_staff or viewer.pk == photo.owner_id):
        raise PermissionDenied
    return photo


def find_twin(*, owner: User, sha256: str) -> Photo | None:
    """The photo of this person with the same content. What others have is nobody's business."""
    return Photo.objects.filter(owner=owner, sha256=sha256).first()


def list_unfinished(*, owner: User) -> list[Photo]:
    """What is still developing, or failed: for its owner's eyes, newest first."""
    return list(Photo.objects.filter(owner=owner).unfinished().order_by("-created_at"))


def read_state(details: PhotoDetails) -> dict[str, object]:
    """How far a photo is, as JSON tells it."""
    return {
        "state": details.state,
        "reason": details.reason_text,
        "is_changing": details.is_changing,
        "renditions": {name: size.url for name, size in details.sizes.items()},
    }


def may_listen(*, viewer: live.Viewer, name: str) -> bool:
    """Whether a browser may follow the photo with this id: as it may look at it."""
    person = viewer if isinstance(viewer, User) else None
    try:
        return Photo.objects.visible_to(person).filter(pk=UUID(name)).exists()
    except ValueError:
        return False


def read_live_state(*, name: str) -> live.State | None:
    photo = Photo.objects.filter(pk=UUID(name)).first()
    return read_state(describe(photo)) if photo else None
