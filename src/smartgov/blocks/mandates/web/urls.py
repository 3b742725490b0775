"""Pages of `mandates`."""

from django.urls import URLPattern, path

from smartgov.blocks.mandates.web import views

app_name = "mandates"
urlpatterns: list[URLPattern] = [
    path("", views.mandates, name="list"),
    path("leave", views.leave, name="leave"),
    path("sign", views.sign, name="sign"),
    path("give", views.give, name="give"),
    path("<uuid:mandate>", views.mandate, name="one"),
    path("<uuid:mandate>/act", views.act, name="act"),
    path("<uuid:mandate>/answer", views.answer, name="answer"),
    path("<uuid:mandate>/receipt", views.receipt, name="receipt"),
    path("<uuid:mandate>/sign/options", views.sign_options, name="sign-options"),
]
