"""Who may be in which class of a release by local recoding, where a value has several labels.

Each class is a box: a label for each attribute, and a label covers a set of values. Trying every label of every value
of a person multiplies with the attributes; most such combinations are no class. So attributes are taken one by one, and
after each only those people and classes go on that agree so far. Labels that share a value lie in different layers, so
that within a layer a value has one label at most and agreeing is being equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smartgov.engines.deid.installed import analysis

with analysis():
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """One attribute: people's values by code, the label each value has in each layer (-1: none), and classes' labels.

    `layer[c]` and `label[c]` are those of class `c`.
    """

    people: Ints
    look: tuple[Ints, ...]
    layer: Ints
    label: Ints


def axis(people: pa.Array, classes: pa.Array, labels: pa.Table | None) -> Axis:
    """From columns of text: values of people, labels of classes, and which label covers which value (None: itself)."""
    own = pc.dictionary_encode(people)
    values = own.dictionary
    if labels is None:
        labels = pa.table({"value": values, "label": values})
    pairs = labels.filter(pc.is_in(labels["label"], pc.unique(classes)))
    told = pc.unique(pairs["label"])
    value = pc.index_in(pairs["value"], values).fill_null(-1).to_numpy().astype(np.int64)
    label = pc.index_in(pairs["label"], told).to_numpy().astype(np.int64)
    layers = _layers(value[value >= 0], label[value >= 0], len(values), len(told))
    look = []
    for number in range(int(layers.max(initial=-1)) + 1):
        table = np.full(max(len(values), 1), -1, dtype=np.int64)
        there = (value >= 0) & (layers[label] == number)
        table[value[there]] = label[there]
        look.append(table)
    codes = pc.index_in(classes, told).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    places = own.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Axis(places, tuple(look), np.where(codes >= 0, layers[codes] if len(layers) else -1, -1), codes)


def _layers(value: Ints, label: Ints, values: int, labels: int) -> Ints:
    """For each label its layer: above every smaller label that shares a value with it."""
    height = np.zeros(values, dtype=np.int64)
    layer = np.zeros(labels, dtype=np.int64)
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(labels + 1))
    for one in np.argsort(np.diff(starts), kind="stable"):
        covered = value[order[starts[one] : starts[one + 1]]]
        layer[one] = height[covered].max(initial=0)
        height[covered] = layer[one] + 1
    return layer


def pairs(axes: Sequence[Axis], people: int, classes: int) -> Iterator[tuple[Ints, Ints]]:
    """Arrays of people and of classes that each of them may be in, some at a time."""
    everybody, every = np.arange(people), np.arange(classes)
    start = np.zeros(people, dtype=np.int64), np.zeros(classes, dtype=np.int64)
    yield from _along(axes, everybody, every, *start)


def _along(axes: Sequence[Axis], people: Ints, classes: Ints, here: Ints, there: Ints) -> Iterator[tuple[Ints, Ints]]:
    """People and classes that agree so far, each with the number of what they agree in (classes': from 0, dense)."""
    if not len(people) or not len(classes):
        return
    if not axes:
        order = np.argsort(there, kind="stable")
        low = np.searchsorted(there[order], here, "left")
        many = np.searchsorted(there[order], here, "right") - low
        places = np.repeat(low, many) + np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        yield np.repeat(people, many), classes[order[places]]
        return
    one, rest = axes[0], axes[1:]
    for number, look in enumerate(one.look):
        own = one.layer[classes] == number
        labels = look[np.maximum(one.people[people], 0)]
        labelled = (labels >= 0) & (one.people[people] >= 0)
        size = int(max(one.label.max(initial=0), labels.max(initial=0))) + 1
        keys, dense = np.unique(there[own] * size + one.label[classes[own]], return_inverse=True)
        asked = here[labelled] * size + labels[labelled]
        place = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
        agree = keys[place] == asked if len(keys) else np.zeros(len(asked), dtype=bool)
        yield from _along(rest, people[labelled][agree], classes[own], place[agree], dense.ravel())
