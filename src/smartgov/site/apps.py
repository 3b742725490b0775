"""Django configuration of the composition root."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Joins the blocks: which event leads to which verb."""

    name = "smartgov.site"
    label = "site"
