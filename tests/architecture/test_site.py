"""The site as a whole: events mapped, settings documented, translations complete, blocks removable, one error shape."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.test import Client

from smartgov.blocks.audit.words import OBJECTS
from smartgov.blocks.ops import api as ops
from smartgov.blocks.ops.manifest import events, installed_blocks
from smartgov.blocks.ops.manifest import listeners as listeners_in_words
from smartgov.shared.settings import DECLARED
from smartgov.site import messages
from smartgov.site.blocks import OPTIONAL, chosen_for
from smartgov.site.flows import FLOWS

ROOT = Path(__file__).parents[2]


def test_every_event_is_mapped_and_every_mapping_is_an_event() -> None:
    ours = {name for name, kind in ops.declared_events().items() if not kind.block.endswith("-tests")}
    assert set(FLOWS) == ours


@pytest.mark.parametrize("dotted", sorted({listener for listeners in FLOWS.values() for listener in listeners}))
def test_every_listener_is_a_verb_of_an_api(dotted: str) -> None:
    module, name = dotted.rsplit(".", 1)
    assert module.endswith(".api")
    assert callable(getattr(import_module(module), name))


def test_every_event_and_listener_is_said_in_words_for_the_operator() -> None:
    listeners = {listener for mapped in FLOWS.values() for listener in mapped}
    assert set(FLOWS) == set(events())
    assert listeners == set(listeners_in_words())
    assert all(words.en and words.zh for words in [*events().values(), *listeners_in_words().values()])


def test_every_kind_of_object_that_is_audited_is_said_in_words_for_the_auditor() -> None:
    written = re.compile(r'object_type="(\w+)"')
    sources = [path for path in (ROOT / "src/smartgov/blocks").rglob("*.py") if "tests" not in path.parts]
    kinds = {kind for path in sources for kind in written.findall(path.read_text())}
    assert kinds - set(OBJECTS) == set()
    assert len(kinds) > 10, "they are written so"


def test_every_periodic_call_exists() -> None:
    for block in installed_blocks():
        for work in block.manifest.periodic:
            module, name = work.call.rsplit(".", 1)
            assert callable(getattr(import_module(module), name)), work.call


@pytest.mark.parametrize("setting", DECLARED, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: object) -> None:
    page = (ROOT / "docs/manuals/operator/settings.md").read_text()
    assert f"`{setting.name}`" in page  # type: ignore[attr-defined]
    assert setting.help in page  # type: ignore[attr-defined]


def test_an_unknown_setting_stops_the_site(tmp_path: Path) -> None:
    result = _boot(tmp_path, SMARTGOV_TYPO="1")
    assert result.returncode != 0
    assert "SMARTGOV_TYPO" in result.stderr


def test_translations_are_complete() -> None:
    assert messages.check() == []


def test_the_site_boots_without_each_block_that_can_be_left_out_and_with_some_roles() -> None:
    without = [{"SMARTGOV_BLOCKS_OFF": block} for block in OPTIONAL]
    roles = [{"SMARTGOV_ROLES": roles} for roles in ("portal", "agency:ris", "centre,portal,agency:hpa")]
    command = [sys.executable, ROOT / "tests/architecture/boots.py", json.dumps([*without, *roles])]
    done = subprocess.run(command, cwd=ROOT, env=_environment({}), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}, done.stdout


def test_a_side_without_a_role_is_left_out() -> None:
    assert "services" not in chosen_for(frozenset({"agency:ris"}), "")
    assert "cases" not in chosen_for(frozenset({"centre", "portal"}), "")
    assert chosen_for(frozenset(), "") == chosen_for(frozenset({"portal", "agency:ris"}), "")


def test_one_error_shape(client: Client) -> None:
    answer = client.get("/api/nothing/here")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "todo"} <= set(answer.json())
    assert answer.json()["type"] == "urn:smartgov:problem:not-found"


def test_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, env=_environment({}), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def _boot(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    code = "import django; django.setup()\nfrom django.core.management import call_command\ncall_command('check')"
    environment = _environment({"SMARTGOV_HOME": str(home), **settings})
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _environment(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTGOV_")}
    return {**kept, "PYTHONPATH": "src", "DJANGO_SETTINGS_MODULE": "smartgov.site.settings", **settings}
