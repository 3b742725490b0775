"""The centre's doors, as a gateway and its commands see them. An answer that is an error is raised as its Problem."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import Any

from smartgov.engines.httpd import Client, Response
from smartgov.engines.httpd.failures import NotSentError
from smartgov.engines.troad.home import Home
from smartgov.engines.troad.received import problem_of
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

API = "/api/exchange/v1"
REQUESTS, STATE = f"{API}/joining/requests", f"{API}/joining/state"
ORDERS, ORDERED = f"{API}/certificates/orders", f"{API}/certificates/state"
DRAFT, OFFERS = f"{API}/offers/draft", f"{API}/offers"
SERVICES, CONTRACTS, RIGHTS = f"{API}/services/letters", f"{API}/contracts/letters", f"{API}/rights/letters"
ROOT, BUNDLE = "/exchange/trust/root.json", "/exchange/trust/bundle.json"
_TIMEOUT = 15


class CentreDoor:
    """One centre, by its address (`https://host`)."""

    def __init__(self, client: Client, origin: str) -> None:
        self._client, self.origin = client, origin.rstrip("/")

    async def write(self, path: str, letter: dict[str, Any]) -> dict[str, Any]:
        """Hand in a letter and read the answer."""
        body = Response.json(letter).body
        answer = await self._ask("POST", path, {"content-type": "application/json", "accept-language": "*"}, body)
        content: dict[str, Any] = answer.parsed()
        return content

    async def root(self, fingerprint: str) -> bytes:
        """The first root of the configuration, if it has this fingerprint (SHA-256, hex); Problem `root-foreign`."""
        root = (await self._ask("GET", ROOT)).body
        if not compare_digest(sha256(root).hexdigest(), plain(fingerprint)):
            raise _foreign(sha256(root).hexdigest())
        return root

    async def bundle(self) -> bytes:
        """The configuration as it is published."""
        return (await self._ask("GET", BUNDLE)).body

    async def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Response:
        try:
            answer = await self._client.request(
                method, self.origin + path, headers=headers, body=body, timeout=_TIMEOUT
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise _away(self.origin, _cause(error)) from error
        if answer.status >= 400:
            raise problem_of(answer)
        return answer


def of(at: Home, client: Client) -> CentreDoor:
    """The doors of the centre that this home has joined; Problem `centre-unset`."""
    if not at.centre:
        raise Problem(
            "centre-unset",
            422,
            what=Text("The settings do not say where the centre is.", "設定未載明管理中心網址。"),
            todo=Text(
                "Join with `smartgov gateway init`, which keeps it.", "請以 `smartgov gateway init` 加入並儲存網址。"
            ),
        )
    return CentreDoor(client, at.centre)


def plain(fingerprint: str) -> str:
    """A fingerprint as a person types it, without spaces, colons and capitals."""
    return "".join(fingerprint.replace(":", " ").split()).lower()


def _cause(error: Exception) -> Text:
    if isinstance(error, NotSentError):
        return Text("no connection: nothing listens there, or a firewall is between", "無法連線：未監聽或遭防火牆阻擋")
    if isinstance(error, TimeoutError):
        return Text(f"no answer within {_TIMEOUT} seconds", f"{_TIMEOUT} 秒內沒有回應")
    if isinstance(error, ValueError):
        return Text("this is no address that can be asked", "此網址無法使用")
    return Text("the connection broke off before the answer", "連線在回應前中斷")


def _away(origin: str, why: Text) -> Problem:
    return Problem(
        "centre-away",
        503,
        what=Text("The centre of T-Road does not answer.", "T-Road 管理中心沒有回應。"),
        why=Text(f"{origin}: {why.en}.", f"{origin}：{why.zh}。"),
        todo=Text("See whether the address is right, and try again.", "請確認網址後再試。"),
    )


def _foreign(found: str) -> Problem:
    return Problem(
        "root-foreign",
        409,
        what=Text(
            "This centre has another root than the one that you were told.", "此管理中心的信任根與您得知的不同。"
        ),
        why=Text(f"Its fingerprint is {found}.", f"其指紋為 {found}。"),
        todo=Text(
            "Ask the centre by telephone which one is right; do not go on before that.",
            "請以電話向管理中心查證，確認前切勿繼續。",
        ),
    )
