"""A page of allauth that we did not write stands in our page and uses our parts."""

from __future__ import annotations

import pytest
from django import forms
from django.template import Context, Engine, Origin, Template
from django.template.loader import render_to_string

LAYOUTS = {"entrance": '<section class="entrance">', "manage": '<div class="settings stack">'}


class Question(forms.Form):
    name = forms.CharField()


def draw(text: str, **context: object) -> str:
    if not text.startswith("{% extends"):
        text = "{% load allauth %}" + text
    # allauth reads the name of the template that an element stands in.
    origin = Origin("page.html", template_name="page.html")
    return Template(text, origin=origin, engine=Engine.get_default()).render(Context(context))


@pytest.mark.django_db
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_of_allauth_is_our_page(layout: str) -> None:
    page = draw(
        f'{{% extends "allauth/layouts/{layout}.html" %}}'
        "{% block head_title %}Signup{% endblock %}{% block content %}<h1>Here</h1>{% endblock %}"
    )

    assert "<title>Signup · Safelight</title>" in page
    assert LAYOUTS[layout] in page
    assert page.index(LAYOUTS[layout]) < page.index("<h1>Here</h1>")
    assert page.count("<main") == 1


def test_a_form_of_allauth_has_our_fields_and_buttons() -> None:
    page = draw(
        '{% element form form=form method="post" action="/x/" %}'
        "{% slot body %}{% element fields form=form %}{% endelement %}{% endslot %}"
        '{% slot actions %}{% element button type="submit" %}Go{% endelement %}'
        '{% element button tags="danger" name="away" %}Away{% endelement %}'
        '{% element button href="/back/" %}Back{% endelement %}{% endslot %}{% endelement %}',
        form=Question(),
    )

    assert '<form class="form" method="post" action="/x/">' in page
    assert '<label for="id_name">Name</label>' in page
    assert '<button class="button button-primary" type="submit">Go</button>' in page
    assert '<button class="button button-danger" name="away" type="submit">Away</button>' in page
    assert '<a class="button" href="/back/">Back</a>' in page


def test_a_choice_of_allauth_has_its_label() -> None:
    page = draw(
        '{% element field type="radio" name="email" value="a@example.com" id="one" checked=True %}'
        "{% slot label %}a@example.com{% endslot %}{% endelement %}"
    )

    assert '<label for="one">a@example.com</label>' in page
    assert 'value="a@example.com" checked' in page


@pytest.mark.parametrize(
    ("tags", "name"), [("success", "badge-good"), ("warning", "badge-bad"), ("primary", "badge")]
)
def test_a_badge_of_allauth_says_how_it_is_meant(tags: str, name: str) -> None:
    page = draw(f'{{% element badge tags="{tags}" %}}Verified{{% endelement %}}')

    assert name in page
    assert "Verified" in page


def test_a_panel_and_an_alert_of_allauth_are_ours() -> None:
    page = draw(
        "{% element panel %}{% slot title %}Keys{% endslot %}{% slot body %}None{% endslot %}"
        '{% endelement %}{% element alert level="error" %}{% slot message %}No{% endslot %}'
        "{% endelement %}"
    )

    assert '<section class="panel stack">' in page
    assert "<h2>Keys</h2>" in page
    assert '<p class="notice notice-error">No</p>' in page


def test_the_page_for_too_many_attempts_is_ours() -> None:
    # allauth answers with this template when somebody tries a password too often.
    assert "Not so fast" in render_to_string("429.html")
