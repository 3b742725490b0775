"""What the provider says of itself: OpenID discovery and RFC 8414 in one document, and RFC 9728 for userinfo."""

from __future__ import annotations

from typing import Any

from smartgov.engines.openid import jose, levels
from smartgov.engines.openid.asking import PROMPTS
from smartgov.engines.openid.ciba import CIBA
from smartgov.engines.openid.provider import PATHS, SCOPE_CLAIMS, Provider
from smartgov.engines.openid.tokens import EXCHANGE


def document(provider: Provider) -> dict[str, Any]:
    """The metadata of the authorization server."""
    methods = ["private_key_jwt", "self_signed_tls_client_auth", "tls_client_auth", "client_secret_basic", "none"]
    algorithms = list(jose.ALGORITHMS)
    return {
        "issuer": provider.issuer,
        **{name: provider.url(name) for name in PATHS},
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", CIBA, EXCHANGE],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "id_token_encryption_alg_values_supported": ["ECDH-ES"],
        "id_token_encryption_enc_values_supported": ["A256GCM"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": algorithms,
        "tls_client_certificate_bound_access_tokens": True,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        # Only clients of the plain profile come without a pushed request, each until its sunset.
        "require_pushed_authorization_requests": False,
        "scopes_supported": list(SCOPE_CLAIMS),
        "claims_supported": sorted({name for names in SCOPE_CLAIMS.values() for name in names} | _ALWAYS),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_details_types_supported": sorted(provider.details),
        "acr_values_supported": list(levels.SUPPORTED),
        "prompt_values_supported": sorted(PROMPTS),
        "ui_locales_supported": ["zh-Hant", "en"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_user_code_parameter_supported": False,
        "protected_resources": [provider.url("userinfo_endpoint")],
    }


_ALWAYS = {"sub", "acr", "amr", "auth_time", "sid", "act", "mandate"}


def protected_resource(provider: Provider) -> dict[str, Any]:
    """The metadata of the userinfo endpoint as a protected resource (RFC 9728)."""
    return {
        "resource": provider.url("userinfo_endpoint"),
        "authorization_servers": [provider.issuer],
        "scopes_supported": list(SCOPE_CLAIMS),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(jose.ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": True,
    }
