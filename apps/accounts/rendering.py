"""The letters about accounts: whose address, which words, where the one button leads.

Links begin with SITE_URL: what a visitor claims to be the host of a request never enters a letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.http import int_to_base36

from apps.accounts.models import User
from apps.mail.services import write_letter


def ask_to_confirm(address: EmailAddress) -> None:
    """Ask somebody who has just signed up whether the address is theirs."""
    _write(
        "confirm_address",
        address.user,
        to=address.email,
        button_url=_confirmation_url(address),
        days=settings.ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS,
    )


def ask_to_confirm_change(address: EmailAddress) -> None:
    """Write to the address that a person wants to change to.

    It may be anybody's: nothing that the person wrote freely goes there, or it would be a way to
    write to strangers in the name of the site.
    """
    _write(
        "confirm_change",
        address.user,
        to=address.email,
        name=address.user.username,
        button_url=_confirmation_url(address),
        days=settings.ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS,
    )


def tell_owner_of_sign_up(owner: User) -> None:
    """Write to the owner of an address with which somebody, perhaps the owner, signed up anew.

    The button leads to a new password, also for an account that was never confirmed: whoever
    opens the letter owns the address, and a password that a stranger chose ends with it.
    """
    _write("account_exists", owner, to=owner.email, button_url=_new_password_url(owner))


def tell_owner_of_change(owner: User) -> None:
    """Write to the owner of an address to which somebody else wanted to change."""
    _write("address_claimed", owner, to=owner.email)


def offer_new_password(person: User) -> None:
    """Write the link with which a forgotten password is replaced."""
    _write("new_password", person, to=person.email, button_url=_new_password_url(person))


def tell_of_change(template: str, *, to: str, context: Mapping[str, Any]) -> None:
    """Write that something about the security of an account was changed, when and from where.

    `to` may be an address that was given up a moment ago; `context` is what allauth knows.
    """
    person = context.get("user") or User.objects.filter(email__in=_addresses(to, context)).first()
    facts = {name: context.get(name) for name in ("timestamp", "ip", "user_agent", "to_email")}
    _write(template, person, to=to, button_url=_reset_url(template), **facts)


def _addresses(to: str, context: Mapping[str, Any]) -> list[str]:
    return [address for address in (to, context.get("to_email")) if address]


def _reset_url(template: str) -> str:
    """Where a password that somebody else changed is taken back: not by a lost address."""
    is_lost = template == "address_changed"
    return "" if is_lost else f"{settings.SITE_URL}{reverse('account_reset_password')}"


def _write(template: str, person: User | None, *, to: str, **context: Any) -> None:
    write_letter(
        to=to,
        template=template,
        context={
            "name": person.name if person else "",
            "username": person.username if person else "",
            **context,
        },
        language=person.language if person else "",
        about=person,
    )


def _confirmation_url(address: EmailAddress) -> str:
    key = EmailConfirmationHMAC(address).key
    return f"{settings.SITE_URL}{reverse('account_confirm_email', args=[key])}"


def _new_password_url(person: User) -> str:
    token = default_token_generator.make_token(person)
    path = reverse("account_reset_password_from_key", args=[int_to_base36(person.pk), token])
    return f"{settings.SITE_URL}{path}"
