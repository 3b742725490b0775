"""Where the processes of a country keep their things below SMARTGOV_HOME.

`gateways/<agency>/gateway.yaml` and `gateways/<agency>/secrets/<subsystem>`: an information system reads its own
gateway's address and the shared secret of the local hop from here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smartgov.shared import content
from smartgov.shared.settings import get

INSTANCE = "TW"
MEMBER_CLASS = "GOV"
SYNTHETIC = "country.json"
"""What a home holds that was raised with made-up people: how many, and from when."""


def home() -> Path:
    """The country's folder."""
    return Path(get("SMARTGOV_HOME")).resolve()


def is_synthetic(folder: Path | None = None) -> bool:
    """Whether everybody in this home (default: this process's) is made up, whichever verb runs it."""
    return ((folder or home()) / SYNTHETIC).is_file()


def member_id(agency: str) -> str:
    """The T-Road id of an agency, for example `TW/GOV/ris`."""
    return f"{INSTANCE}/{MEMBER_CLASS}/{agency}"


def gateway_home(agency: str) -> Path:
    """The folder of an agency's gateway; ValueError for a code that could leave the folder."""
    if not agency.isascii() or not agency.replace("-", "").isalnum():
        raise ValueError("not an agency code")
    return home() / "gateways" / agency


def gateway_config(agency: str) -> dict[str, Any]:
    """The gateway's configuration file; FileNotFoundError when this machine has no such gateway."""
    config: dict[str, Any] = content.parse((gateway_home(agency) / "gateway.yaml").read_text())
    return config


def gateway_secret(agency: str, subsystem: str) -> str:
    """The secret that `subsystem` and its gateway share on the local hop."""
    if not subsystem.isalnum():
        raise ValueError("not a subsystem code")
    return (gateway_home(agency) / "secrets" / subsystem).read_text().strip()


def subsystems(agency: str) -> list[str]:
    """The information systems that share a secret with the agency's gateway, by name."""
    return sorted(path.name for path in (gateway_home(agency) / "secrets").iterdir())


def has_gateway(agency: str) -> bool:
    """Whether the home of the agency's gateway is on this machine."""
    return (gateway_home(agency) / "gateway.yaml").exists()


def gateway_url(agency: str) -> str:
    """The loopback address of an agency's gateway."""
    return f"http://127.0.0.1:{gateway_config(agency)['local_port']}"
