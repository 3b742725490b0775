"""Pages of `notify`."""

from django.urls import URLPattern, path

from smartgov.blocks.notify.web import views

app_name = "notify"
urlpatterns: list[URLPattern] = [
    path("", views.listing, name="list"),
    path("<uuid:notice>/read", views.read, name="read"),
]
