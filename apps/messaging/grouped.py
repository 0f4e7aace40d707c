"""The page of the dead: one row for each cause, with its decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.messaging import dead
from apps.messaging.models import Job

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


def page(admin: ModelAdmin[Job], request: HttpRequest) -> HttpResponse:
    """Show the groups of dead jobs; a POST decides on one group, or on all that are shown."""
    return _page(request, admin)


@require_http_methods(["GET", "HEAD", "POST"])
def _page(request: HttpRequest, admin: ModelAdmin[Job]) -> HttpResponse:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    may_decide = request.user.has_perm("messaging.change_job")
    if request.method == "POST":
        if not may_decide:
            raise PermissionDenied
        return _decide(request)
    everything = dead.groups()
    chosen = _choice(request.GET)
    groups = dead.groups(chosen.jobs())
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Dead jobs by cause"),
        "opts": Job._meta,
        "groups": groups,
        "count": sum(group.count for group in groups),
        "chosen": chosen,
        "queues": sorted({group.queue for group in everything}),
        "tasks": sorted({group.task for group in everything}),
        "may_decide": may_decide,
    }
    return TemplateResponse(request, "admin/messaging/job/dead.html", context)


def _decide(request: HttpRequest) -> HttpResponse:
    ids = _choice(request.POST).jobs().order_by("pk").values_list("pk", flat=True)
    match request.POST.get("decision"):
        case "retry":
            count = dead.retry(ids)
            text = ngettext("%d job is tried again.", "%d jobs are tried again.", count)
        case "discard":
            count = dead.discard(ids)
            text = ngettext("%d job was discarded.", "%d jobs were discarded.", count)
        case _:
            return HttpResponse(_("That is no decision."), status=400, content_type="text/plain")
    messages.success(request, text % count)
    shown = {name: request.GET.get(name) for name in ("queue", "task")}
    query = urlencode({name: value for name, value in shown.items() if value})
    return redirect(f"{reverse('admin:messaging_job_dead')}{'?' if query else ''}{query}")


def _choice(asked: QueryDict) -> dead.Choice:
    return dead.Choice(
        queue=asked.get("queue") or "", task=asked.get("task") or "", group=asked.get("group")
    )
