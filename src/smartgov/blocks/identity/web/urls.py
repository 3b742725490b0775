"""Pages of `identity`."""

from django.urls import path

from smartgov.blocks.identity.web import views

app_name = "identity"
urlpatterns = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
    path("seat", views.seat, name="seat"),
    path("kept/<str:kept>", views.kept, name="kept"),
    path("account", views.account, name="account"),
]
