"""Pages about one's own account, beside those of allauth."""

from __future__ import annotations

from allauth.account.internal.flows.email_verification import verify_email_and_resume
from allauth.account.internal.flows.logout import logout
from allauth.account.models import EmailConfirmationHMAC
from allauth.core import ratelimit
from allauth.decorators import rate_limit
from django.conf import settings as site
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import services
from apps.accounts.forms import DeleteForm, LetterForm, ProfileForm
from apps.accounts.models import User


class PersonRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: PersonRequest) -> HttpResponse:
    """What others see of a person, and the way to all else that can be set."""
    person = request.user
    form = ProfileForm(request.POST or None, request.FILES or None, person=person)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        services.change_profile(
            person=person,
            display_name=data["display_name"],
            bio=data["bio"],
            language=data.get("language", person.language),
        )
        if data["avatar"]:
            services.change_avatar(person=person, upload=data["avatar"])
        elif data.get("remove_avatar"):
            services.remove_avatar(person=person)
        messages.success(request, _("Your changes are kept."))
        return _in_language(redirect("settings"), person.language)
    context = {"form": form, "person": person, "is_developing": person.is_avatar_developing}
    return render(request, "accounts/settings.html", context)


@login_required
@never_cache
@require_safe
def avatar_state(request: PersonRequest) -> JsonResponse:
    """How far the avatar is, for the page that waits for it."""
    person = request.user
    is_ready = person.avatar_state == User.AvatarState.READY
    return JsonResponse(
        {
            "state": person.avatar_state,
            "reason": person.avatar_problem,
            # While a new one develops the one before is no news.
            "renditions": {"96.webp": person.avatar_url} if is_ready else {},
        }
    )


@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@rate_limit(action="reauthenticate")  # type: ignore[untyped-decorator]
def delete(request: PersonRequest) -> HttpResponse:
    """Delete the account, once the password is typed."""
    form = DeleteForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        services.delete_account(person=request.user)
        logout(request, show_message=False)
        messages.success(request, _("Your account is deleted, and all that was in it."))
        return redirect("home")
    return render(request, "accounts/delete.html", {"form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@rate_limit(action="ask_for_letter")  # type: ignore[untyped-decorator]
def ask_for_letter(request: HttpRequest) -> HttpResponse:
    """Send the confirmation letter again; the answer is the same for every address."""
    form = LetterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if ratelimit.consume(request, action="letter", key=email):
            services.ask_for_letter(email=email)
        return redirect("account_email_verification_sent")
    return render(request, "accounts/ask_for_letter.html", {"form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, key: str) -> HttpResponse:
    """The page behind the link of a letter: its one button confirms the address.

    Opening it does nothing, as programs that check letters open links too. A link that was used,
    replaced or is too old is told so, with the way to a new one.
    """
    confirmation = EmailConfirmationHMAC.from_key(key)
    if request.method == "POST" and confirmation is not None:
        address, logged_in = verify_email_and_resume(request, confirmation)
        if isinstance(logged_in, HttpResponse):  # this browser signed up
            return logged_in
        if address is not None:
            return redirect("settings" if request.user.is_authenticated else "account_login")
    return render(request, "account/email_confirm.html", {"confirmation": confirmation})


def _in_language(response: HttpResponse, language: str) -> HttpResponse:
    """Let the next page speak the language that was chosen, or that of the browser."""
    if language:
        response.set_cookie(site.LANGUAGE_COOKIE_NAME, language, samesite="Lax")
    else:
        response.delete_cookie(site.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response
