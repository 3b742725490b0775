"""Pages of `mydata`."""

from django.urls import URLPattern, path

from smartgov.blocks.mydata.web import views

app_name = "mydata"
urlpatterns: list[URLPattern] = [
    path("", views.trail, name="trail"),
    path("consents/", views.consents, name="consents"),
    path("consents/<uuid:consent>/revoke", views.revoke, name="revoke"),
    path("consents/<uuid:consent>/receipt", views.receipt, name="receipt"),
    path("requests/<uuid:request_id>", views.decide, name="request"),
]
