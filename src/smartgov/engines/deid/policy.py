"""A de-identification policy: what each column is, which models have to hold, and how the release is found.

A policy is a YAML file that a data steward writes and an auditor reads. Nothing is guessed: a column that the policy
does not name stops the run, and so does a word that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from smartgov.engines.deid.hierarchy import Hierarchy
from smartgov.engines.deid.metrics import METRICS, metric_named
from smartgov.engines.deid.models import DPresence, KMap, Model, model_from
from smartgov.engines.deid.transforms import Transform
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

KINDS = ("identifying", "quasi", "sensitive", "insensitive")
METHODS = ("optimal", "mondrian")
_TOP = {"source", "project", "purpose", "attributes", "models", "suppression_limit", "metric", "search", "population"}
_ATTRIBUTE = {"kind", "hierarchy", "levels", "transform"}
_SEARCH = {"method", "time_limit_s", "gap", "cache_bytes"}


@dataclass(frozen=True)
class Attribute:
    """A column: identifying ones are left out, quasi-identifiers generalised, the others released as they are.

    `levels` (lowest, highest) narrows what a quasi-identifier may be generalised to. `transform` is applied before
    anything else and to every kind but the identifying.
    """

    name: str
    kind: str
    hierarchy: Hierarchy | None = None
    levels: tuple[int, int] | None = None
    transform: Mapping[str, Any] | None = None

    @property
    def removed(self) -> bool:
        """Whether the column is left out although it identifies nobody."""
        return self.transform is not None and self.transform["kind"] == "remove"


@dataclass(frozen=True)
class SearchPlan:
    """How levels are found: `optimal` or `mondrian`, and when a proven gap is good enough or time is up."""

    method: str = "optimal"
    time_limit_s: float = 3600.0
    gap: float = 0.0
    cache_bytes: int = 4 << 30


@dataclass(frozen=True)
class Policy:
    """A whole policy. `spec` is what was written; `population` names a file for k-map and d-presence."""

    source: str
    project: str
    attributes: tuple[Attribute, ...]
    models: tuple[Model, ...]
    suppression_limit: float = 0.0
    metric: str = "discernibility"
    search: SearchPlan = field(default_factory=SearchPlan)
    purpose: str = ""
    population: Path | None = None
    spec: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def of_kind(self, kind: str) -> tuple[Attribute, ...]:
        """The attributes of one kind, in the policy's order."""
        return tuple(attribute for attribute in self.attributes if attribute.kind == kind)

    @property
    def quasi(self) -> tuple[str, ...]:
        """The names of the quasi-identifiers."""
        return tuple(attribute.name for attribute in self.of_kind("quasi"))

    @property
    def hierarchies(self) -> tuple[Hierarchy, ...]:
        """Their hierarchies, cut to the levels allowed."""
        return tuple(_within(attribute) for attribute in self.of_kind("quasi"))

    @property
    def protected(self) -> tuple[str, ...]:
        """The sensitive attributes that a model names, each once."""
        return tuple(dict.fromkeys(model.sensitive for model in self.models if model.sensitive))

    @property
    def transforms(self) -> dict[str, Transform]:
        """The changes to single values that it declares, by attribute."""
        return {a.name: Transform.parse(a.name, a.transform) for a in self.attributes if a.transform is not None}

    @property
    def needs_keys(self) -> bool:
        """Whether any of them is keyed."""
        return any(transform.keyed for transform in self.transforms.values())

    def as_dict(self) -> dict[str, Any]:
        """What was written."""
        return dict(self.spec)

    @classmethod
    def read(cls, path: Path) -> Policy:
        """From a YAML file; hierarchies are looked for beside it."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _invalid(f"{path.name} cannot be read", f"無法讀取 {path.name}") from error
        return cls.parse(text, folder=path.parent)

    @classmethod
    def parse(cls, given: str | Mapping[str, Any], *, folder: Path = Path()) -> Policy:
        """From YAML text or its mapping; Problem `deid-policy-invalid` says what is wrong."""
        spec = _mapping(_loaded(given) if isinstance(given, str) else given, "the policy", "政策檔", _TOP)
        columns = _mapping(spec.get("attributes"), "attributes", "attributes")
        attributes = tuple(_attribute(str(name), words, folder) for name, words in columns.items())
        trees = {a.name: a.hierarchy for a in attributes if a.hierarchy is not None}
        models = tuple(model_from(_mapping(words, "a model", "models"), trees) for words in spec.get("models") or [])
        population = spec.get("population")
        policy = cls(
            source=str(spec.get("source") or ""),
            project=str(spec.get("project") or ""),
            purpose=str(spec.get("purpose") or ""),
            attributes=attributes,
            models=models,
            suppression_limit=_share(spec.get("suppression_limit", 0.0)),
            metric=str(spec.get("metric", "discernibility")),
            search=_plan(_mapping(spec.get("search") or {}, "search", "search", _SEARCH)),
            population=folder / str(population) if population else None,
            spec=spec,
        )
        _coherent(policy)
        return policy


def _coherent(policy: Policy) -> None:
    """What the parts have to say about each other."""
    metric_named(policy.metric)
    if not policy.source or not policy.project:
        raise _invalid("it names no source or no project", "未填 source 或 project")
    if not policy.quasi:
        raise _invalid("no attribute is a quasi-identifier", "沒有任何 quasi 屬性")
    if not policy.models:
        raise _invalid("it has no model", "未設定 models")
    sensitive = {attribute.name for attribute in policy.of_kind("sensitive")}
    for name in policy.protected:
        if name not in sensitive:
            raise _invalid(f"a model protects {name}, which is not sensitive", f"模型保護的 {name} 並非 sensitive 屬性")
    for one in policy.attributes:
        if one.removed and one.name in policy.protected:
            raise _invalid(f"a model protects {one.name}, which is removed", f"模型保護的 {one.name} 已被移除")
        subject = one.transform.get("subject") if one.transform else None
        if subject is not None and subject not in {other.name for other in policy.attributes}:
            raise _invalid(f"the subject {subject} is no attribute", f"subject {subject} 不是任何屬性")
    needs = any(isinstance(model, KMap | DPresence) for model in policy.models)
    if needs and policy.population is None:
        raise _invalid("k-map and d-presence need a population", "k-map 與 d-presence 需要 population")
    if policy.search.method == "mondrian" and needs:
        raise _invalid("mondrian takes no model with a population", "mondrian 不支援需要母體的模型")


def _attribute(name: str, words: Any, folder: Path) -> Attribute:
    given = _mapping(words, name, name, _ATTRIBUTE)
    kind = given.get("kind")
    if kind not in KINDS:
        raise _invalid(
            f"the kind of {name} is none of {', '.join(KINDS)}", f"{name} 的 kind 須為 {'、'.join(KINDS)} 之一"
        )
    spec = given.get("hierarchy")
    if (kind == "quasi") and spec is None:
        raise _invalid(f"{name} is a quasi-identifier without a hierarchy", f"準識別欄位 {name} 缺少 hierarchy")
    hierarchy = None if spec is None else Hierarchy.from_spec(name, _mapping(spec, name, name), folder)
    levels = given.get("levels")
    cut = None if levels is None else _levels(name, levels, hierarchy)
    return Attribute(name, str(kind), hierarchy, cut, _transform(name, str(kind), given.get("transform"), folder))


def _transform(name: str, kind: str, spec: Any, folder: Path) -> Mapping[str, Any] | None:
    """The words of a transform, a file of places being looked for beside the policy."""
    if spec is None:
        return None
    words = dict(_mapping(spec, f"the transform of {name}", f"{name} 的 transform"))
    transform = Transform.parse(name, words)
    if kind == "identifying":
        raise _invalid(
            f"{name} is identifying and left out, so it has no transform; a pseudonym of it is insensitive",
            f"{name} 為 identifying 欄位，不會釋出，不需 transform；若釋出其假名，請列為 insensitive",
        )
    if kind == "quasi" and transform.kind == "remove":
        raise _invalid(f"{name} is a quasi-identifier and removed", f"{name} 為準識別欄位卻被移除")
    return {**words, "places": str(folder / words["places"])} if "places" in words else words


def _levels(name: str, levels: Any, hierarchy: Hierarchy | None) -> tuple[int, int]:
    match levels:
        case [int() as low, int() as high] if hierarchy is not None and 0 <= low <= high <= hierarchy.height:
            return low, high
    raise _invalid(f"the levels of {name} are not [lowest, highest]", f"{name} 的 levels 須為 [最低, 最高]")


def _within(attribute: Attribute) -> Hierarchy:
    """The hierarchy without the levels that are not allowed; level 0 stays, for the values themselves."""
    tree = attribute.hierarchy
    if tree is None:
        raise ValueError("a quasi-identifier has a hierarchy")
    if attribute.levels is None:
        return tree
    low, high = attribute.levels
    return Hierarchy(tree.name, tuple((row[0], *row[max(low, 1) : high + 1]) for row in tree.rows))


def lowest_levels(policy: Policy) -> tuple[int, ...]:
    """For each quasi-identifier the lowest level of its cut hierarchy that may be released."""
    return tuple(1 if a.levels is not None and a.levels[0] > 0 else 0 for a in policy.of_kind("quasi"))


def _plan(words: Mapping[str, Any]) -> SearchPlan:
    plan = SearchPlan(
        str(words.get("method", "optimal")),
        float(words.get("time_limit_s", 3600)),
        _share(words.get("gap", 0.0)),
        int(words.get("cache_bytes", 4 << 30)),
    )
    if plan.method not in METHODS:
        raise _invalid(f"the method is none of {', '.join(METHODS)}", f"method 須為 {'、'.join(METHODS)} 之一")
    return plan


def _share(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise _invalid(f"{value!r} is no share between 0 and 1", f"{value!r} 須介於 0 與 1")


def _loaded(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = str(getattr(error, "problem_mark", "")).strip()
        raise _invalid(f"it is not YAML: {where}", f"不是有效的 YAML：{where}") from error


def _mapping(value: Any, en: str, zh: str, known: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _invalid(f"{en} is not a list of names and values", f"{zh} 須為名稱與值的對照")
    strange = sorted(set(map(str, value)) - known) if known else []
    if strange:
        raise _invalid(f"{en} has unknown words: {', '.join(strange)}", f"{zh} 有未知項目：{'、'.join(strange)}")
    return value


def _invalid(why_en: str, why_zh: str) -> Problem:
    return Problem(
        "deid-policy-invalid",
        what=Text("The de-identification policy cannot be used.", "去識別化政策檔無法使用。"),
        why=Text(f"{why_en}.", f"{why_zh}。"),
        todo=Text("Mend the policy and run again; nothing was released.", "請修正政策檔後再執行；未產生任何釋出資料。"),
    )


__all__ = ["KINDS", "METRICS", "Attribute", "Policy", "SearchPlan", "lowest_levels"]
