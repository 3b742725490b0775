"""Whether a gateway has joined: said to whoever starts or asks one that has not."""

from __future__ import annotations

from pathlib import Path

from smartgov.engines.troad import home as homes
from smartgov.engines.troad.configuration import Configuration
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

TODO = Text(
    "Finish `smartgov gateway init` with the same --home: it goes on where it stopped.",
    "請以相同 --home 重新執行 `smartgov gateway init`，將自中斷處繼續。",
)


def is_listed(configuration: Configuration, gateway: str) -> bool:
    """Whether the configuration lists the gateway; True when none can be read, which is said elsewhere."""
    try:
        return gateway in configuration.current().gateways
    except Problem:
        return True


def not_joined(home: Path) -> Problem | None:
    """Why the centre does not know this home, if that is because it has not joined yet."""
    certificate = homes.certificate(home)
    if certificate.issuer != certificate.subject:
        return None
    return Problem(
        "not-joined",
        409,
        what=Text("This gateway has not joined T-Road yet.", "此閘道尚未加入 T-Road。"),
        why=Text("The centre has given it no certificate.", "管理中心尚未簽發其憑證。"),
        todo=TODO,
    )
