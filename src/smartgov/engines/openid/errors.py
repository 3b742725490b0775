"""What the provider answers when it says no: the error codes of the OAuth and OpenID specifications, nothing else."""

from __future__ import annotations

from collections.abc import Mapping

# Codes that are answered with 401 at the token endpoint and its neighbours (RFC 6749 5.2, RFC 9449 7.1).
_UNAUTHORISED = frozenset({"invalid_client", "invalid_token"})


class OAuthError(Exception):
    """A refusal in the protocol's own words.

    `code` is one of the registered error codes. `description` is for the developer at the other end: plain ASCII
    English, never a value that came with the request. `headers` go with the answer.
    """

    def __init__(self, code: str, description: str, status: int = 0, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description = code, description
        self.status = status or (401 if code in _UNAUTHORISED else 400)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, str]:
        """The JSON members of the answer (RFC 6749 section 5.2)."""
        return {"error": self.code, "error_description": self.description}


class NotAnsweredToClientError(Exception):
    """The request names no client, or a redirect that is not the client's: only the person may be told (RFC 9700 4.1).

    `code` is `client`, `redirect` or `request`.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description = code, description


def invalid(description: str) -> OAuthError:
    """The request itself is wrong."""
    return OAuthError("invalid_request", description)
