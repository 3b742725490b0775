"""Pages of `credentials`."""

from django.urls import URLPattern, path

from smartgov.blocks.credentials.web import views

app_name = "credentials"
urlpatterns: list[URLPattern] = [
    path("", views.desk, name="desk"),
    path("check", views.check, name="check"),
    path("verify/<str:code>", views.verify, name="verify"),
    path("manage/<str:code>", views.manage, name="manage"),
]
