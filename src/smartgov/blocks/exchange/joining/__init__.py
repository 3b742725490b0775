"""Verbs of joining: a gateway's letter becomes a request, an officer decides, the worker issues; and what follows.

Web processes keep letters and decisions; only the worker, which has the authority's key, makes certificates.
"""

from smartgov.blocks.exchange.joining.certificates import (
    REASONS,
    CertificateView,
    certificates_check,
    gateway_certificates,
    order,
    order_state,
    revoke_certificates,
)
from smartgov.blocks.exchange.joining.offers import draft, hand_in
from smartgov.blocks.exchange.joining.requests import (
    JoinView,
    approve,
    joining_requests,
    receive,
    state_of,
    turn_down,
)
from smartgov.blocks.exchange.joining.speakers import registered
from smartgov.blocks.exchange.joining.worker import issue_ordered, issue_waiting, keep_joining

__all__ = [
    "REASONS",
    "CertificateView",
    "JoinView",
    "approve",
    "certificates_check",
    "draft",
    "gateway_certificates",
    "hand_in",
    "issue_ordered",
    "issue_waiting",
    "joining_requests",
    "keep_joining",
    "order",
    "order_state",
    "receive",
    "registered",
    "revoke_certificates",
    "state_of",
    "turn_down",
]
