"""Pages of `exchange`."""

from django.urls import path

from smartgov.blocks.exchange.web import views

app_name = "exchange"
urlpatterns = [
    path("", views.members, name="members"),
    path("rights", views.rights, name="rights"),
]
