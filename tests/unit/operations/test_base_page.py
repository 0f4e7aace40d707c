"""The page that every other stands in, the pages of failed requests, and the fields of forms."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.views.csrf import csrf_failure
from django.views.defaults import bad_request, permission_denied, server_error

from apps.accounts.models import User
from tests.support.accounts import make_user

ERRORS = ["400", "403", "403_csrf", "404", "413", "429", "500"]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_page_is_drawn_without_a_request_and_a_database(name: str) -> None:
    page = render_to_string(f"{name}.html")

    assert name[:3] in page
    assert 'data-theme="auto"' in page
    assert 'name="robots" content="noindex"' in page
    assert 'href="/"' in page


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_page_asks_no_session_either(name: str, rf: RequestFactory) -> None:
    request = rf.get("/", HTTP_COOKIE="theme=dark; sessionid=whatever")

    page = render_to_string(f"{name}.html", request=request)

    assert 'data-theme="dark"' in page
    assert 'content="dark"' in page


def test_a_broken_page_says_the_code_to_quote() -> None:
    assert "<code>req-1</code>" in render_to_string("500.html", {"request_id": "req-1"})
    assert "<code>" not in render_to_string("500.html")


@pytest.mark.django_db
def test_an_address_that_is_not_there_says_so_without_a_query(
    client: Client, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/nothing/is/here/")

    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "Nothing is here" in response.content.decode()


@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (server_error, 500, "The fault is ours"),
        (lambda request: bad_request(request, Exception()), 400, "was not understood"),
        (lambda request: permission_denied(request, Exception()), 403, "not open to you"),
        (csrf_failure, 403, "That form was too old"),
    ],
)
def test_django_finds_our_error_pages(rf: RequestFactory, view, status: int, words: str) -> None:
    response = view(rf.get("/"))

    assert response.status_code == status
    assert words in response.content.decode()


def test_the_first_link_leads_to_the_content(rf: RequestFactory) -> None:
    page = render_to_string("404.html", request=rf.get("/"))

    assert page.index('href="#content"') < page.index("<header")
    assert '<main id="content"' in page
    assert '<html lang="en" dir="ltr"' in page


@pytest.mark.django_db
class TestTheMenu:
    """What the header offers, by who looks."""

    def draw(self, rf: RequestFactory, user: User | AnonymousUser) -> str:
        request = rf.get("/")
        request.user = user
        return render_to_string("base.html", {"user": user}, request=request)

    def test_a_stranger_may_log_in_or_sign_up(self, rf: RequestFactory) -> None:
        page = self.draw(rf, AnonymousUser())

        assert 'href="/accounts/login/"' in page
        assert 'href="/accounts/signup/"' in page
        assert "popover" not in page

    def test_a_person_may_upload_and_log_out_by_a_form(self, rf: RequestFactory) -> None:
        page = self.draw(rf, User(username="ada", display_name="Ada <3"))

        assert 'href="/photos/upload/"' in page
        assert 'href="/people/ada/"' in page
        assert '<form method="post" action="/accounts/logout/">' in page
        assert "Menu of Ada &lt;3" in page
        assert "/admin/" not in page

    def test_staff_find_the_administration(self, rf: RequestFactory) -> None:
        assert 'href="/admin/"' in self.draw(rf, User(username="ada", is_staff=True))

    def test_the_inbox_is_in_the_menu_of_a_development_machine(
        self, rf: RequestFactory, settings
    ) -> None:
        ada = User(username="ada")
        settings.DEBUG, settings.INBOX_DIR = True, "/var/inbox"

        assert 'href="/inbox/"' in self.draw(rf, ada)

        settings.INBOX_DIR = ""
        assert 'href="/inbox/"' not in self.draw(rf, ada)


class SignUp(forms.Form):
    name = forms.CharField(help_text="As others see it.")
    about = forms.CharField(widget=forms.Textarea, required=False)
    agreed = forms.BooleanField(label="I agree")
    colour = forms.ChoiceField(choices=[("r", "Red"), ("g", "Green")], widget=forms.RadioSelect)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_wrong_field_is_tied_to_its_error_and_its_help() -> None:
    form = SignUp({"agreed": "on", "colour": "r"})

    page = str(form)

    assert 'aria-invalid="true" aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert 'id="id_name_helptext"' in page
    assert page.count("has-error") == 1


def test_every_field_has_its_label() -> None:
    page = str(SignUp())

    for name in ("name", "about", "agreed"):
        assert f'<label for="id_{name}">' in page
    assert "<legend>Colour</legend>" in page
    assert '<input type="hidden" name="secret"' in page


def test_an_optional_field_says_so() -> None:
    page = str(SignUp())

    assert page.count("field-optional") == 1


def test_what_is_wrong_with_the_whole_form_is_an_alert() -> None:
    form = SignUp({"name": "Ada", "agreed": "on", "colour": "r"})
    form.full_clean()
    form.add_error(None, "These do not go together.")

    page = str(form)

    assert 'role="alert"' in page
    assert "These do not go together." in page


def test_help_and_errors_are_escaped() -> None:
    class Sharp(forms.Form):
        name = forms.CharField(label="<b>")

    form = Sharp({"name": "x"})
    form.full_clean()
    form.add_error("name", "<script>")

    assert "<script>" not in str(form)
    assert "<b>" not in str(form)


def test_the_theme_of_the_admin_follows_the_cookie(client: Client, db: None) -> None:
    client.force_login(make_user(is_staff=True))
    client.cookies["theme"] = "light"

    page = client.get("/admin/").content.decode()

    assert '<meta name="color-scheme" content="light">' in page
    assert "admin/js/theme.js" not in page
    assert "css/admin.css" in page


def test_the_policy_allows_nothing_inline(client: Client, db: None) -> None:
    policy = client.get("/nothing/").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
