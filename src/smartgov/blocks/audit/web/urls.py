"""Pages of `audit`."""

from django.urls import path

from smartgov.blocks.audit.web import views

app_name = "audit"
urlpatterns = [path("", views.entries, name="entries")]
