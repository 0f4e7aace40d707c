"""The one message of the layer. It may be lost: what it would have done, the next reader does."""

from __future__ import annotations

from celery import shared_task

from apps.caching import rewriter, rewriting
from apps.caching.engine import engine


@shared_task(name=rewriting.TASK, ignore_result=True, acks_late=False)
def rewrite(tags: list[str]) -> None:
    """Rewrite what is in use, and what was rewritten a moment ago, a moment later."""
    later = rewriter.rewrite(tags)
    if later:
        rewriting.send(later, countdown=engine().options.rewrite_seconds)
