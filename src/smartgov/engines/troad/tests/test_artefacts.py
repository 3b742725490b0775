"""A consent that was read is kept, and yet counts only while its issuer is trusted and its time is not over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartgov.engines.pki import jws, keys
from smartgov.engines.troad import artefacts
from smartgov.engines.troad.artefacts import Reader
from smartgov.engines.troad.reference import Recipient
from smartgov.engines.troad.snapshot import Issuer
from smartgov.shared.problems import Problem
from smartgov.shared.tw import national_id

NOW = datetime(2026, 11, 29, 6, tzinfo=UTC)
PORTAL = "TW/GOV/portal"
ISSUER_KEY, READER_KEY = keys.generate_p256(), keys.generate_p256()
KID = keys.thumbprint(ISSUER_KEY.public_key())
MOTHER = national_id.make(7, 2)


def reader() -> Reader:
    return Reader("TW/GOV/hpa", "TW/GOV/hpa/gw1", READER_KEY)


def issuers() -> dict[str, Issuer]:
    return {KID: Issuer(PORTAL, ISSUER_KEY.public_key())}


def artefact(jti: str = "j-1", seconds: int = 60) -> str:
    return artefacts.make_consent(
        issuer=PORTAL,
        key=ISSUER_KEY,
        to=Recipient("TW/GOV/hpa/gw1", READER_KEY.public_key(), keys.thumbprint(READER_KEY.public_key())),
        subject=MOTHER,
        pairwise="p",
        holder="h",
        terms={
            "provider": "TW/GOV/hpa/births/births.v1",
            "requester": "TW/GOV/ris/cases",
            "fields": ["born_on"],
            "purpose": "birth-registration",
            "expires_at": (NOW + timedelta(seconds=seconds)).isoformat(),
            "jti": jti,
        },
        now=NOW,
    )


def refused(made: str, trusted: dict[str, Issuer], own: Reader, at: datetime) -> bool:
    with pytest.raises(Problem) as problem:
        artefacts.read_consent(made, trusted, own, at)
    return problem.value.slug == "consent-invalid"


def test_it_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    own, trusted, made = reader(), issuers(), artefact()
    first = artefacts.read_consent(made, trusted, own, NOW)
    assert (first.subject, first.jti, first.expires) == (MOTHER, "j-1", int(NOW.timestamp()) + 60)
    monkeypatch.setattr(jws, "verify", None)
    assert artefacts.read_consent(made, trusted, own, NOW + timedelta(seconds=59)) == first


def test_it_is_refused_when_its_time_is_over_or_not_come() -> None:
    own, trusted, made = reader(), issuers(), artefact()
    artefacts.read_consent(made, trusted, own, NOW)
    assert refused(made, trusted, own, NOW + timedelta(seconds=60))
    assert refused(made, trusted, own, NOW - timedelta(seconds=1)), "the clock was set back"


def test_it_is_refused_when_its_issuer_is_not_trusted_any_more() -> None:
    own, trusted, made = reader(), issuers(), artefact()
    artefacts.read_consent(made, trusted, own, NOW)
    assert refused(made, {}, own, NOW)
    assert refused(made, {KID: Issuer("TW/GOV/other", ISSUER_KEY.public_key())}, own, NOW)
    assert refused(made, {KID: Issuer(PORTAL, keys.generate_p256().public_key())}, own, NOW)
    assert artefacts.read_consent(made, issuers(), own, NOW).subject == MOTHER, "a new configuration says the same"


def test_an_altered_one_is_another() -> None:
    own, trusted, made = reader(), issuers(), artefact()
    artefacts.read_consent(made, trusted, own, NOW)
    head, payload, signature = made.split(".")
    for other in (f"{head}.{payload}.{signature[:-4]}AAAA", f"{head}.{payload[:-4]}AAAA.{signature}"):
        assert refused(other, trusted, own, NOW)
    assert list(own.kept) == [made]


def test_another_gateway_has_read_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, made = issuers(), artefact()
    artefacts.read_consent(made, trusted, reader(), NOW)
    foreign = Reader("TW/GOV/hpa", "TW/GOV/hpa/gw2", keys.generate_p256())
    with pytest.raises(Problem, match="consent-foreign"):
        artefacts.read_consent(made, trusted, foreign, NOW)


def test_only_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "KEPT", 2)
    own, trusted = reader(), issuers()
    one, two, three = (artefact(f"j-{number}") for number in range(3))
    read: list[Any] = [artefacts.read_consent(made, trusted, own, NOW).jti for made in (one, two, one, three)]
    assert read == ["j-0", "j-1", "j-0", "j-2"]
    assert list(own.kept) == [one, three]
