"""Walk an expression over data: the value, the tree of what was evaluated, and what it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smartgov.engines.expr.operators import OPERATORS
from smartgov.engines.expr.values import Unknown, as_json, invalid, join, kind, require

MAX_DEPTH = 40
_ABSENT = object()
_SPECIAL = {"var": (1, 2), "and": (1, 64), "or": (1, 64), "!": (1, 1), "if": (2, 65)}


@dataclass(frozen=True, slots=True)
class Trace:
    """One evaluated node: the operator (`literal` and `list` for plain values), its value, what it was made of.

    `path` is the reference that a `var` read. Branches that did not matter are not evaluated and not listed.
    """

    op: str
    value: Any
    children: tuple[Trace, ...] = ()
    path: str | None = None

    def walk(self) -> Iterator[Trace]:
        """This node and every node below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def as_dict(self) -> dict[str, Any]:
        """The tree in JSON."""
        tree: dict[str, Any] = {"op": self.op, "value": as_json(self.value)}
        if isinstance(self.value, Unknown):
            tree["missing"] = sorted(self.value.missing)
        if self.path is not None:
            tree["path"] = self.path
        if self.children:
            tree["children"] = [child.as_dict() for child in self.children]
        return tree


def evaluate(node: Any, data: Mapping[str, Any]) -> Any:
    """The value of `node` over `data`, or Unknown; Problem `expr-invalid` when it is not a sound expression."""
    return trace(node, data).value


def trace(node: Any, data: Mapping[str, Any]) -> Trace:
    """As `evaluate`, with the tree of everything that was evaluated on the way."""
    return _trace(node, data, 0)


def references(node: Any) -> frozenset[str]:
    """Every path that the expression may read."""
    return frozenset(path for path, _ in _variables(node))


def check(node: Any) -> None:
    """Refuse (Problem `expr-invalid`) an unknown operator or a wrong number of arguments without any data."""
    if isinstance(node, Mapping):
        op, arguments = operation(node)
        least, most = _arity(op)
        if not least <= len(arguments) <= most:
            raise invalid(f"{op} does not take {len(arguments)} arguments")
        if op == "var":
            _path(arguments)
            return
        for argument in arguments:
            check(argument)
    elif isinstance(node, list | tuple):
        for item in node:
            check(item)
    else:
        kind(node)


def _trace(node: Any, data: Mapping[str, Any], depth: int) -> Trace:
    if depth > MAX_DEPTH:
        raise invalid("is nested too deeply")
    if isinstance(node, Mapping):
        return _apply(*operation(node), data, depth + 1)
    if isinstance(node, list | tuple):
        return _list(node, data, depth + 1)
    kind(node)
    return Trace("literal", node)


def _apply(op: str, arguments: list[Any], data: Mapping[str, Any], depth: int) -> Trace:
    least, most = _arity(op)
    if not least <= len(arguments) <= most:
        raise invalid(f"{op} does not take {len(arguments)} arguments")
    if op == "var":
        return _variable(arguments, data)
    if op == "if":
        return _if(arguments, data, depth)
    if op in ("and", "or"):
        return _logic(op, arguments, data, depth)
    children = tuple(_trace(argument, data, depth) for argument in arguments)
    unknowns = [child.value for child in children if isinstance(child.value, Unknown)]
    if unknowns:
        return Trace(op, join(unknowns), children)
    if op == "!":
        return Trace(op, not require(children[0].value, "boolean", "!"), children)
    return Trace(op, OPERATORS[op].function(*(child.value for child in children)), children)


def _logic(op: str, arguments: list[Any], data: Mapping[str, Any], depth: int) -> Trace:
    """Kleene's `and` and `or`: one deciding value decides, whatever the unknown ones turn out to be."""
    deciding, children = op == "or", []
    for argument in arguments:
        child = _trace(argument, data, depth)
        children.append(child)
        if isinstance(child.value, Unknown):
            continue
        if require(child.value, "boolean", op) == deciding:
            return Trace(op, deciding, tuple(children))
    unknowns = [child.value for child in children if isinstance(child.value, Unknown)]
    return Trace(op, join(unknowns) if unknowns else not deciding, tuple(children))


def _if(arguments: list[Any], data: Mapping[str, Any], depth: int) -> Trace:
    """`[condition, value, condition, value, ..., otherwise]`; without `otherwise` it is null."""
    children: list[Trace] = []
    for index in range(0, len(arguments) - 1, 2):
        condition = _trace(arguments[index], data, depth)
        children.append(condition)
        if isinstance(condition.value, Unknown):
            return Trace("if", condition.value, tuple(children))
        if require(condition.value, "boolean", "if"):
            return _chosen(arguments[index + 1], children, data, depth)
    if len(arguments) % 2:
        return _chosen(arguments[-1], children, data, depth)
    return Trace("if", None, tuple(children))


def _chosen(node: Any, children: list[Trace], data: Mapping[str, Any], depth: int) -> Trace:
    child = _trace(node, data, depth)
    return Trace("if", child.value, (*children, child))


def _list(items: list[Any] | tuple[Any, ...], data: Mapping[str, Any], depth: int) -> Trace:
    children = tuple(_trace(item, data, depth) for item in items)
    unknowns = [child.value for child in children if isinstance(child.value, Unknown)]
    return Trace("list", join(unknowns) if unknowns else [child.value for child in children], children)


def _variable(arguments: list[Any], data: Mapping[str, Any]) -> Trace:
    path = _path(arguments)
    found: Any = data
    for name in path.split("."):
        found = found.get(name, _ABSENT) if isinstance(found, Mapping) else _ABSENT
    if found is _ABSENT:
        found = arguments[1] if len(arguments) == 2 else Unknown(frozenset({path}))
    if not isinstance(found, Unknown):
        kind(found)
    return Trace("var", found, path=path)


def _path(arguments: list[Any]) -> str:
    path = arguments[0]
    if not isinstance(path, str) or not path:
        raise invalid("var takes the path of a value")
    return path


def operation(node: Mapping[Any, Any]) -> tuple[str, list[Any]]:
    """Operator and arguments of `{"op": [arguments]}`; Problem `expr-invalid` for another shape."""
    if len(node) != 1:
        raise invalid("an operation is an object with exactly one key")
    op, arguments = next(iter(node.items()))
    if op not in _SPECIAL and op not in OPERATORS:
        raise invalid(f"there is no operator {op!r}")
    return op, list(arguments) if isinstance(arguments, list | tuple) else [arguments]


def _arity(op: str) -> tuple[int, int]:
    return _SPECIAL[op] if op in _SPECIAL else (OPERATORS[op].least, OPERATORS[op].most)


def _variables(node: Any) -> Iterator[tuple[str, bool]]:
    if isinstance(node, Mapping):
        op, arguments = operation(node)
        if op == "var":
            yield _path(arguments), len(arguments) == 2
            return
        for argument in arguments:
            yield from _variables(argument)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _variables(item)
