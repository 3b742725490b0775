"""Somebody else's object does not exist: every address that names one is visited by its owner and by strangers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from smartgov.blocks.identity.tests import factories as people
from smartgov.shared.ids import uuid7
from tests.architecture import doors, objects
from tests.architecture.objects import PAGES, Scene, Stage
from tests.architecture.routes import FOREIGN, is_machine, operations, walk


def addressed() -> set[str]:
    """Every page of ours whose address has a parameter."""
    routes = [route for route in walk() if route.parameters and not is_machine(route)]
    return {f"{route.namespace}{route.name}" for route in routes if not route.pattern.startswith(FOREIGN)}


def addressed_operations() -> set[str]:
    """Every operation that names an object in its path."""
    return {operation.label for operation in operations() if operation.parameters}


@pytest.fixture
def stage(tmp_path: Path, gateways: None) -> Iterator[Stage]:
    with ExitStack() as contexts:
        yield Stage(contexts, tmp_path)


def test_every_address_with_a_parameter_has_an_object() -> None:
    assert addressed() == set(PAGES) | set(objects.OWNED_BY_NOBODY)


def test_every_operation_with_a_parameter_has_an_object() -> None:
    assert addressed_operations() <= set(doors.OPERATIONS) | doors.OWNED_BY_NOBODY
    assert {operation.label for operation in operations()} >= set(doors.OPERATIONS), "no stale row"


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_a_page_finds_its_object_for_the_owner_only(name: str, stage: Stage) -> None:
    scene = PAGES[name](stage)
    address = reverse(name, kwargs=dict(scene.kwargs))
    none = reverse(name, kwargs={key: uuid7() for key in scene.kwargs})
    strangers = [_answers(stranger, address, scene) for stranger in scene.foreign]
    for browser in (Client(), people.signed_in_citizen(), people.signed_in_officer("ris", "hospital_registrar")):
        refused = _answers(browser, address, scene)
        assert refused == _answers(browser, none, scene), "without the right, an object looks as if there were none"
        assert not set(refused.values()) & {200, 201}
    owner, nothing = _answers(scene.owner, address, scene), _answers(scene.owner, none, scene)
    leads_on = {"GET"} if owner["GET"] == nothing["GET"] == 302 else set()  # from a form to its page, whatever it names
    taken = {method for method, status in owner.items() if status != 405} - leads_on
    assert taken
    assert all(owner[method] < 400 for method in taken), owner
    for answers in strangers:
        assert {answers[method] for method in taken} == {404}


@pytest.mark.django_db
@pytest.mark.parametrize("label", doors.OPERATIONS)
def test_an_operation_finds_its_object_for_its_own_only(label: str, stage: Stage) -> None:
    exchange = doors.OPERATIONS[label](stage)
    for message in exchange.foreign:
        answer = message.send()
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), message
    assert exchange.own.send().status_code < 300


def _answers(browser: Client, address: str, scene: Scene) -> dict[str, int]:
    """What a browser gets for each method."""
    return {
        "GET": browser.get(address).status_code,
        "POST": browser.post(address, dict(scene.posted)).status_code,
    }
