"""Settings are declared once, with type, default and help; an unknown `SMARTGOV_*` variable is an error."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Setting:
    """One declared setting; `default` is the text that an absent variable stands for."""

    name: str
    default: str
    help: str


DECLARED: tuple[Setting, ...] = (
    Setting("SMARTGOV_HOME", "var", "Folder of the running country: databases, homes of gateways and registers, logs."),
    Setting("SMARTGOV_CONFIG", "", "YAML file with any of these settings; environment variables win over it."),
    Setting("SMARTGOV_DATABASE_URL", "", "postgresql://user@host/db, or empty for SQLite in SMARTGOV_HOME."),
    Setting("SMARTGOV_DATABASE_NAME", "web.sqlite3", "File name of the SQLite database within SMARTGOV_HOME."),
    Setting("SMARTGOV_ROLES", "", "Comma list of centre, portal and agency:<code>; empty means all of them."),
    Setting("SMARTGOV_BLOCKS_OFF", "", "Comma list of optional blocks to leave out, with those that need them."),
    Setting(
        "SMARTGOV_DATA_KEY_FILE", "", "File with the 32-byte key of encrypted columns; empty: SMARTGOV_HOME/data.key."
    ),
    Setting("SMARTGOV_SECRET_KEY_FILE", "", "File with Django's secret key; empty: SMARTGOV_HOME/django.key."),
    Setting("SMARTGOV_ORIGIN", "http://localhost:8000", "The public origin of this web process (WebAuthn, links)."),
    Setting("SMARTGOV_PORT", "8000", "Port of the web process on loopback."),
    Setting("SMARTGOV_SMTP", "127.0.0.1:8025", "host:port of the mail server that takes our messages."),
    Setting("SMARTGOV_BANK_URL", "http://127.0.0.1:8026", "The paying bank's address."),
    Setting("SMARTGOV_PHONE_URL", "http://127.0.0.1:8024", "The mobile-identity service's address."),
    Setting("SMARTGOV_WALLET_URL", "", "The demo's wallet, which pages offer beside a code to scan; empty for none."),
    Setting("SMARTGOV_AUTHORITY_URL", "http://127.0.0.1:8023", "The citizens' certification authority's address."),
    Setting(
        "SMARTGOV_MOICA_URL", "http://127.0.0.1:8021", "Address of the authority of natural persons' certificates."
    ),
    Setting("SMARTGOV_TWFIDO_URL", "http://127.0.0.1:8021", "Address of TW FidO's calls for service providers."),
    Setting(
        "SMARTGOV_CARD_URL",
        "http://localhost:8020",
        "Address of the card helper on people's own machines; empty: nobody signs in with a card.",
    ),
    Setting("SMARTGOV_TIMESTAMP_URL", "http://127.0.0.1:8028", "The time-stamping authority's address (RFC 3161)."),
    Setting("SMARTGOV_LANGUAGE", "zh-hant", "Default language of pages: zh-hant or en."),
    Setting("SMARTGOV_DEBUG", "no", "yes shows tracebacks in the browser; never in production."),
    Setting(
        "SMARTGOV_DEMO",
        "no",
        "yes shows the demo's personas. Pages of a raised country are marked as synthetic in any case.",
    ),
    Setting("SMARTGOV_LOG_LEVEL", "info", "debug, info, warning or error."),
    Setting(
        "SMARTGOV_CLIENT_CERT_HEADER",
        "",
        "Header in which the proxy that ends TLS hands on a client's certificate (RFC 9440, Client-Cert); it must strip"
        " the header from outside. Empty: certificates of relying parties are not taken.",
    ),
    Setting(
        "SMARTGOV_CLIENT_ADDRESS_HEADER",
        "",
        "Header in which our own proxy writes the visitor's network address (the last entry counts), by which limits"
        " count. Empty: the connection's own address.",
    ),
    Setting(
        "SMARTGOV_OFFICER_PASSWORDS",
        "no",
        "yes lets officers set a password beside an authenticator app; citizens never have passwords.",
    ),
    Setting("SMARTGOV_RECOVERY_HOURS", "72", "How long means that were made in an account recovery cool, in hours."),
    Setting("SMARTGOV_PEERS", "", "Folder with test suites that others wrote; absent suites are reported as NOT RUN."),
    Setting("SMARTGOV_PEERS_RANDOM", "60", "How many random tables a peer (ARX) is asked about beside its own cases."),
    Setting(
        "SMARTGOV_PEERS_EXAMPLES",
        "50",
        "How many examples schemathesis makes up for each operation.",
    ),
)
_BY_NAME = {setting.name: setting for setting in DECLARED}
_IN_HOME = {"SMARTGOV_DATA_KEY_FILE": "data.key", "SMARTGOV_SECRET_KEY_FILE": "django.key"}


def get(name: str) -> str:
    """The value of a declared setting: environment, then the YAML file, then its default."""
    setting = _BY_NAME[name]
    value = os.environ.get(name)
    if value is None:
        value = _file_values(os.environ.get("SMARTGOV_CONFIG", "")).get(name, setting.default)
    if not value and name in _IN_HOME:
        value = os.path.join(get("SMARTGOV_HOME"), _IN_HOME[name])  # noqa: PTH118 - asked for each sealed value
    return value


def get_bool(name: str) -> bool:
    """A yes/no setting; anything else is refused."""
    value = get(name).lower()
    if value not in {"yes", "no"}:
        raise ValueError(f"{name} is {value!r}; write yes or no")
    return value == "yes"


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Names that look like ours but are not declared: a typing error that would otherwise pass in silence."""
    return sorted(name for name in environment if name.startswith("SMARTGOV_") and name not in _BY_NAME)


@lru_cache(maxsize=4)
def _file_values(path: str) -> dict[str, str]:
    if not path:
        return {}
    values = yaml.safe_load(Path(path).read_text()) or {}
    if strange := unknown(values):
        raise ValueError(f"{path} has unknown settings: {', '.join(strange)}")
    return {
        name: ("yes" if value is True else "no" if value is False else str(value)) for name, value in values.items()
    }
