"""Roles, what a phone signs, and freshness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smartgov.blocks.identity import domain
from smartgov.shared import content

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def fresh(issued: datetime | str, later: int = 60) -> bool:
    text = issued if isinstance(issued, str) else issued.isoformat()
    return domain.is_fresh(issued=text, created_at=START, now=START + timedelta(seconds=later))


def test_a_signature_is_fresh_within_its_request() -> None:
    assert fresh(START + timedelta(seconds=40))
    assert fresh(START - timedelta(seconds=20))
    assert not fresh(START - timedelta(seconds=31))
    assert not fresh(START + timedelta(seconds=91))
    assert not fresh(START + timedelta(seconds=200), later=240)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22T06:00:30"])
def test_a_time_without_zone_or_sense_is_not_fresh(text: str) -> None:
    assert not fresh(text)


def test_signed_content_is_canonical() -> None:
    signed = domain.signed_content(
        origin="https://a", nonce="n", number="42", text={"en": "e", "zh": "中"}, issued="2026-11-22T06:00:30+00:00"
    )
    assert signed.decode() == (
        '{"issued":"2026-11-22T06:00:30+00:00","nonce":"n","number":"42","origin":"https://a",'
        '"text":{"en":"e","zh":"中"}}'
    )


def test_thumbprint_follows_rfc_7638_and_ignores_other_members() -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "BB"}
    assert domain.thumbprint(jwk) == domain.thumbprint({**jwk, "kid": "x", "use": "sig"})
    assert len(domain.thumbprint(jwk)) == 43


def test_a_point_off_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="curve"):
        domain.public_key({"x": "AQ", "y": "AQ"})


def test_roles_of_this_jurisdiction_can_be_read() -> None:
    roles = domain.read_roles(content.read("roles.yaml"))
    assert roles["citizen"].allows("services.apply")
    assert not roles["citizen"].allows("cases.decide")


def test_roles_need_a_citizen_and_known_permissions() -> None:
    with pytest.raises(ValueError, match="citizen"):
        domain.read_roles({"roles": {}})
    role = domain.Role("citizen", domain.Text("c", "民"), frozenset({"services.aply"}))
    assert domain.unknown_permissions({"citizen": role}, ["services.apply"]) == ["services.aply"]
