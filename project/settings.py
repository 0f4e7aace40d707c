"""Settings of the site. Every difference between two installations is an environment variable.

Each variable may also be given as a file: `SECRET_KEY_FILE=/run/secrets/key`. docs/configuration.md
describes them all, and a test keeps it in step with this file. With no variable set the site runs
for development; with `DEBUG=false` it refuses to start with a value that would be unsafe.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from project.environment import Environment, smtp_options, storage_options

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = Environment()
# What is already in the environment wins; `make up` writes the addresses of the servers it
# started to var/stack.env, so that commands typed beside a running site reach the same ones.
for _file in env.list("ENV_FILES", default=[".env", "var/stack.env"]):
    if (BASE_DIR / _file).is_file():
        env.read_env(BASE_DIR / _file)

# --- The site ------------------------------------------------------------------------------------
# On for development, the default; the container image turns it off.
DEBUG = env.flag("DEBUG", default=True)
SITE_NAME = env.str("SITE_NAME", default="Safelight")
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
_site = urlsplit(SITE_URL)
_is_https = _site.scheme == "https"
SECRET_KEY = env.secret("SECRET_KEY", default="insecure-development-key" if DEBUG else None)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or (
    ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [_site.hostname or ""]
)
CSRF_TRUSTED_ORIGINS = [SITE_URL]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "apps.operations",
    "apps.social",
    "apps.photos",
    "apps.accounts",
    "apps.announcements",
    "apps.thumbnails",
    "apps.mail",
    "apps.webhooks",
    "apps.live",
    "apps.caching",
    "apps.messaging",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
]
MIDDLEWARE = [
    "apps.operations.middleware.name_requests",
    "apps.operations.middleware.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.caching.middleware.CacheHeaders",
    "apps.caching.middleware.RequestMemo",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
# templates/django/forms/ draws every field of every form of the site.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database ------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database("DATABASE_URL", default=BASE_DIR / "var" / "safelight.sqlite3"),
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
    },
}

# --- Cache ---------------------------------------------------------------------------------------
# redis://…, memcached://host:port, several separated by commas, or memory:// (one process only).
CACHE_URL = env.list("CACHE_URL", default=["memory://"])
CACHING = {
    "SERVERS": CACHE_URL,
    "PREFIX": env.str("CACHE_PREFIX", default="sl"),
    "VERSION": VERSION,
    # A host can be spelt with any port: whole pages are kept for the address of the site alone.
    "ORIGINS": [] if DEBUG else [SITE_URL],
    "HEADER": "X-Safelight-Cache",
    "REWRITE_QUEUE": "default",
}
# What libraries keep in Django's own cache lies on the same servers.
CACHES = {"default": {"BACKEND": "apps.caching.django_cache.DjangoCache"}}

# --- Message queue -------------------------------------------------------------------------------
BROKER_URL = env.str("BROKER_URL", default="redis://127.0.0.1:6379/1")
_is_rabbitmq = BROKER_URL.startswith("amqp")
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_DEFAULT_QUEUE = "default"
# Kept by several nodes, so that none of them is missed; apps/messaging/broker.py says the same.
CELERY_TASK_DEFAULT_QUEUE_TYPE = CELERY_TASK_CREATE_MISSING_QUEUE_TYPE = (
    "quorum" if _is_rabbitmq else "classic"
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
# Touched every few seconds by a worker that is alive: what a container's probe looks at.
CELERY_LIVENESS_FILE = env.str("LIVENESS_FILE", default="")
# None: a worker waits for its broker as long as it takes.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "socket_connect_timeout": 5,
        "socket_timeout": 15,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    if not _is_rabbitmq
    # A plain task has no row behind it: the broker says that it has the message.
    else {"confirm_publish": True}
)
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# On QUIT what runs has so long to end; on TERM, as long as the supervisor's grace.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BEAT_SCHEDULE_FILENAME = str(BASE_DIR / "var" / "beat")
# What may be left out once. What must not is a job with `every`, which the workers start: its
# periods are rows (apps/messaging/scheduling.py).
CELERY_BEAT_SCHEDULE = {
    "prune jobs": {
        "task": "messaging.prune",
        "schedule": timedelta(minutes=10),
        "options": {"queue": "default", "expires": 600},
    },
    "mend counts": {
        "task": "social.mend_counts",
        "schedule": timedelta(hours=1),
        "options": {"queue": "default", "expires": 3600},
    },
    "forget old calls of webhooks": {
        "task": "webhooks.prune",
        "schedule": timedelta(hours=6),
        "options": {"queue": "default", "expires": 3600},
    },
}
MESSAGING = {
    "LEASE_SECONDS": env.float("JOB_LEASE_SECONDS", default=30),
    "SWEEP_SECONDS": env.float("JOB_SWEEP_SECONDS", default=2),
    "RING_AGAIN_SECONDS": env.float("JOB_RING_AGAIN_SECONDS", default=10),
    "KEEP_DAYS": env.float("JOB_KEEP_DAYS", default=7),
    "EVENT_REDELIVER_SECONDS": env.float("EVENT_REDELIVER_SECONDS", default=30),
    "BEAT_SECONDS": env.float("JOB_BEAT_SECONDS", default=5),
    "SAMPLE_SECONDS": env.float("JOB_SAMPLE_SECONDS", default=30),
    "RETRIES_PER_SECOND": env.float("JOB_RETRIES_PER_SECOND", default=10),
    "RELEASE": VERSION,
}

# Services outside that are told what happens. Their addresses come from staff, but what a name
# resolves to does not: unless allowed, nothing in a private network is called.
WEBHOOKS = {
    "ALLOW_PRIVATE_NETWORKS": env.flag("WEBHOOKS_ALLOW_PRIVATE_NETWORKS", default=DEBUG),
}

# --- People --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.adapter.PasswordBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = int(timedelta(days=1).total_seconds())
# Names and addresses of those who never confirm are free again after so many days.
UNCONFIRMED_DAYS = env.int("UNCONFIRMED_DAYS", default=7)
# What somebody was told of, and has seen, is forgotten after so many days.
NOTIFICATION_DAYS = env.int("NOTIFICATION_DAYS", default=90)
AVATAR_MAX_BYTES = env.int("AVATAR_MAX_BYTES", default=10 * 1024 * 1024)
FILE_UPLOAD_HANDLERS = ["apps.accounts.forms.AvatarHandler"]

ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "apps.accounts.forms.LoginForm",
    "signup": "apps.accounts.forms.SignupForm",
    "add_email": "apps.accounts.forms.AddressForm",
    "change_password": "apps.accounts.forms.ChangePasswordForm",
    "reset_password": "apps.accounts.forms.ResetForm",
    "reset_password_from_key": "apps.accounts.forms.NewPasswordForm",
}
# Ends with a change of the address, too. allauth's own asks the database twice more, so that the
# time of a sign-up would tell whether a letter with such a token was written.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
# How long the browser that signed up is logged in by the confirmation.
ACCOUNT_LOGIN_TIMEOUT = int(timedelta(days=1).total_seconds())
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Beside allauth's own limits: letters that anybody may have sent to any address.
ACCOUNT_RATE_LIMITS = {
    "letter": "1/3m/key",
    "sign_up_letter": "1/3m/key",
    "ask_for_letter": "20/m/ip",
}

# --- Mail ----------------------------------------------------------------------------------------
# Not Django's EMAIL_* settings: their successor differs, and ours must stand on both.
MAIL_SERVER = {
    **smtp_options(env.str("EMAIL_URL", default="smtp://127.0.0.1:1025")),
    "timeout": env.int("EMAIL_TIMEOUT", default=30),
}
# RFC 5321 asks for ten minutes: who hangs up sooner may send twice what was being accepted.
EMAIL_ANSWER_TIMEOUT = env.int("EMAIL_ANSWER_TIMEOUT", default=600)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <noreply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The folder (Maildir) in which the local SMTP server of `make up` leaves what it was given.
INBOX_DIR = env.str("INBOX_DIR", default="")

# --- Photos --------------------------------------------------------------------------------------
PHOTO_MAX_BYTES = env.int("PHOTO_MAX_BYTES", default=50 * 1024 * 1024)
PHOTO_MAX_PIXELS = env.int("PHOTO_MAX_PIXELS", default=60_000_000)
PHOTO_MAX_SECONDS = env.int("PHOTO_MAX_SECONDS", default=45)
PHOTOS_PER_UPLOAD = env.int("PHOTOS_PER_UPLOAD", default=100)
PREVIEW_SECONDS = env.int("PREVIEW_SECONDS", default=6)
# Fewer than the threads of a web process: whoever waits for a preview holds one.
PREVIEWS_AT_ONCE = env.int("PREVIEWS_AT_ONCE", default=2)
# Above its own limit, so that the files too many are refused by their names; see OriginalsHandler.
DATA_UPLOAD_MAX_NUMBER_FILES = 2 * PHOTOS_PER_UPLOAD

# --- Files ---------------------------------------------------------------------------------------
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media"))()
# A CDN or another host may serve the renditions; by default the site (or its proxy) does.
MEDIA_URL = env.str("MEDIA_URL", default="/media/").rstrip("/") + "/"
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))()
STATICFILES_DIRS = [BASE_DIR / "static"]
# Empty: the folder MEDIA_ROOT. Or s3://key:secret@bucket/prefix?endpoint_url=…&region_name=…
STORAGE_URL = env.str("STORAGE_URL", default="")
STORAGES = {
    # What people uploaded: never served as it came.
    "default": storage_options("originals", root=MEDIA_ROOT, url=STORAGE_URL),
    # What the image workers made of it: public, immutable.
    "renditions": storage_options(
        "renditions", root=MEDIA_ROOT, url=STORAGE_URL, base_url=f"{MEDIA_URL}renditions/"
    ),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "project.staticfiles.HashedStaticFiles",
    },
}

# --- Language and time ---------------------------------------------------------------------------
LANGUAGES = [("en", _("English"))]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", [code for code, _name in LANGUAGES], default="en")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
USE_TZ = True

# --- Security ------------------------------------------------------------------------------------
# Where the live process answers; empty when it shares the origin of the site.
LIVE_URL = env.str("LIVE_URL", default="").rstrip("/")
LIVE_STREAMS_PER_PERSON = env.int("LIVE_STREAMS_PER_PERSON", default=30)
LIVE_STREAMS_PER_ADDRESS = env.int("LIVE_STREAMS_PER_ADDRESS", default=500)


def _origin(url: str) -> list[str]:
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *_origin(MEDIA_URL)],
        "font-src": [SELF],
        "connect-src": [SELF, *_origin(LIVE_URL)],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = _is_https and env.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _is_https
TRUST_PROXY = env.flag("TRUST_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
# Whom rate limits count: the last address in X-Forwarded-For, which the proxy itself wrote.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if TRUST_PROXY else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Logging -------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} {request_id} {message}",
            "style": "{",
        },
    },
    "filters": {"request_id": {"()": "apps.operations.middleware.RequestIdFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id"],
        },
    },
    "loggers": {
        # Django would write each line once more, by a handler of its own.
        "django": {"handlers": [], "level": "INFO"},
        # Two lines for every message, beside the one that says what became of it.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # It tells of each step of a picture as if that were news.
        "pyvips": {"level": "WARNING"},
    },
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO"),
    },
}
