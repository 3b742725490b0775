"""Django configuration of the theme."""

from django.apps import AppConfig


class ThemeConfig(AppConfig):
    """Tokens, components and templates; holds no models."""

    name = "smartgov.theme"
    label = "theme"
