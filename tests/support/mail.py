"""Letters for tests, without a template of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from apps.mail import tasks
from apps.mail.models import Letter

TEMPLATES = Path(__file__).parent / "templates"


def make_letter(*, to: str = "ben@example.test", **values: Any) -> Letter:
    """Store a letter that nobody delivers yet."""
    uuid = uuid4()
    defaults = {
        "subject": "Hello Ben",
        "text": "Hello Ben.\n",
        "html": "<p>Hello Ben.</p>\n",
        "language": "en",
        "kind": "hello",
        "message_id": f"<{uuid}@localhost>",
    }
    return Letter.objects.create(uuid=uuid, to=to, **{**defaults, **values})


def post_letter(*, to: str = "ben@example.test", **values: Any) -> Letter:
    """Store a letter and start its delivery."""
    letter = make_letter(to=to, **values)
    tasks.deliver_letter.delay(letter_id=letter.pk)
    return letter
