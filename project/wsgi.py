"""The web process: `granian --interface wsgi project.wsgi:application`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from project.starting import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()
refuse_unsafe_settings()

from apps import caching  # noqa: E402  the apps are loaded first

caching.sweep_at_start()
