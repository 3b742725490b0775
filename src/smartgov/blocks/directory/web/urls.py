"""Pages of `directory`."""

from django.urls import path

from smartgov.blocks.directory.web import views

app_name = "directory"
urlpatterns = [path("", views.agencies, name="agencies")]
