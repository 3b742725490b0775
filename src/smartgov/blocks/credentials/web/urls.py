"""Pages of `credentials`."""

from django.urls import URLPattern, path

from smartgov.blocks.credentials.web import asking, describing, protocol, views, wallet

app_name = "credentials"
urlpatterns: list[URLPattern] = [
    path("", views.desk, name="desk"),
    path("check", views.check, name="check"),
    path("check.json", views.check_program, name="check-json"),
    path("openapi.json", describing.view, name="openapi"),
    path("verify/<str:code>", views.verify, name="verify"),
    path("manage/<str:code>", views.manage, name="manage"),
    path("wallet", wallet.kinds, name="wallet"),
    path("wallet/<str:agency>/<str:template>", wallet.offer, name="wallet-offer"),
    path("verifiers", wallet.verifiers, name="register"),
    path("ask", asking.ask, name="ask"),
    path("asked/<str:asked>", asking.asked, name="asked"),
    path("asked/<str:asked>/state", asking.asked_state, name="asked-state"),
    path("issuers/<str:agency>/token", protocol.token, name="token"),
    path("issuers/<str:agency>/nonce", protocol.nonce, name="nonce"),
    path("issuers/<str:agency>/credential", protocol.credential, name="credential"),
    path("lists/<str:agency>/<str:number>", protocol.status_list, name="status-list"),
    path("verifiers.jwt", protocol.verifiers, name="verifiers"),
    path("presentations/<str:asked>/request", protocol.request_object, name="request-object"),
    path("presentations/<str:asked>/answer", protocol.answer, name="answer"),
]
