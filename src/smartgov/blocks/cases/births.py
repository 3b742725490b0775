"""A hospital's birth notification: into the health agency's register, then announced (Children and Youth Act 14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from smartgov.blocks.audit import api as audit
from smartgov.blocks.cases import refusals
from smartgov.blocks.cases.models import Birth
from smartgov.blocks.exchange import api as exchange
from smartgov.blocks.ops import api as ops
from smartgov.shared import clock, homes, ids
from smartgov.shared.actor import Actor
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text
from smartgov.shared.tw import national_id

REGISTER = f"{homes.member_id('hpa')}/births/births.v1"
BASIS = "child-welfare-act-14"
SEXES = ("male", "female")


@dataclass(frozen=True, slots=True)
class Notification:
    """What a hospital writes down within seven days of a birth."""

    mother_id: str
    mother_name: str
    child_sex: str
    born_on: date
    weight_g: int
    gestation_weeks: int
    birth_order: int
    hospital: str

    def errors(self, today: date) -> dict[str, Text]:
        """What is wrong, by field; empty when nothing is."""
        wrong = {
            "mother_id": not national_id.is_valid(self.mother_id) or self.mother_id[1] != "2",
            "mother_name": not self.mother_name.strip(),
            "child_sex": self.child_sex not in SEXES,
            "born_on": not today - timedelta(days=60) <= self.born_on <= today,
            "weight_g": not 300 <= self.weight_g <= 7000,
            "gestation_weeks": not 20 <= self.gestation_weeks <= 45,
            "birth_order": not 1 <= self.birth_order <= 9,
            "hospital": not self.hospital.strip(),
        }
        return {name: MESSAGES[name] for name, bad in wrong.items() if bad}


MESSAGES: dict[str, Text] = {
    "mother_id": Text(
        "Enter the mother's national id, a letter and nine digits",
        "請輸入母親的國民身分證統一編號（1 個英文字母加 9 位數字）",
    ),
    "mother_name": Text("Enter the mother's name", "請輸入母親姓名"),
    "child_sex": Text("Choose the child's sex", "請選擇新生兒性別"),
    "born_on": Text("Enter a day within the last 60 days", "請輸入最近 60 日內的日期"),
    "weight_g": Text("Enter a weight between 300 and 7000 g", "請輸入 300 至 7000 公克之間的體重"),
    "gestation_weeks": Text("Enter weeks between 20 and 45", "請輸入 20 至 45 之間的週數"),
    "birth_order": Text("Enter a number between 1 and 9", "請輸入 1 至 9 之間的數字"),
    "hospital": Text("Enter the hospital", "請輸入醫療院所名稱"),
}


def record_birth_notification(*, actor: Actor, notification: Notification, key: str) -> str:
    """Write the birth into the register, then announce it; the same `key` again records nothing new.

    Returns the birth's id. Problem `birth-invalid` with the wrong fields.
    """
    if wrong := notification.errors(clock.today()):
        invalid = refusals.BIRTH_INVALID
        raise Problem(invalid.slug, invalid.status, what=invalid.what, todo=invalid.todo, fields=sorted(wrong))
    birth = _noted(actor, notification, key)
    if birth.recorded_at is None:
        _record(actor, birth)
    return birth.birth


@transaction.atomic
def receive_announcement(*, actor: Actor, agency: str, birth: str, mother: str, row: dict[str, Any]) -> None:
    """Note that the health agency announced a birth here; again is harmless."""
    _, made = Birth.objects.get_or_create(
        agency=agency, birth=birth, defaults={"mother": mother, "row": row, "announced": True}
    )
    if made:
        audit.record(actor=actor, action="birth.announced", object_type="birth", object_id=birth)


@transaction.atomic
def _noted(actor: Actor, notification: Notification, key: str) -> Birth:
    agency = actor.agency or ""
    known = Birth.objects.filter(agency=agency, birth=key).first()
    if known:
        return known
    if not ids.is_uuid(key):
        raise refusals.BIRTH_INVALID
    row = {
        "id": key,
        "mother_id": national_id.urn(notification.mother_id),
        "mother_name": notification.mother_name.strip(),
        "child_sex": notification.child_sex,
        "born_on": notification.born_on.isoformat(),
        "weight_g": notification.weight_g,
        "gestation_weeks": notification.gestation_weeks,
        "birth_order_hospital": notification.birth_order,
        "hospital": notification.hospital.strip(),
        "notified_on": clock.today().isoformat(),
        "status": "notified",
    }
    return Birth.objects.create(agency=agency, birth=key, mother=notification.mother_id, row=row)


def _record(actor: Actor, birth: Birth) -> None:
    # The row's own id makes a repetition after a lost answer harmless.
    exchange.call(
        actor=actor,
        agency=birth.agency,
        service=REGISTER,
        method="POST",
        path="/births",
        json=birth.row,
        subject=birth.mother,
        purpose="birth.notification",
        basis=BASIS,
    )
    with transaction.atomic():
        done = Birth.objects.filter(id=birth.id, recorded_at__isnull=True).update(recorded_at=clock.now())
        if done:
            audit.record(actor=actor, action="birth.notified", object_type="birth", object_id=birth.birth)
            payload = {"birth": birth.birth, "agency": birth.agency}
            ops.emit("birth_notified", aggregate=birth.birth, payload=payload, actor=actor)
