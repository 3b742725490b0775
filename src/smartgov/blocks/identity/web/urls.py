"""Pages of `identity`."""

from django.urls import path

from smartgov.blocks.identity.web import openid_parties, proving, sign_in, views

app_name = "identity"
urlpatterns = [
    path("sign-in", sign_in.choose, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("mobile", sign_in.mobile_begin, name="mobile-begin"),
    path("mobile/<str:login>", sign_in.mobile_wait, name="mobile"),
    path("mobile/<str:login>/state", sign_in.mobile_state, name="mobile-state"),
    path("prove/with/<str:means>", proving.begin, name="prove-begin"),
    path("prove/<str:proving_id>", proving.prove, name="prove"),
    path("prove/<str:proving_id>/state", proving.state, name="prove-state"),
    path("prove/<str:proving_id>/answer", proving.delivered, name="prove-answer"),
    path("prove/<str:proving_id>/person", proving.person, name="prove-person"),
    path("prove/<str:proving_id>/cancel", proving.cancel, name="prove-cancel"),
    path("passkey/options", sign_in.passkey_options, name="passkey-options"),
    path("passkey/sign-in", sign_in.passkey_sign_in, name="passkey-sign-in"),
    path("seat", views.seat, name="seat"),
    path("kept/<str:kept>", views.kept, name="kept"),
    path("account", views.account, name="account"),
    path("account/passkeys/new", views.passkey_new, name="passkey-new"),
    path("account/passkeys/new/options", views.passkey_new_options, name="passkey-new-options"),
    path("account/passkeys/new/register", views.passkey_register, name="passkey-register"),
    path("account/passkeys/<str:passkey>/remove", views.passkey_remove, name="passkey-remove"),
    path("account/phones/<str:key>/remove", views.mobile_remove, name="mobile-remove"),
    path("account/certificates/<str:certificate>/remove", views.certificate_remove, name="certificate-remove"),
    path("account/sign-out-everywhere", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("parties", openid_parties.parties, name="parties"),
    path("parties/new", openid_parties.new, name="party-new"),
    path("parties/<str:party>", openid_parties.party, name="party"),
    path("parties/<str:party>/edit", openid_parties.edit, name="party-edit"),
    path("parties/<str:party>/decide", openid_parties.decide, name="party-decide"),
    path("personas", views.personas, name="personas"),
]
