"""What a privacy model is to the search and to the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from smartgov.engines.deid.classes import Classes
from smartgov.engines.deid.installed import analysis
from smartgov.shared.problems import Problem
from smartgov.shared.text import Text

with analysis():
    import numpy as np
    from numpy.typing import NDArray

Mask: TypeAlias = "NDArray[np.bool_]"
Figures: TypeAlias = "NDArray[np.float64]"


class Model(Protocol):
    """What the search and the checks need of a model."""

    kind: ClassVar[str]

    @property
    def sensitive(self) -> str | None:
        """The sensitive attribute that it protects, if any."""
        ...

    @property
    def smallest_class(self) -> int:
        """A class with fewer rows cannot hold; what lets the search rule out a node from a coarser look."""
        ...

    @property
    def monotone(self) -> bool:
        """Whether merging classes that all hold makes a class that holds."""
        ...

    def holds(self, classes: Classes) -> Mask:
        """For each class whether it fulfils the model; an empty class does."""
        ...

    def measure(self, classes: Classes) -> float:
        """The model's figure over all classes with rows."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a policy."""
        ...


@dataclass(frozen=True)
class OfAttribute:
    """A model about the values of one sensitive attribute."""

    attribute: str

    @property
    def sensitive(self) -> str:
        """The attribute."""
        return self.attribute


def check(good: bool, kind: str, why_en: str, why_zh: str) -> None:
    """Problem `deid-model-invalid` unless the words of a model are good."""
    if not good:
        raise invalid(kind, why_en, why_zh)


def invalid(kind: str, why_en: str, why_zh: str) -> Problem:
    """A model that cannot be used as the policy has it."""
    return Problem(
        "deid-model-invalid",
        what=Text(f"The privacy model {kind} cannot be used so.", f"隱私模型 {kind} 設定有誤。"),
        why=Text(f"{why_en}.", f"{why_zh}。"),
        todo=Text("Mend `models` in the policy.", "請修正政策檔的 models。"),
    )
