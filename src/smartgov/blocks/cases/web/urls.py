"""Pages of `cases`."""

from django.urls import URLPattern, path

from smartgov.blocks.cases.web import births, desk

app_name = "cases"
urlpatterns: list[URLPattern] = [
    path("", desk.work_list, name="work_list"),
    path("births/", births.births, name="births"),
    path("births/new", births.new_birth, name="birth_new"),
    path("<str:case_id>/", desk.case, name="case"),
    path("<str:case_id>/supplement", desk.supplement, name="supplement"),
    path("<str:case_id>/decision", desk.decision, name="decision"),
    path("<str:case_id>/facts", desk.facts, name="facts"),
]
