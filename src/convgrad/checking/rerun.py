"""A network's pass once more, with some of its results as a reader has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.checking.follow import Flow, with_input
from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import RESULTS
from convgrad.layers.loss import Loss

if TYPE_CHECKING:
    from convgrad.checking.network import Network

OWN = tuple(name for name in (*RESULTS, "z", "derivative", "sensitivity") if name not in ("loss", "delta"))
"""Results of a layer that others of it may be worked from."""


class Rerun:
    """The pass once more, with some results as a reader has them, as far as one result needs it."""

    def __init__(self, network: Network, name: str, own: Mapping[str, Array]) -> None:
        self.network, self.name = network, name
        self.own = {each: np.asarray(array, np.float64) for each, array in own.items() if each != name}
        self.layers, self.last = network.done.layers, len(network.done.layers) - 1

    def value(self) -> Array | None:
        """What the result would be; None where it cannot be worked."""
        with np.errstate(all="ignore"):
            try:
                return self._value(self.network.layer_of(self.name), self.name.rpartition(".")[2])
            except (ConvgradError, ValueError):
                return None

    def _value(self, k: int, name: str) -> Array | None:
        if name == "loss":
            return self._loss()[0].value
        if name == "output":
            return self._output(k, given=self.name == "output")
        return self._delta(k) if name == "delta" else self._flow(k).value(name)

    def _flow(self, k: int) -> Flow:
        """A layer in its place, its input and delta as they are here."""
        own = {name: self.own[path] for name in OWN if (path := f"layers[{k}].{name}") in self.own}
        if k == self.last and "output" in self.own and self.name != "output":
            own.setdefault("output", self.own["output"])
        values = {each: quantity.value for each, quantity in self.layers[k].items()}
        problem = self.network.problem_of(k)
        if k and any(self._is_before(each, k) for each in self.own):
            problem = with_input(problem, self._output(k - 1))
        return Flow(problem, own, lambda: self._delta(k), values)

    def _is_before(self, path: str, k: int) -> bool:
        """Whether a result belongs to the forward pass up to a layer's input."""
        return path.rpartition(".")[2] in ("z", "output") and path != "output" and self.network.layer_of(path) < k

    def _own(self, names: list[str], right: Array) -> Array | None:
        """What the reader has for a result that has two names: where both are there, what is farther from being right.

        Who is right in one of them went on with the other, or there would be nothing to ask.
        """
        found = [self.own[each] for each in names if each in self.own]
        return max(found, key=lambda own: float(np.abs(own - right).max(initial=0.0)), default=None)

    def _output(self, k: int, given: bool = True) -> Array:
        """A layer's output: the reader's own, or what follows from the reader's own before it."""
        names = [f"layers[{k}].output", *(["output"] if k == self.last else [])]
        if given:
            own = self._own(names, self.layers[k]["output"].value)
            if own is not None:
                return own
        if not any(self._is_before(each, k + 1) for each in self.own):
            return self.layers[k]["output"].value
        found = self._flow(k).value("output")
        return self.layers[k]["output"].value if found is None else found

    def _loss(self) -> tuple[Any, ...]:
        return Loss(self.network.kind).backward(self._output(self.last), self.network.target.array)

    def _delta(self, k: int) -> Array | None:
        own = self._own([f"layers[{k}].delta", f"layers[{k + 1}].dX"], self.layers[k]["delta"].value)
        if own is not None:
            return own
        if k == self.last:
            return np.asarray(self._loss()[1].value)
        return self._flow(k + 1).value("dX")
