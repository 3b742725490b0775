"""Pages of `payments`."""

from django.urls import URLPattern, path

from smartgov.blocks.payments.web import views

app_name = "payments"
urlpatterns: list[URLPattern] = [
    path("", views.desk, name="desk"),
    path("batches/new", views.new_batch, name="new_batch"),
    path("batches/<str:batch_id>/", views.batch, name="batch"),
    path("batches/<str:batch_id>/release", views.release, name="release"),
    path("batches/<str:batch_id>/void", views.void, name="void"),
    path("results", views.results, name="results"),
    path("instructions/<str:instruction_id>/", views.instruction, name="instruction"),
]
