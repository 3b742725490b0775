"""Every way in which a gateway says no: one stable problem type each, in both languages.

The tables are the specification; `docs/protocols/troad-2.md` lists them and a test compares the two.
"""

from __future__ import annotations

from typing import Any

from smartgov.engines.troad.problems import gateways, messages, requests, rights
from smartgov.engines.troad.problems.advice import Row
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

TABLE: dict[str, Row] = gateways.TABLE | messages.TABLE | rights.TABLE | requests.TABLE
UNBELIEVABLE = frozenset({"answer-signature-invalid", "answer-mismatch", "answer-body-changed", "gateway-untrusted"})
"""Problems of an exchange that mean: an answer came, or a gateway answered, that cannot be believed."""
BETWEEN_GATEWAYS = frozenset(
    {
        "signature-missing",
        "signer-unknown",
        "signature-invalid",
        "peer-unknown",
        "peer-certificate-ended",
        "peer-revoked",
        "peer-mismatch",
        "receiver-mismatch",
        "body-changed",
        "message-stale",
    }
)
"""Refusals of one gateway by another, for its keys, its certificate or its clock: they say nothing of what was asked,
and end when an operator has done something. Who asked meets an outage.
"""


def refuse(slug: str, **extra: Any) -> Problem:
    """The Problem of this type; `extra` members are public facts about the case."""
    status, what, why, todo = TABLE[slug]
    return Problem(slug, status, what=Text(*what), why=Text(*why), todo=Text(*todo), **extra)
