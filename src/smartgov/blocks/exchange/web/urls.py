"""Pages of `exchange`."""

from django.urls import path

from smartgov.blocks.exchange.web import offers, requests, views

app_name = "exchange"
urlpatterns = [
    path("", views.members, name="members"),
    path("members/<str:code>", views.member, name="member"),
    path("services", offers.services, name="services"),
    path("services/new", offers.new, name="service-new"),
    path("services/<str:service>", offers.service, name="service"),
    path("services/<str:service>/change", offers.change, name="service-change"),
    path("services/<str:service>/openapi", offers.document, name="service-openapi"),
    path("services/<str:service>/ask", requests.ask, name="ask"),
    path("requests", requests.requests, name="requests"),
    path("requests/<str:request_id>", requests.review, name="request"),
    path("rights", views.rights, name="rights"),
    path("rights/<str:right_id>/revoke", views.revoke, name="right-revoke"),
    path("rules", views.rules, name="rules"),
    path("traffic", views.traffic, name="traffic"),
]
