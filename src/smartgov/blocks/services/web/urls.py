"""Pages of `services`."""

from django.urls import URLPattern, path

from smartgov.blocks.services.web import after, steps, wall

app_name = "services"
_ONE = "applications/<uuid:application>"
urlpatterns: list[URLPattern] = [
    path("", wall.catalogue, name="catalogue"),
    path("start", steps.start, name="start"),
    path("certificates/<str:certificate>", after.certificate, name="certificate"),
    path("certificates/<str:certificate>/wallet", after.wallet, name="wallet"),
    path("questions/<uuid:supplement>", after.question, name="question"),
    path(f"{_ONE}/", after.timeline, name="application"),
    path(f"{_ONE}/pages/<slug:page>", steps.page, name="page"),
    path(f"{_ONE}/consent", steps.consent, name="consent"),
    path(f"{_ONE}/facts", steps.facts, name="facts"),
    path(f"{_ONE}/check", steps.check, name="check"),
    path(f"{_ONE}/withdraw", steps.withdraw, name="withdraw"),
    path("<slug:service>/", wall.service, name="service"),
]
