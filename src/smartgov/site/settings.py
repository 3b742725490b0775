"""Django's settings, derived from the declared ones in `smartgov.shared.settings`."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from smartgov.shared import homes, sealed
from smartgov.shared.settings import get, get_bool, unknown
from smartgov.site.blocks import chosen_for

if strange := unknown(os.environ):
    raise RuntimeError(f"Unknown settings: {', '.join(strange)}. `smartgov settings` lists the declared ones.")

HOME = Path(get("SMARTGOV_HOME")).resolve()
HOME.mkdir(parents=True, exist_ok=True)
sealed.create_data_key(Path(get("SMARTGOV_DATA_KEY_FILE")))


def _secret_key() -> str:
    path = Path(get("SMARTGOV_SECRET_KEY_FILE"))
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


def _database() -> dict[str, Any]:
    url = get("SMARTGOV_DATABASE_URL")
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": HOME / get("SMARTGOV_DATABASE_NAME"),
            # The last connection that closes writes the whole WAL back; opening one runs the pragmas below again.
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme != "postgresql":
        raise RuntimeError("SMARTGOV_DATABASE_URL starts with postgresql://; leave it empty for SQLite.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
    }


SECRET_KEY = _secret_key()
DEBUG = get_bool("SMARTGOV_DEBUG")
DEMO = get_bool("SMARTGOV_DEMO")
SYNTHETIC = DEMO or homes.is_synthetic()
"""Whether every page says that its people are made up: of a raised country also where the demo's helps are off."""
ORIGIN = get("SMARTGOV_ORIGIN")
ALLOWED_HOSTS = [urlsplit(ORIGIN).hostname or "localhost", "127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [ORIGIN]
ROLES = frozenset(role for role in get("SMARTGOV_ROLES").replace(" ", "").split(",") if role)
BLOCKS = chosen_for(ROLES, get("SMARTGOV_BLOCKS_OFF"))

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "smartgov.theme",
    *(f"smartgov.blocks.{name}" for name in BLOCKS),
    "smartgov.site",
]
AUTH_USER_MODEL = "identity.Account"
AUTHENTICATION_BACKENDS = ["smartgov.blocks.identity.sessions.AccountBackend"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "smartgov.site.middleware.Guard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "smartgov.site.middleware.Problems",
]
ROOT_URLCONF = "smartgov.site.urls"
WSGI_APPLICATION = "smartgov.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "smartgov.site.context.frame",
            ]
        },
    }
]
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

LANGUAGE_CODE = get("SMARTGOV_LANGUAGE")
LANGUAGES = [("zh-hant", _("Traditional Chinese")), ("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Taipei"
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"

_SECURE = ORIGIN.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Several countries may run on one machine, and cookies do not tell ports apart.
SESSION_COOKIE_NAME = f"smartgov_session_{urlsplit(ORIGIN).port or 'web'}"
CSRF_COOKIE_NAME = f"smartgov_csrf_{urlsplit(ORIGIN).port or 'web'}"
CSRF_FAILURE_VIEW = "smartgov.site.middleware.not_from_our_page"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20  # bodies without files: forms and messages
SESSION_ENGINE = "smartgov.blocks.identity.session_store"
LANGUAGE_COOKIE_NAME = "smartgov_language"
SESSION_COOKIE_AGE = 60 * 30
# `identity.sessions` notes the last request once a minute, and that renews the cookie; no page writes a row otherwise.
SESSION_SAVE_EVERY_REQUEST = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
