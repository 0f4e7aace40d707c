from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.social.models import Comment, NotificationChoice
from apps.social.validators import tidy_text


class CommentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    class Meta:
        model = Comment
        fields = ["text"]
        labels = {"text": _("Your comment")}
        widgets = {"text": forms.Textarea(attrs={"rows": 3, "dir": "auto"})}

    def clean_text(self) -> str:
        return tidy_text(self.cleaned_data["text"])


class SeenForm(forms.Form):
    """The newest notification on the page that somebody has read."""

    up_to = forms.IntegerField(min_value=0, max_value=2**63 - 1)


class ChoiceForm(forms.Form):
    likes = forms.BooleanField(
        label=NotificationChoice._meta.get_field("likes").verbose_name, required=False
    )
    conversations = forms.BooleanField(
        label=NotificationChoice._meta.get_field("conversations").verbose_name, required=False
    )
