"""Settings: what an installation may choose comes from its data folder and a few environment variables.

| variable | meaning | default |
|---|---|---|
| LIANFANG_DATA | folder of keys, database, files | `data` in the current folder |
| DATABASE_URL | any PostgreSQL from version 15 | the embedded cluster in the data folder |
| LIANFANG_HOSTS | names under which it is reached, comma-separated | localhost |
| LIANFANG_TLS | `1` when served over TLS: cookies are then for https only | off |
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from .database import database_settings

LIANFANG_DATA = Path(os.environ.get("LIANFANG_DATA", "data")).absolute()
#: The checkout, or wherever the package lies.
ROOT_DIR = Path(__file__).resolve().parents[3]
#: Set by `lianfang demo` in the data folder: invented people, DEMO on every print, logins shown.
DEMO = (LIANFANG_DATA / "demo").exists()
DEBUG = False

_secret_file = LIANFANG_DATA / "keys" / "web" / "secret.key"
SECRET_KEY = _secret_file.read_text() if _secret_file.exists() else secrets.token_hex(32)

_TLS = os.environ.get("LIANFANG_TLS") == "1"
ALLOWED_HOSTS = [h for h in os.environ.get("LIANFANG_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [f"https://{h}" for h in ALLOWED_HOSTS] + [f"https://{h}:*" for h in ALLOWED_HOSTS]

#: The rooms, top to bottom (docs/where-is-what.md). An upper room may use a lower one, never the reverse.
ROOMS = [
    "command", "data_rights", "audit", "analysis", "gates", "relief", "supplies", "market", "permits", "enterprises",
    "reports", "duty", "orders", "survey", "concerns", "announcements", "messaging", "people", "rules", "accounts",
    "places", "credentials", "ledger", "kernel",
]  # fmt: skip
_SOURCE = Path(__file__).parents[1]
INSTALLED_APPS = [
    "lianfang.config",
    *(f"lianfang.{room}" for room in ROOMS if (_SOURCE / room / "migrations").exists()),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "lianfang.config.shell.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "lianfang.accounts.web.SurfaceMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "lianfang.config.urls"
WSGI_APPLICATION = "lianfang.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database_settings(LIANFANG_DATA)}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "lianfang.config.shell.context",
            ],
        },
    }
]

#: Rooms keep their jobs in `jobs.py`.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
# Nothing is collected: files are served from where they stand in the package.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "/login/"
CSRF_FAILURE_VIEW = "lianfang.config.pages.csrf_failure"
AXES_LOCKOUT_TEMPLATE = "429.html"
# Lock-out by user and address: who types wrong passwords locks out that pair, and nobody else's login.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_SENSITIVE_PARAMETERS = ["code", "password", "second_factor_code"]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _TLS
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

#: The district's log and its witnesses; filled from `data/chain.json` (docs/chain.md).
from .chain import chain_settings  # noqa: E402 - reads the data folder fixed above

LIANFANG_CHAIN_ORIGIN, LIANFANG_WITNESSES = chain_settings(LIANFANG_DATA)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # axes writes the login name of every failure; a phone number may have been typed there.
    "loggers": {"lianfang": {"level": "INFO"}, "axes": {"level": "CRITICAL"}},
}
