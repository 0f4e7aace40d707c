"""The program that opens one picture and ends; the only place that touches image libraries.

It runs as `python -I __main__.py` in a process of its own, without Django, settings or an
environment. Nothing outside this package imports from it (tests excepted).
"""

from __future__ import annotations
