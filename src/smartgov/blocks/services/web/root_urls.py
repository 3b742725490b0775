"""The wall, at the root of the site."""

from __future__ import annotations

from django.urls import path

from smartgov.blocks.services.web import wall

urlpatterns = [path("", wall.home, name="home")]
