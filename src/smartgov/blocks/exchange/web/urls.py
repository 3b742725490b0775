"""Pages of `exchange`."""

from django.urls import path

from smartgov.blocks.exchange.web import joining, offers, requests, views

app_name = "exchange"
urlpatterns = [
    path("", views.members, name="members"),
    path("members/<str:code>", views.member, name="member"),
    path("services", offers.services, name="services"),
    path("services/new", offers.new, name="service-new"),
    path("services/<str:service>", offers.service, name="service"),
    path("services/<str:service>/change", offers.change, name="service-change"),
    path("services/<str:service>/withdraw", offers.withdraw, name="service-withdraw"),
    path("services/<str:service>/openapi", offers.document, name="service-openapi"),
    path("services/<str:service>/ask", requests.ask, name="ask"),
    path("requests", requests.requests, name="requests"),
    path("requests/<str:request_id>", requests.review, name="request"),
    path("rights", views.rights, name="rights"),
    path("joining", joining.desk, name="joining"),
    path("joining/approve", joining.approve, name="joining-approve"),
    path("joining/refuse", joining.turn_down, name="joining-refuse"),
    path("certificates/revoke", joining.revoke, name="certificates-revoke"),
    path("trust/root.json", joining.root, name="trust-root"),
    path("trust/bundle.json", joining.bundle, name="trust-bundle"),
    path("rights/<str:right_id>/revoke", views.revoke, name="right-revoke"),
    path("rights/<str:right_id>/renew", views.renew, name="right-renew"),
    path("rules", views.rules, name="rules"),
    path("traffic", views.traffic, name="traffic"),
]
