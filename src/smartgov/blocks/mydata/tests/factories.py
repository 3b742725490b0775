"""A recorded T-Road for tests: every call is kept, every answer is what the test laid down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from smartgov.blocks.exchange.domain import Answer, Call
from smartgov.blocks.mydata import api
from smartgov.shared import clock
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

SILENT = Problem("provider-unreachable", 504, what=Text("The other agency does not answer.", "對方機關沒有回應。"))
Handler = Callable[[Call], Any]


@dataclass
class RecordedTransport:
    """Plays every gateway. `answers` maps (service, path) to a body, a Problem to raise, or a function of the call."""

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    trails: dict[str, Any] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    consents: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[dict[str, Any]] = field(default_factory=list)
    taken_back: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False

    def call(self, agency: str, call: Call) -> Answer:
        """Keep the call and give what is laid down; nothing laid down is silence."""
        self.calls.append(call)
        found = self.answers.get((call.service, call.path), SILENT)
        body = found(call) if callable(found) else found
        if isinstance(body, Exception):
            raise body
        return Answer(200, body, f"x-{len(self.calls)}", "log 1 2", call.service.rsplit("/", 2)[0], clock.now())

    def seal(self, agency: str, data: bytes) -> bytes:
        """Not used here."""
        raise NotImplementedError

    def seal_certificate(self, agency: str) -> tuple[str, Sequence[str]]:
        """Not used here."""
        raise NotImplementedError

    def consent(self, agency: str, **claims: Any) -> str:
        """An artefact that names its id."""
        if self.down:
            raise SILENT
        self.consents.append(claims)
        return f"artefact.{claims['jti']}"

    def revoke_consent(self, agency: str, *, jti: str, expires_at: str) -> None:
        """Remembered."""
        if self.down:
            raise SILENT
        self.taken_back.append((agency, jti, expires_at))

    def token(
        self,
        agency: str,
        *,
        subject: str,
        audience: str,
        gateway: str,
        assurance: int,
        jti: str,
        mandate: Mapping[str, Any] | None = None,
    ) -> str:
        """A token that names its audience."""
        known = {"subject": subject, "audience": audience, "assurance": assurance, "jti": jti}
        self.tokens.append(known | ({"mandate": mandate} if mandate else {}))
        assert gateway.startswith(f"{audience}/")
        return f"token.{gateway}"

    def trail(self, agency: str, *, member: str, gateway: str, token: str, have: int) -> dict[str, Any]:
        """The laid-down answer of a member's gateway (or of its only one), a function of `have` or a Problem."""
        assert token == f"token.{gateway}"
        found = self.trails.get(gateway, self.trails.get(member, SILENT))
        body = found(have) if callable(found) else found
        if isinstance(body, Exception):
            raise body
        return dict(body)

    def health(self, agency: str) -> dict[str, Any]:
        """Not used here."""
        raise NotImplementedError

    def configuration(self, agency: str) -> tuple[dict[str, Any], datetime]:
        """The laid-down members."""
        return {"members": self.members, "services": [], "rights": []}, clock.now() + timedelta(days=1)


def an_item(part: str = "allowance", agency: str = "sfaa", source: str = "mof") -> api.ConsentItem:
    """One thing to allow or refuse."""
    return api.ConsentItem(
        id=f"{part}:TW/GOV/{source}/taxation/taxation.v1",
        part=part,
        agency=agency,
        requester=f"TW/GOV/{agency}/cases",
        source=source,
        provider=f"TW/GOV/{source}/taxation/taxation.v1",
        fields=(api.FieldView("account", Text("Account", "帳號")),),
        purpose_code=f"birth.{part}",
        purpose=Text("To pay the allowance", "發給津貼"),
        on_refusal=Text("You type it yourself.", "您自行填寫。"),
    )
