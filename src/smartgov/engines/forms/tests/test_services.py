"""The birth service as it is published, walked from register rows to decisions and to what is written."""

from datetime import date

import pytest
import yaml

from smartgov.engines import rules
from smartgov.engines.forms.services import DECIDE, PREPARE, load_service, load_services
from smartgov.shared import content
from smartgov.shared.problems import Problem

PATH = content.ROOT / "services" / "birth.yaml"
BIRTH = load_service(PATH)
BOOK = rules.load(content.ROOT)
MOTHER, FATHER, ELDER, BABY = (f"urn:tw:nid:{name}" for name in ("mother", "father", "elder", "baby"))
ON = "2026-11-22"
ADDRESS = {"address": "中山路1號", "township": "花蓮縣玉里鎮"}


def person(nid, name, born, **more):
    base = {"sex": "female", "household_id": "H1", "spouse_id": None, "mother_id": None, "nationality": "TW", **ADDRESS}
    return {**base, "national_id": nid, "name": name, "birth_date": born, **more}


PEOPLE = [
    person(MOTHER, "陳怡君", "1995-03-03", spouse_id=FATHER),
    person(FATHER, "林志明", "1993-01-01", spouse_id=MOTHER, sex="male", household_id="H2", address="中正路2號"),
    person(ELDER, "林大寶", "2023-05-05", mother_id=MOTHER, sex="male"),
]
ROWS = {
    "hpa /births": [
        {
            "id": "n1",
            "mother_id": MOTHER,
            "born_on": "2026-11-08",
            "child_sex": "male",
            "hospital": "慈濟",
            "gestation_weeks": 39,
        }
    ],
    "ris /people": PEOPLE,
    "nhi /insured": [
        {"national_id": MOTHER, "status": "insured", "insured_as": "employee", "insured_through_id": None},
        {"national_id": ELDER, "status": "insured", "insured_as": "dependent", "insured_through_id": MOTHER},
    ],
    "sfaa /placements": [
        {"child_id": ELDER, "parent_id": MOTHER, "kind": "public", "from_date": "2024-09-01", "to_date": None}
    ],
    "sfaa /allowances": [{"child_id": ELDER, "parent_id": MOTHER, "kind": "childcare_0_2"}],
    "bli /insurance": [{"national_id": MOTHER, "from_date": "2024-01-01", "to_date": None}],
    "bli /wages": [
        {"national_id": MOTHER, "month": f"2026-{m:02d}", "insured_wage": 38_200 if m > 5 else 30_300}
        for m in range(1, 12)
    ],
    "bli /benefits": [{"national_id": MOTHER, "kind": "maternity", "decided_on": "2023-06-01"}],
    "mof /refund_accounts": [
        {"national_id": MOTHER, "bank_code": "700", "account": "00012345678901", "holder": "陳怡君"}
    ],
}
REGISTERED = {**ROWS, "ris /people": [*PEOPLE, person(BABY, "林小明", "2026-11-08", mother_id=MOTHER, sex="male")]}


def gather(part, when, rows, **more):
    """What an agency's case system does, with rows cut to the fields that were asked for."""
    context = {"applicant": MOTHER, "on": ON, "fact": {}, **more}
    for query in part.queries(when):
        table = f"{query.facts[0].agency} {query.path.split()[1].removesuffix('/query')}"
        where = query.request(context).get("where", {})
        found = [row for row in rows[table] if all(row[key] == value for key, value in where.items())]
        query.values([{key: row[key] for key in query.fields} for row in found], context)
    return context["fact"]


def decide(part_id, when, rows, **more):
    part = BIRTH.part(part_id)
    facts = gather(part, when, rows, **more)
    return facts, BOOK.decide(part.rule, facts, date.fromisoformat(ON))


def test_registration_is_granted_from_the_notification():
    facts, decision = decide("registration", PREPARE, ROWS)
    assert decision.outcome == "granted"
    assert (facts["father_name"], facts["father_household"], facts["children_registered"]) == ("林志明", "H2", 0)
    assert decide("registration", DECIDE, REGISTERED)[1].outcome == "refused"


def test_before_registration_each_agency_previews_and_nothing_speaks_against():
    expected = {"nhi": {}, "allowance": {"amount": 6000}, "maternity": {"amount": 76_400}}
    for part, values in expected.items():
        _, decision = decide(part, PREPARE, ROWS)
        assert decision.expected
        assert values.items() <= decision.values.items()


@pytest.mark.parametrize("known", [{}, {"child": BABY, "notification": "n1"}])
def test_after_registration_each_agency_decides_from_the_register(known):
    assert decide("nhi", DECIDE, REGISTERED, **known)[1].outcome == "granted"
    facts, decision = decide("allowance", DECIDE, REGISTERED, **known)
    assert (decision.outcome, decision.values["amount"], facts["placement"]) == ("granted", 6000, "none")
    facts, decision = decide("maternity", DECIDE, REGISTERED, **known)
    assert (decision.outcome, decision.values["amount"], facts["average_wage"]) == ("granted", 76_400, 38_200)


def test_a_changed_value_in_a_register_changes_the_decision():
    wages = [{**row, "insured_wage": 45_800} for row in ROWS["bli /wages"]]
    assert decide("maternity", DECIDE, {**REGISTERED, "bli /wages": wages})[1].values["amount"] == 91_600
    placed = {"child_id": BABY, "parent_id": MOTHER, "kind": "quasi_public", "from_date": "2026-11-20", "to_date": None}
    rows = {**REGISTERED, "sfaa /placements": [placed]}
    assert decide("allowance", DECIDE, rows)[1].outcome == "refused"
    assert (
        decide("allowance", DECIDE, {**rows, "sfaa /placements": [{**placed, "to_date": "2026-11-21"}]})[1].outcome
        == "granted"
    )


def test_without_a_notification_nothing_is_decided_and_nothing_invented():
    facts, decision = decide("maternity", PREPARE, {**ROWS, "hpa /births": []})
    assert (facts["birth_date"], facts["insured_days"], facts["children_born"]) == (None, None, None)
    assert (decision.outcome, decision.values) == ("undecided", {})


def test_registration_writes_the_child_as_answered():
    part = BIRTH.part("registration")
    data = {
        "applicant": MOTHER,
        "child": BABY,
        "facts": gather(part, DECIDE, ROWS),
        "answers": {"surname_from": "father", "given_name": "小明", "household_of": "father"},
        "values": {},
        "case": "c1",
        "on": ON,
    }
    row = part.writes[0].row(data)
    assert {key: row[key] for key in ("name", "household_id", "mother_id", "father_id", "sex", "address")} == {
        "name": "林小明",
        "household_id": "H2",
        "mother_id": MOTHER,
        "father_id": FATHER,
        "sex": "male",
        "address": "中正路2號",
    }
    with pytest.raises(Problem) as caught:
        part.writes[0].row({**data, "facts": {}})
    assert caught.value.slug == "write-incomplete"
    assert "facts.child_sex" in caught.value.extra["missing"]


def test_every_write_and_every_field_exists_in_the_registers():
    registers = {name: content.read(f"registers/{name}.yaml")["tables"] for name in content.names("registers")}
    for part in BIRTH.parts:
        for fact in part.facts:
            table = registers[fact.agency][fact.path.split("/")[1]]
            assert set(fact.fields) <= set(table["columns"]), fact.id
        for write in part.writes:
            table = registers[write.service.split("/")[2]][write.path.split("/")[1]]
            assert table["create"] is True
            required = {name for name, column in table["columns"].items() if column.get("required")}
            assert required <= set(write.body) <= set(table["columns"])


def test_every_fact_the_rules_need_is_fetched_when_they_decide():
    for part in BIRTH.parts:
        for version in BOOK.rules[part.rule].versions:
            assert set(version.facts) <= {fact.id for fact in part.facts_at(DECIDE)}, part.id


def test_every_basis_agency_and_role_is_in_the_directory():
    directory = content.read("directory.yaml")
    codes = {basis["code"] for basis in directory["legal_bases"]} | {"consent"}
    agencies = {agency["code"] for agency in directory["agencies"]}
    for part in BIRTH.parts:
        bases = {part.legal_basis, *(fact.basis for fact in part.facts), *(write.basis for write in part.writes)}
        assert bases <= codes
        assert {part.agency, *(fact.agency for fact in part.facts)} <= agencies
    for basis in directory["legal_bases"]:
        assert basis["url"].startswith("https://law.moj.gov.tw/")


def test_consent_names_only_what_is_asked_by_consent():
    consents = {part.id: {query.service: query.fields for query in part.consents()} for part in BIRTH.parts}
    assert consents["registration"] == {}
    assert set(consents["maternity"]) == {"TW/GOV/hpa/births/births.v1", "TW/GOV/mof/taxation/taxation.v1"}
    assert "gestation_weeks" not in consents["allowance"]["TW/GOV/hpa/births/births.v1"]
    assert BIRTH.proofs == 10


def test_rights_follow_from_the_parts():
    grants = BIRTH.grants()
    assert all(grant.client.endswith("/cases") for grant in grants)
    hpa = {grant.client: grant for grant in grants if "hpa" in grant.service}
    assert hpa["TW/GOV/ris/cases"].basis == "child-welfare-act-14"
    assert hpa["TW/GOV/sfaa/cases"].basis == "consent"
    assert "gestation_weeks" not in (hpa["TW/GOV/sfaa/cases"].fields or ())
    assert not [grant for grant in grants if grant.client == "TW/GOV/sfaa/cases" and "bli" in grant.service]


def test_the_folder_loads_by_id():
    assert set(load_services(content.ROOT / "services")) == {"birth"}


def test_an_unknown_part_is_not_found():
    with pytest.raises(Problem) as caught:
        BIRTH.part("nothing")
    assert (caught.value.slug, caught.value.status) == ("service-part-unknown", 404)
    assert [part.id for part in BIRTH.followers("registration")] == ["nhi", "allowance", "maternity"]


def _spoil(change):
    raw = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    change(raw)
    return raw


def fact(raw, part=2, index=0):
    return raw["parts"][part]["facts"][index]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.pop("title"),
        lambda raw: raw["parts"].append(raw["parts"][0]),
        lambda raw: raw["parts"][0]["after"].append("allowance"),
        lambda raw: raw["parts"][0].update(decided_by="chance"),
        lambda raw: raw["parts"][0].update(proofs_replaced=[]),
        lambda raw: raw["certificate"].update(part="nothing"),
        lambda raw: fact(raw).update(service="hpa"),
        lambda raw: fact(raw).update(path="births"),
        lambda raw: fact(raw).update(when="never"),
        lambda raw: fact(raw).update(kind="thing"),
        lambda raw: fact(raw).update(fields=[]),
        lambda raw: fact(raw).update(fields=["born_on"]),
        lambda raw: fact(raw).update(take={"guess": True}),
        lambda raw: fact(raw).update(when="both"),
        lambda raw: raw["parts"][2]["facts"].reverse(),
        lambda raw: raw["parts"][0]["writes"][0].update(subject="father"),
        lambda raw: raw["parts"][0]["writes"][0]["body"].update(name={"run": 1}),
    ],
)
def test_incoherent_services_are_refused(tmp_path, change):
    path = tmp_path / "birth.yaml"
    path.write_text(yaml.safe_dump(_spoil(change), allow_unicode=True), encoding="utf-8")
    with pytest.raises(Problem) as caught:
        load_service(path)
    assert caught.value.slug == "service-invalid"
