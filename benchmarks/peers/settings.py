"""Django as the cache benchmarks need it: a database, our layer, and the peers side by side.

BENCH_APPS names the peers that are apps (`cacheops`, `cachalot`); they change Django's ORM for the
whole process, so what they are not measured in does without. BENCH_AUTOMATIC=1 lets cacheops keep
the queries of the races unasked.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from urllib.parse import urlsplit

import environ

VALKEY = os.environ.get("BENCH_VALKEY", "redis://127.0.0.1:6379")
MEMCACHED = os.environ.get("BENCH_MEMCACHED", "memcached://127.0.0.1:11211")
APPS = os.environ.get("BENCH_APPS", "").split()

SECRET_KEY = "nothing to keep secret in a benchmark"  # noqa: S105
USE_TZ = True
ALLOWED_HOSTS = ["*"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    *APPS,
    "apps.caching",
    "benchmarks.peers",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
DATABASES = {"default": environ.Env().db_url("DATABASE_URL")}

CACHING: dict[str, object] = {
    "SERVERS": [os.environ.get("BENCH_OURS", f"{VALKEY}/0")],
    "PREFIX": "bench",
    "REPORT_SECONDS": 0,
}
if timeout := os.environ.get("BENCH_TIMEOUT"):
    CACHING["SOCKET_TIMEOUT"] = float(timeout)

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "core": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"{VALKEY}/1",
    },
    "memcached": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": urlsplit(MEMCACHED).netloc,
    },
}
if find_spec("django_redis"):
    CACHES["django-redis"] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"{VALKEY}/2",
    }

CACHEOPS_REDIS = f"{VALKEY}/3"
CACHEOPS = {
    "bench.thing": {
        "ops": {"fetch"} if os.environ.get("BENCH_AUTOMATIC") else set(),
        "timeout": 300,
    },
    "bench.plain": {"ops": set(), "timeout": 300},
}
CACHALOT_CACHE = "django-redis"
CACHALOT_ONLY_CACHABLE_TABLES = frozenset({"bench_thing", "bench_watched"})
DOGPILE_REDIS = f"{VALKEY}/4"
CASHEWS = f"{VALKEY}/5"
