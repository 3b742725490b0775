"""Pages of `ops`."""

from django.urls import path

from smartgov.blocks.ops.web import views

app_name = "ops"
urlpatterns = [
    path("live", views.live, name="live"),
    path("health", views.health, name="health"),
    path("", views.status, name="status"),
    path("deliveries/<int:delivery>/retry", views.retry, name="retry"),
    path("deliveries/<int:delivery>/drop", views.drop, name="drop"),
]
