"""DCQL, the query language of OpenID4VP: which credentials and claims a verifier asks for, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smartgov.engines.credential.sdjwt import TYPE, Path, Verified
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
_MOST = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim that is asked for; with `values` it has to have one of them."""

    path: Path
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One credential that is asked for: its types, and the claims of it."""

    id: str
    types: tuple[str, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `sets` are alternatives of ids, each with whether it must be met; without any, all are asked."""

    wanted: tuple[Wanted, ...]
    sets: tuple[tuple[tuple[tuple[str, ...], ...], bool], ...] = ()

    def one(self, name: str) -> Wanted:
        """The credential query of that id; KeyError without."""
        return next(one for one in self.wanted if one.id == name)

    def is_met_by(self, names: set[str]) -> bool:
        """Whether presentations for these ids answer the query."""
        if not self.sets:
            return {one.id for one in self.wanted} <= names
        return all(any(set(option) <= names for option in options) for options, must in self.sets if must)


def parse(data: Any) -> Query:
    """Read a query; Problem `query-invalid` (400) for what is not understood: nothing is overlooked."""
    if not isinstance(data, Mapping) or set(data) - {"credentials", "credential_sets"}:
        raise _invalid("dcql_query")
    wanted = tuple(_wanted(one) for one in _list(data, "credentials"))
    names = [one.id for one in wanted]
    if len(set(names)) != len(names):
        raise _invalid("id")
    sets = tuple(_set(one, set(names)) for one in _list(data, "credential_sets")) if "credential_sets" in data else ()
    return Query(wanted, sets)


def paths(one: Wanted) -> list[Path]:
    """The claims to disclose."""
    return [claim.path for claim in one.claims]


def answers(one: Wanted, shown: Verified) -> bool:
    """Whether a verified credential is of an asked type and shows every asked claim with an accepted value."""
    if shown.vct not in one.types:
        return False
    for claim in one.claims:
        found, value = value_at(shown.claims, claim.path)
        if not found or (claim.values and value not in claim.values):
            return False
    return True


def value_at(claims: Any, path: Path) -> tuple[bool, Any]:
    """Whether there is something at `path`, and what."""
    here = claims
    for step in path:
        in_object = isinstance(step, str) and isinstance(here, Mapping) and step in here
        in_list = isinstance(step, int) and isinstance(here, list) and step < len(here)
        if not (in_object or in_list):
            return False, None
        here = here[step]
    return True, here


def _wanted(data: Any) -> Wanted:
    if not isinstance(data, Mapping) or set(data) - {"id", "format", "meta", "claims"}:
        raise _invalid("credentials")
    name = data.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise _invalid("id")
    if data.get("format") != TYPE:
        raise _invalid("format")
    meta = data.get("meta")
    if not isinstance(meta, Mapping) or set(meta) != {"vct_values"}:
        raise _invalid("meta")
    types = _list(meta, "vct_values")
    if not all(isinstance(one, str) for one in types):
        raise _invalid("vct_values")
    # Without claims only the type would be shown; the specification allows it, and so do we.
    claims = tuple(_claim(one) for one in _list(data, "claims")) if "claims" in data else ()
    return Wanted(name, tuple(types), claims)


def _claim(data: Any) -> Claim:
    if not isinstance(data, Mapping) or set(data) - {"id", "path", "values"}:
        raise _invalid("claims")
    path = _list(data, "path")
    if not all(isinstance(step, str | int) and not isinstance(step, bool) for step in path):
        raise _invalid("path")
    if any(isinstance(step, int) and step < 0 for step in path):
        raise _invalid("path")
    return Claim(tuple(path), tuple(_list(data, "values")) if "values" in data else ())


def _set(data: Any, names: set[str]) -> tuple[tuple[tuple[str, ...], ...], bool]:
    if not isinstance(data, Mapping) or set(data) - {"options", "required"}:
        raise _invalid("credential_sets")
    must = data.get("required", True)
    options = tuple(tuple(option) if isinstance(option, list) else () for option in _list(data, "options"))
    if not isinstance(must, bool) or any(not option or set(option) - names for option in options):
        raise _invalid("credential_sets")
    return options, must


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data.get(name)
    if not isinstance(found, list) or not 1 <= len(found) <= _MOST:
        raise _invalid(name)
    return found


def _invalid(member: str) -> Problem:
    return Problem(
        "query-invalid",
        400,
        what=Text("The query for credentials is not accepted.", "憑證查詢未被接受。"),
        why=Text(f"The member {member} is missing, wrong or unknown.", f"欄位 {member} 缺漏、有誤或不支援。"),
        todo=Text("See section 6 of OpenID4VP.", "請參閱 OpenID4VP 第 6 節。"),
        member=member,
    )
