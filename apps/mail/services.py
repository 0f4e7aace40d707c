from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from apps.mail import tasks
from apps.mail.models import Letter


@transaction.atomic
def write_letter(
    *,
    to: str,
    template: str,
    context: Mapping[str, Any],
    language: str,
    about: Model | None = None,
) -> Letter:
    """Write a letter in the reader's language and queue its delivery, which starts at commit.

    The words are `templates/mail/<template>.subject.txt`, `.txt` and `.html`. Raises
    ValidationError for an address that cannot be put on an envelope.
    """
    uuid = uuid4()
    language = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    values = {
        **context,
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "language": language,
    }
    with translation.override(language):
        subject = _render(f"mail/{template}.subject.txt", values, is_html=False)
        # A header is one line, whatever a name in it contains.
        values["subject"] = " ".join(subject.split())[:200]
        letter = Letter(
            uuid=uuid,
            to=to,
            subject=values["subject"],
            text=_render(f"mail/{template}.txt", values, is_html=False).strip() + "\n",
            html=_render(f"mail/{template}.html", values, is_html=True),
            language=language,
            kind=template,
            about=f"{about._meta.label_lower}:{about.pk}" if about else "",
            message_id=f"<{uuid}@{urlsplit(settings.SITE_URL).hostname}>",
        )
    letter.full_clean()
    letter.save(force_insert=True)
    tasks.deliver_letter.delay(letter_id=letter.pk)
    return letter


@transaction.atomic
def send_again(*, letters: Iterable[Letter]) -> int:
    """Queue letters that were refused, given up or wait, anew; how many that were.

    Letters that were accepted, or may be on their way, are left alone. No letter gets a second
    job beside one that waits: both could be waiting for the answer to it at the same time.
    """
    states = [Letter.State.REFUSED, Letter.State.DEAD, Letter.State.WAITING]
    stuck = Letter.objects.filter(pk__in=[letter.pk for letter in letters], state__in=states)
    queued = 0
    for letter in stuck.select_for_update().order_by("pk"):
        Letter.objects.filter(pk=letter.pk).update(state=Letter.State.QUEUED, resent_at=None)
        if not tasks.deliver_letter.hurry(letter_id=letter.pk):
            tasks.deliver_letter.delay(letter_id=letter.pk)
        queued += 1
    return queued


def _render(name: str, values: Mapping[str, Any], *, is_html: bool) -> str:
    # Plain text must not be escaped, and no writer of a template should have to remember it.
    template: Any = get_template(name)
    rendered: str = template.template.render(Context(dict(values), autoescape=is_html))
    return rendered
