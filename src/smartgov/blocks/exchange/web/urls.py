"""Pages of `exchange`."""

from django.urls import path

from smartgov.blocks.exchange.web import joining, views

app_name = "exchange"
urlpatterns = [
    path("", views.members, name="members"),
    path("rights", views.rights, name="rights"),
    path("joining", joining.desk, name="joining"),
    path("joining/approve", joining.approve, name="joining-approve"),
    path("joining/refuse", joining.turn_down, name="joining-refuse"),
    path("certificates/revoke", joining.revoke, name="certificates-revoke"),
    path("trust/root.json", joining.root, name="trust-root"),
    path("trust/bundle.json", joining.bundle, name="trust-bundle"),
]
