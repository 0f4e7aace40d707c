from __future__ import annotations

from apps import messaging
from apps.mail import delivery


@messaging.job(
    queue="mail",
    # Half of each wait is fixed, so that a server which asks for patience (greylisting) gets it.
    retry=messaging.Backoff(first=15, limit=3 * 3600, total=2 * 86400, steady=0.5),
    # Longer than the longest honest conversation: the answer to a letter may take ten minutes.
    time_limit=900,
    on_dead="apps.mail.delivery.give_up",
    about="letter:{letter_id}",
)
def deliver_letter(*, letter_id: int) -> None:
    delivery.deliver(letter_id=letter_id)
