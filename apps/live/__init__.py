"""Server-Sent Events: topics to browsers, from a process of its own.

live.register("photo", may_listen=…, read_state=…)     # in the ready() of the app that owns it
messaging.publish("photo.developed", {"photo": "…"})   # every page that shows it is told
"""

from __future__ import annotations

from apps.live.channels import Channel, State, Viewer, extend, forget, register

__all__ = ["Channel", "State", "Viewer", "extend", "forget", "register"]
