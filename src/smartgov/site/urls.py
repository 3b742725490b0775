"""The address plan: each block below its own name, services at the root, machines below /api and /troad."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from smartgov.site import front, machine

handler400 = "smartgov.site.middleware.bad_request"
handler403 = "smartgov.site.middleware.forbidden"
handler404 = "smartgov.site.middleware.not_found"
handler500 = "smartgov.site.middleware.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("language/", include("django.conf.urls.i18n")),
    path("api/", machine.api.urls),
    path("troad/<str:agency>/", machine.troad.urls),
]
if find_spec("smartgov.theme.web"):
    urlpatterns.append(path("theme/", include("smartgov.theme.web")))
for _name in settings.BLOCKS:
    urlpatterns.append(path(f"{_name}/", include(f"smartgov.blocks.{_name}.web.urls")))
    if find_spec(f"smartgov.blocks.{_name}.web.root_urls"):
        urlpatterns += import_module(f"smartgov.blocks.{_name}.web.root_urls").urlpatterns
if "services" not in settings.BLOCKS:
    urlpatterns.append(path("", front.home, name="home"))
