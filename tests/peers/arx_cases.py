"""ARX's own test cases, read from its Java sources: a configuration, and what ARX expects of it.

Only expressions that the cases consist of are understood: calls with chains, literals, arrays. What a case asks for
that we do not have (other metrics, other estimators, other data sets) is said in words, never passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

SOURCES = "src/test/org/deidentifier/arx/test"
METRICS = {
    ("createDiscernabilityMetric", (False,)): "discernibility",
    ("createDiscernabilityMetric", (True,)): "discernibility-lenient",
    ("createAECSMetric", ()): "average-class-size",
    ("createEntropyMetric", ()): "entropy",
    ("createEntropyMetric", (False,)): "entropy",
    ("createEntropyMetric", (True,)): "entropy-without-suppression",
    ("createPrecomputedEntropyMetric", (0.1, False)): "entropy",
    ("createPrecomputedEntropyMetric", (0.1, True)): "entropy-without-suppression",
    ("createPrecisionMetric", (False,)): "precision",
}
_TOKEN = re.compile(
    r'\s+|/\*.*?\*/|//[^\n]*|("(?:[^"\\]|\\.)*"|\'.\'|[\w.]+(?:[eE][-+]?\d+)?|[-(){}\[\],<>?])', re.DOTALL
)


class UnsupportedError(Exception):
    """A case asks for what we do not have; the words say what."""


@dataclass(frozen=True)
class Call:
    """`name(args)`, and the calls chained to it."""

    name: str
    args: tuple[Any, ...]
    chain: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Case:
    """What to run and what ARX expects: an optimum, or the cost of many nodes."""

    label: str
    models: tuple[dict[str, Any], ...]
    limit: float
    metric: str
    sensitive: str
    population: bool
    exact: bool = True
    """ARX itself searches all; else it assumes monotony where there is none, and may miss the optimum."""
    score: float = 0.0
    node: tuple[int, ...] | None = None
    costs: dict[tuple[int, ...], float] = field(default_factory=dict)


def read(arx: Path, file: str) -> Iterator[Case | str]:
    """The cases of one file of tests; for one that we cannot run a sentence that says why."""
    text = (arx / SOURCES / f"{file}.java").read_text(encoding="utf-8")
    found = re.finditer(r"new (ARXAnonymizationTestCase|ARXUtilityMetricsTestCase)\(", text)
    for number, place in enumerate(found):
        label = f"{file}-{number}"
        call = _Reader(text[place.start() : place.start() + 60_000]).value()
        try:
            yield _case(label, call)
        except UnsupportedError as why:
            yield f"{label}: {why}"


def _case(label: str, call: Call) -> Case:
    config, *rest = call.args
    if not isinstance(config, Call) or config.name != "ARXConfiguration.create":
        raise UnsupportedError("its configuration is made elsewhere")
    words = [word for word in rest if isinstance(word, str)]
    if "./data/adult.csv" not in words:
        raise UnsupportedError(
            f"its data set {next((w for w in words if w.endswith('.csv')), '?')} is not in the repository"
        )
    sensitive = "" if words[0].startswith("./") else words[0]
    models = [_model(step.args[0]) for step in config.chain if step.name == "addPrivacyModel"]
    if label.startswith("TestAnonymizationTCloseness") and all(m["model"] != "t-closeness" for m, _ in models):
        # That class adds it itself to the cases that have none.
        models.append(({"model": "t-closeness", "attribute": sensitive, "t": 0.2, "distance": "hierarchical"}, False))
    make = partial(
        Case,
        label,
        tuple(model for model, _ in models),
        float(config.args[0]),
        _metric(config.args[1]),
        sensitive,
        any(population for _, population in models),
    )
    after = rest[rest.index("./data/adult.csv") + 1 :]
    if call.name == "ARXUtilityMetricsTestCase":
        nodes = [tuple(int(level) for level in node.strip("[]").split(",")) for node in after[::2]]
        return make(costs=dict(zip(nodes, map(float, after[1::2]), strict=True)))
    if len(after) < 3 or not isinstance(after[2], bool):
        raise UnsupportedError("it expects no optimum")
    return make(exact=not after[2], score=float(after[0]), node=after[1])


def _metric(call: Any) -> str:
    if isinstance(call, Call):
        key = (call.name.removeprefix("Metric."), call.args)
        if key in METRICS:
            return METRICS[key]
        raise UnsupportedError(f"metric {key[0]}{tuple(str(a) for a in key[1])}")
    raise UnsupportedError("its metric is made elsewhere")


def _model(call: Call) -> tuple[dict[str, Any], bool]:
    """The model in our words, and whether it needs the population."""
    match call.name, call.args:
        case "KAnonymity", (int() as k,):
            return {"model": "k-anonymity", "k": k}, False
        case "KMap", (int() as k, Call(name="DataSubset.create")):
            return {"model": "k-map", "k": k}, True
        case "DPresence", (low, high, Call(name="DataSubset.create")):
            return {"model": "d-presence", "lowest": float(low), "highest": float(high)}, True
        case "DistinctLDiversity", (str() as attribute, l):
            return {"model": "distinct-l-diversity", "attribute": attribute, "l": int(l)}, False
        case "EntropyLDiversity", (str() as attribute, l, *estimator) if estimator in (
            [],
            ["EntropyEstimator.SHANNON"],
        ):
            return {"model": "entropy-l-diversity", "attribute": attribute, "l": float(l)}, False
        case "RecursiveCLDiversity", (str() as attribute, c, l):
            return {"model": "recursive-l-diversity", "attribute": attribute, "c": float(c), "l": int(l)}, False
        case ("EqualDistanceTCloseness" | "OrderedDistanceTCloseness" | "HierarchicalDistanceTCloseness") as kind, (
            str() as attribute,
            t,
            *_,
        ):
            distance = kind.removesuffix("DistanceTCloseness").lower()
            return {"model": "t-closeness", "attribute": attribute, "t": float(t), "distance": distance}, False
        case "DDisclosurePrivacy", (str() as attribute, delta):
            return {"model": "delta-disclosure", "attribute": attribute, "delta": float(delta)}, False
    raise UnsupportedError(
        f"model {call.name} with {', '.join(a.name if isinstance(a, Call) else str(a) for a in call.args)}"
    )


class _Reader:
    """Java expressions, as far as the cases need them."""

    def __init__(self, text: str) -> None:
        self._tokens = (match[1] for match in _TOKEN.finditer(text) if match[1])
        self._next = next(self._tokens, "")

    def _take(self) -> str:
        taken, self._next = self._next, next(self._tokens, "")
        return taken

    def value(self) -> Any:
        """One expression."""
        token = self._take()
        if token == "new":
            token = self._take()
        if token == "-":
            return -self.value()
        if token[0] in "\"'":
            return token[1:-1]
        if token in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[token]
        if token[0].isdigit():
            return float(token.rstrip("dDfFL")) if re.search(r"[.dDeE]", token) else int(token)
        if self._next == "[":
            self._take(), self._take(), self._take()
            return self._until("}")
        if self._next == "<":
            while self._take() != ">":
                pass
        return self._call(token) if self._next == "(" else token

    def _call(self, name: str) -> Call:
        self._take()
        args, chain = self._until(")"), []
        while self._next.startswith("."):
            step = self._take()[1:]
            self._take()
            chain.append(Call(step, self._until(")")))
        return Call(name, args, tuple(chain))

    def _until(self, end: str) -> tuple[Any, ...]:
        values = []
        while self._next != end:
            values.append(self.value())
            if self._next == ",":
                self._take()
        self._take()
        return tuple(values)
