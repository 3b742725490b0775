"""Passkeys (WebAuthn level 3): registered by a person who has just signed in, then enough by themselves.

User verification is required both times, so a passkey is two factors: the device, and the person's finger or PIN.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse, WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from smartgov.blocks.audit import api as audit
from smartgov.blocks.identity import domain
from smartgov.blocks.identity.models import Account, Passkey, Recovery
from smartgov.blocks.identity.people import metadata, telling
from smartgov.shared import clock
from smartgov.shared.actor import Actor

logger = structlog.get_logger()
_RP_NAME = "smartgov"


def _rp_id() -> str:
    return urlsplit(settings.ORIGIN).hostname or "localhost"


def registration_options(account: Account, *, attested: bool = False) -> tuple[dict[str, Any], bytes]:
    """What the browser needs to make a passkey for `account`, and the challenge to remember.

    With `attested` the key must say what it is, as level 3 needs; else it is not asked, for it tells of the person.
    """
    options = generate_registration_options(
        rp_id=_rp_id(),
        rp_name=_RP_NAME,
        user_id=account.subject.encode(),
        user_name=account.name,
        user_display_name=account.name,
        attestation=AttestationConveyancePreference.DIRECT if attested else AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(known))
            for known in account.passkeys.values_list("credential_id", flat=True)
        ],
    )
    return json.loads(options_to_json(options)), options.challenge


@transaction.atomic
def register(
    account: Account, *, credential: dict[str, Any], challenge: bytes, name: str, recovery: Recovery | None = None
) -> Passkey:
    """Store the passkey that the browser made; Problem `sign-in-refused` when it proves nothing.

    Made in a recovery, it cools as long as the recovery does.
    """
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(),
            expected_origin=settings.ORIGIN,
            require_user_verification=True,
        )
    except (WebAuthnException, InvalidRegistrationResponse, ValueError, KeyError, TypeError):
        raise domain.sign_in_refused() from None
    credential_id = bytes_to_base64url(made.credential_id)
    if Passkey.objects.filter(credential_id=credential_id).exists():
        raise domain.sign_in_refused()
    aaguid = metadata.aaguid_of(made.aaguid)
    if metadata.standing(aaguid) == "broken":
        raise domain.model_refused()
    passkey = Passkey.objects.create(
        account=account,
        credential_id=credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        backed_up=made.credential_backed_up,
        aaguid=aaguid,
        attested=made.credential_device_type is CredentialDeviceType.SINGLE_DEVICE
        and metadata.is_attested(made.attestation_object, _client_data(credential)),
        name=name[:60],
        cools_until=recovery.cooled_at if recovery else None,
        recovery=recovery.id if recovery else "",
    )
    telling.tell(account, "means_added")
    audit.record(
        actor=Actor("citizen", subject=account.subject),
        action="passkey.added",
        object_type="account",
        object_id=account.subject,
        detail={"passkey": passkey.id},
    )
    return passkey


def sign_in_options() -> tuple[dict[str, Any], bytes]:
    """What the browser needs to ask for any passkey of this site, and the challenge to remember."""
    options = generate_authentication_options(rp_id=_rp_id(), user_verification=UserVerificationRequirement.REQUIRED)
    return json.loads(options_to_json(options)), options.challenge


def _client_data(credential: dict[str, Any]) -> bytes:
    return base64url_to_bytes(str(credential["response"]["clientDataJSON"]))


def sign_in(*, credential: dict[str, Any], challenge: bytes) -> Passkey:
    """The passkey that signed the challenge; Problems `sign-in-refused`, `key-copied` and `key-model-refused`.

    Tries are not counted: a signature cannot be guessed, and counting would let a stranger lock its owner out.
    """
    passkey, copied = _verified(credential, str(credential.get("id", ""))[:1400], challenge)
    if copied:
        raise domain.key_copied()
    return passkey


def method_of(passkey: Passkey) -> str:
    """How a sign-in with it counts: `fidokey` when it is attested and its model stands well today, else `passkey`."""
    return "fidokey" if passkey.attested and metadata.standing(passkey.aaguid) == "good" else "passkey"


def act_options(account: Account, challenge: bytes) -> dict[str, Any]:
    """What the browser needs to have one of the person's own passkeys sign `challenge`."""
    options = generate_authentication_options(
        rp_id=_rp_id(),
        challenge=challenge,
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(known))
            for known in account.passkeys.values_list("credential_id", flat=True)
        ],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found


def act(account: Account, *, credential: dict[str, Any], challenge: bytes) -> None:
    """Check that this person's own passkey signed the challenge; Problem `sign-in-refused` otherwise.

    One made in a recovery that may still be stopped gives nobody power: Problem `recovery-cooling`.
    """
    passkey = sign_in(credential=credential, challenge=challenge)
    if passkey.account_id != account.pk:
        raise domain.sign_in_refused()
    if domain.cooling_recovery(passkey.recovery, passkey.cools_until, clock.now()):
        raise domain.still_cooling()


@transaction.atomic
def _verified(credential: dict[str, Any], credential_id: str, challenge: bytes) -> tuple[Passkey, bool]:
    """The passkey, and whether its counter shows that there is a copy: then it is suspended and its owner told."""
    stored = Passkey.objects.select_for_update().filter(
        credential_id=credential_id, account__is_active=True, suspended_at=None
    )
    passkey = stored.select_related("account").first()
    if passkey is None:
        raise domain.sign_in_refused()
    try:
        proven = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(),
            expected_origin=settings.ORIGIN,
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=0,  # looked at below, where a copy has consequences
            require_user_verification=True,
        )
    except (WebAuthnException, InvalidAuthenticationResponse, ValueError, KeyError, TypeError) as error:
        logger.warning("sign_in_refused", method="passkey", passkey=passkey.id, reason=type(error).__name__)
        raise domain.sign_in_refused() from None
    if metadata.standing(passkey.aaguid) == "broken":
        raise domain.model_refused()
    if (proven.new_sign_count or passkey.sign_count) and proven.new_sign_count <= passkey.sign_count:
        _suspend_copied(passkey)
        return passkey, True
    passkey.sign_count, passkey.used_at = proven.new_sign_count, clock.now()
    passkey.backed_up = proven.credential_backed_up
    passkey.save(update_fields=["sign_count", "used_at", "backed_up"])
    return passkey, False


def _suspend_copied(passkey: Passkey) -> None:
    logger.warning("passkey_copied", passkey=passkey.id)
    Passkey.objects.filter(id=passkey.id).update(suspended_at=clock.now())
    telling.tell(passkey.account, "key_copied")
    audit.record(
        actor=Actor("public"),
        action="passkey.copied",
        object_type="account",
        object_id=passkey.account.subject,
        detail={"passkey": passkey.id},
    )
