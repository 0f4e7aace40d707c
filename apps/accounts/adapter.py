"""What allauth asks us: who may log in, which letters leave, what a sign-up and a confirmation do.

allauth wants one class for all of it (`ACCOUNT_ADAPTER`) and a backend for passwords. It is a door
like a view: what is written, the services write.
"""

from __future__ import annotations

from typing import Any

from allauth.account import stages
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import EmailAddress, Login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts import rendering, selectors, services
from apps.accounts.models import User
from apps.accounts.validators import refuse_foreign_letters, refuse_reserved
from apps.mail.validators import validate_address

# The same for a wrong password, a name that nobody has, and an address not yet confirmed.
WRONG = _(
    "That name or address and that password do not belong together, or the address is not "
    "confirmed yet: then the letter we sent has a link for that."
)
# allauth's name of a notice, and our letter. What is missing here needs no letter.
LETTERS = {
    "email_changed": "address_changed",
    "password_changed": "password_changed",
    "password_reset": "password_changed",
    "password_set": "password_changed",
}
NOWHERE = "0.0.0.0"  # noqa: S104 - no address to listen on, but that of nobody


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]
    """Log-in by name or address, at one price: one query and one hash, whoever knocks.

    allauth's own looks twice for an address, and hashes twice where it finds one: a stop-watch
    would tell which addresses are known.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:  # noqa: ARG002
        login = credentials.get("email") or credentials.get("username")
        password = credentials.get("password")
        if not login or not password:
            return None
        person = selectors.find_person_to_log_in(login)
        if person is None:
            User().set_password(password)
            return None
        is_right = person.check_password(password)
        may_log_in = person.is_confirmed and self.user_can_authenticate(person)
        return person if is_right and may_log_in else None


class ConfirmationStage(stages.EmailVerificationStage):  # type: ignore[misc]
    """After a sign-up: the log-in waits, in this browser, for the confirmation."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if self.login.user and self.login.user.is_confirmed:
            return None, True
        return AccountAdapter().respond_email_verification_sent(self.request, None), True


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG,
        "email_password_mismatch": WRONG,
        "username_taken": _("This name is taken. Please choose another."),
    }

    def sign_up(self, request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
        """Sign up, and answer with the page that says to look for a letter.

        Raises NameTaken.
        """
        email = data["email"]
        # Each sign-up uses it up, so that its answer does not depend on who owns the address; and
        # nothing else does, or an owner could be told by the letter that is not written.
        tell_owner = ratelimit.consume(request, action="sign_up_letter", key=email)
        person = services.sign_up(
            username=data["username"],
            email=email,
            password=data["password1"],
            language=get_language() or "",
            avatar=data.get("avatar"),
            tell_owner=tell_owner,
        )
        response: HttpResponse = perform_login(request, Login(user=person, signup=True))
        return response

    def change_address(self, person: User, email: str) -> EmailAddress:
        return services.change_address(person=person, email=email)

    def ask_for_new_password(self, email: str) -> None:
        services.ask_for_new_password(email=email)

    def confirm_by_letter(self, person: User) -> None:
        services.confirm(person=person)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make the address the person's own, whole or not at all."""
        taken = User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id)
        try:
            with transaction.atomic():
                is_confirmed = not taken.exists() and super().confirm_email(request, email_address)
                if is_confirmed:
                    services.confirm(person=email_address.user)
        except IntegrityError:  # somebody else confirmed it in this very moment
            is_confirmed = False
        if not is_confirmed:
            messages.error(request, _("This address cannot be used for your account."))
        return bool(is_confirmed)

    def clean_username(self, username: str, shallow: bool = False) -> str:  # noqa: FBT001, FBT002
        refuse_reserved(username)
        name: str = super().clean_username(username, shallow)
        return name

    def clean_email(self, email: str) -> str:
        refuse_foreign_letters(email)
        # Some forms of an address pass any form of a page, and no letter reaches them.
        validate_address(email)
        return email

    def set_password(self, user: User, password: str) -> None:
        services.set_password(person=user, password=password)

    def get_login_stages(self) -> list[str]:
        ours = f"{ConfirmationStage.__module__}.{ConfirmationStage.__qualname__}"
        return [
            ours if path.endswith(".EmailVerificationStage") else path
            for path in super().get_login_stages()
        ]

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        services.keep_address(person=user)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if user.language:
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, samesite="Lax")
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write one of our letters in place of allauth's message."""
        letter = LETTERS.get(template_prefix.rpartition("/")[2])
        if letter is not None:
            rendering.tell_of_change(letter, to=email, context=context)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return whom a rate limit counts: one bucket for all who come without an address."""
        try:
            return str(super().get_client_ip(request))
        except PermissionDenied:
            return NOWHERE

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002
        return reverse("settings")
