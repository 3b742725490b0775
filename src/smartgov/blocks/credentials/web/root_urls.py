"""Addresses that the protocols fix at the root of the site (RFC 8615)."""

from __future__ import annotations

from django.urls import URLPattern, path

from smartgov.blocks.credentials.web import protocol

_BELOW = "credentials/issuers/<str:agency>"
urlpatterns: list[URLPattern] = [
    path(f".well-known/openid-credential-issuer/{_BELOW}", protocol.issuer_metadata, name="credential-issuer"),
    path(f".well-known/oauth-authorization-server/{_BELOW}", protocol.server_metadata, name="credential-server"),
]
