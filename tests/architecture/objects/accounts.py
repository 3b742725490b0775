"""Scenes of accounts: means, sessions, recovery, signing in here and elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from smartgov.blocks.identity import mobile
from smartgov.blocks.identity.models import (
    Account,
    CitizenCertificate,
    KeptPost,
    KnownBrowser,
    MobileKey,
    OpenidAuthorization,
    OpenidRelation,
    Passkey,
)
from smartgov.blocks.identity.people import recovery
from smartgov.blocks.identity.tests import certified
from smartgov.blocks.identity.tests import factories as people
from smartgov.blocks.identity.tests.relying import Shop
from smartgov.engines.openid.ciba import CIBA
from smartgov.shared.ids import uuid7
from tests.architecture.objects.stage import Maker, Scene, Stage, citizens


def kept_post(stage: Stage) -> Scene:
    """Answers of an ended session."""
    subject, owner, strangers = citizens()
    cookie = owner.cookies.pop(settings.SESSION_COOKIE_NAME)
    owner.post("/identity/seat", {"seat": "x"})
    owner.cookies[settings.SESSION_COOKIE_NAME] = cookie.value
    return Scene({"kept": KeptPost.objects.get(subject=subject).id}, owner, strangers)


def passkey(stage: Stage) -> Scene:
    """One of two passkeys."""
    subject, owner, strangers = citizens()
    account = Account.objects.get(subject=subject)
    made = [Passkey.objects.create(account=account, credential_id=uuid7(), public_key=b"k", name="n") for _ in "ab"]
    return Scene({"passkey": made[0].id}, owner, strangers)


def phone(stage: Stage) -> Scene:
    """One of two phones."""
    subject, owner, strangers = citizens()
    account = Account.objects.get(subject=subject)
    made = [MobileKey.objects.create(account=account, key_id=uuid7(), public_jwk={}) for _ in "ab"]
    return Scene({"key": made[0].id}, owner, strangers)


def citizen_certificate(stage: Stage) -> Scene:
    """One of two certificates of the state."""
    subject, owner, strangers = citizens()
    account = Account.objects.get(subject=subject)
    made = [CitizenCertificate.objects.create(account=account, means="card", number_index=uuid7()) for _ in "ab"]
    return Scene({"certificate": made[0].id}, owner, strangers)


def proving(*, answered: bool = False) -> Maker:
    """A request for a card that one browser has begun; every other browser is a stranger to it."""

    def make(stage: Stage) -> Scene:
        world = stage.contexts.enter_context(certified.world(stage.folder))
        owner, elsewhere, number = Client(), Client(), people.a_national_id()
        people.a_person(nid=number)
        made = certified.begun(owner)
        certified.begun(elsewhere)
        if answered:
            world.card(number).answers(owner, made)
        strangers = (Client(), elsewhere, people.signed_in_citizen())
        return Scene({"proving_id": made}, owner, strangers, {"national_id": number})

    return make


def login(stage: Stage) -> Scene:
    """A sign-in that one browser has begun; another browser, signed in or not, is a stranger to it."""
    stage.contexts.enter_context(mobile.service_replaced(people.Phone()))
    owner = Client()
    address = owner.post("/identity/mobile", {"way": "scan"})["Location"]
    begun_elsewhere = Client()
    begun_elsewhere.post("/identity/mobile", {"way": "scan"})
    return Scene({"login": address.rsplit("/", 1)[-1]}, owner, (Client(), begun_elsewhere, people.signed_in_citizen()))


def openid_interaction(stage: Stage) -> Scene:
    """A request of a relying party that one browser has brought; every other browser is a stranger to it."""
    owner = people.signed_in_citizen()
    page, _ = Shop().visit(owner)
    elsewhere = people.signed_in_citizen()
    Shop().visit(elsewhere)
    return Scene({"authorization": page.request["PATH_INFO"].rsplit("/", 1)[-1]}, owner, (Client(), elsewhere))


def openid_asked(stage: Stage) -> Scene:
    """A request of a counter that waits for one person's answer."""
    subject, owner, strangers = citizens()
    shop = Shop(grants=["authorization_code", CIBA])
    hint = {"scope": "openid", "login_hint": shop.sign_in(owner).claims["sub"]}
    shop.rp.post("backchannel_authentication_endpoint", hint)
    (found,) = OpenidAuthorization.objects.filter(subject=subject, way="ciba")
    return Scene({"asked": found.id}, owner, strangers)


def openid_relation(stage: Stage) -> Scene:
    """A service that a person has agreed to."""
    subject, owner, strangers = citizens()
    Shop().sign_in(owner)
    return Scene({"relation": OpenidRelation.objects.get(subject=subject).id}, owner, strangers)


def openid_party(stage: Stage) -> Scene:
    """A service that an agency has begun to register."""
    owner = people.signed_in_officer("nhi", "integrator")
    form = {"name_zh": "甲", "name_en": "A", "purpose_zh": "乙", "purpose_en": "B"}
    address = owner.post("/identity/parties/new", form)["Location"]
    other = people.signed_in_officer("ris", "integrator")
    return Scene({"party": address.rsplit("/", 1)[-1]}, owner, (other,), form)


def open_session(stage: Stage) -> Scene:
    """Another open session of the same person."""
    subject, owner, strangers = citizens()
    other = people.signed_in_citizen(subject).session["smartgov"]["sid"]
    return Scene({"sid": other}, owner, strangers)


def known_browser(stage: Stage) -> Scene:
    """A browser in which a person has signed in."""
    subject, owner, strangers = citizens()
    return Scene({"browser": KnownBrowser.objects.filter(account__subject=subject)[0].id}, owner, strangers)


def begun_recovery(stage: Stage) -> Scene:
    """A recovery of a person's account that somebody has begun."""
    subject, owner, strangers = citizens()
    national_id = Account.objects.get(subject=subject).national_id
    return Scene({"recovery_id": recovery.begin(browser="b", national_id=national_id).id}, owner, strangers)
