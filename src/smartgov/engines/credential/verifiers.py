"""The register of verifiers: who may ask for which claims, why, and until when. Whoever is not in it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smartgov.engines.credential import tokens
from smartgov.engines.credential.dcql import Query
from smartgov.engines.credential.sdjwt import Path
from smartgov.engines.pki import keys
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

TYPE = "verifier-register+jwt"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A registered verifier. `client_id` is `x509_hash:` and the digest of its certificate; `allows` names, by type of
    credential, the claims that it may ask for (a path allows what lies below it).
    """

    client_id: str
    name: Text
    purpose: Text
    allows: Mapping[str, tuple[Path, ...]]
    until: datetime


def require_allowed(known: Iterable[Verifier], client_id: str, query: Query, *, now: datetime) -> Verifier:
    """The verifier of `client_id`, when all that `query` asks is allowed to it.

    Problems: `verifier-unknown`, `claim-not-allowed` (403); the second names type and claim.
    """
    found = next((one for one in known if one.client_id == client_id and now < one.until), None)
    if found is None:
        raise _unknown()
    for wanted in query.wanted:
        for vct in wanted.types:
            allowed = found.allows.get(vct, ())
            if vct not in found.allows:
                raise _not_allowed(vct, ())
            for claim in wanted.claims:
                if not any(claim.path[: len(path)] == path for path in allowed):
                    raise _not_allowed(vct, claim.path)
    return found


def token(known: Iterable[Verifier], *, sign: tokens.Sign, x5c: list[str], now: datetime, life: int) -> str:
    """The signed register, for wallets."""
    second = int(now.timestamp())
    rows = [to_json(one) for one in known]
    return tokens.compact({"typ": TYPE, "x5c": x5c}, {"iat": second, "exp": second + life, "verifiers": rows}, sign)


def read(text: str, key: keys.PublicKey, now: datetime) -> list[Verifier]:
    """The verifiers of a signed register; TokenError when it does not hold or is over."""
    payload = tokens.opened(text, key, TYPE)
    tokens.check_times(payload, now)
    try:
        return [from_json(one) for one in payload["verifiers"]]
    except (KeyError, TypeError, ValueError):
        raise tokens.TokenError("the register is malformed") from None


def to_json(one: Verifier) -> dict[str, Any]:
    """The JSON form."""
    return {
        "client_id": one.client_id,
        "name": one.name.as_dict(),
        "purpose": one.purpose.as_dict(),
        "allows": {vct: [list(path) for path in paths] for vct, paths in one.allows.items()},
        "until": one.until.isoformat(),
    }


def from_json(data: Mapping[str, Any]) -> Verifier:
    """A verifier from its JSON form."""
    allows = {vct: tuple(tuple(path) for path in paths) for vct, paths in data["allows"].items()}
    until = datetime.fromisoformat(data["until"])
    return Verifier(str(data["client_id"]), Text.of(data["name"]), Text.of(data["purpose"]), allows, until)


def _unknown() -> Problem:
    return Problem(
        "verifier-unknown",
        403,
        what=Text("This verifier is not registered. Nothing was shown.", "查驗者未登錄，未出示任何資料。"),
        why=Text("Only registered verifiers may ask for credentials.", "僅登錄的查驗者得要求出示憑證。"),
        todo=Text(
            "Do not show it elsewhere; ask the verifier to register.", "請勿改以其他方式出示，並請查驗者辦理登錄。"
        ),
    )


def _not_allowed(vct: str, path: Path) -> Problem:
    claim = ".".join(str(step) for step in path)
    return Problem(
        "claim-not-allowed",
        403,
        what=Text("This verifier may not ask for that. Nothing was shown.", "查驗者無權要求此資料，未出示任何資料。"),
        why=Text(f"Not registered for it: {vct} {claim}.".replace(" .", "."), f"未登錄的項目：{vct} {claim}。"),
        todo=Text("Ask the verifier why it wants to know.", "請詢問查驗者索取的理由。"),
        vct=vct,
        claim=claim,
    )
