"""The live process: `granian --interface asgi project.asgi:application`.

It carries Server-Sent Events only. Pages are served by project/wsgi.py, which is several times
faster at that than Django's own ASGI handler.
"""

from __future__ import annotations

import os

import django

from project.starting import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from apps.live.application import Live  # noqa: E402  the apps are loaded first

application = Live()
refuse_unsafe_settings()
