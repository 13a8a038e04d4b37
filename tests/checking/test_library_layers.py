"""`check` takes any layer of the library: one that no command builds, a subclass, and no field that it would drop."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

import convgrad
from convgrad.core.quantity import Quantity, bare
from convgrad.errors import OptionError
from convgrad.layers.activation import Activation
from convgrad.layers.conv import Conv
from convgrad.layers.flatten import Flatten
from convgrad.layers.pool import Pool

X = np.arange(1.0, 10).reshape(1, 1, 3, 3)
KERNEL = np.array([[[[1.0, 2], [3, 4]]]])
DELTA = np.array([[[[1.0, 2], [3, 4]]]])


@pytest.mark.parametrize("batch", [True, False])
def test_flatten_is_checked(batch: bool) -> None:
    delta = Flatten(batch).forward(X).value
    checked = convgrad.check({"dX": X, "output": X.ravel()[None] if batch else X.ravel()}, Flatten(batch), X, delta)
    assert checked.verdict == "right"
    wrong = convgrad.check({"dX": X + 1}, Flatten(batch), X, delta)
    assert wrong.verdict == "wrong"


@dataclass(frozen=True, eq=False, repr=False)
class Mine(Conv):
    """A convolution with another name."""


@dataclass(frozen=True, eq=False, repr=False)
class Doubled(Conv):
    """A convolution whose output is twice as large."""

    def forward(self, x: Any) -> Quantity:
        return replace(bare("output", 2 * super().forward(x).value), axes="NF*")


@dataclass(frozen=True, eq=False, repr=False)
class Wider(Conv):
    """A convolution with a field that no setting says."""

    scale: float = 1.0


def test_a_subclass_is_what_it_was_made_from_and_gives_its_own_results() -> None:
    right = {quantity.name: quantity.value for quantity in Conv(KERNEL).backward(X, DELTA)}
    assert convgrad.check(right, Mine(KERNEL), X, DELTA).verdict == "right"
    flipped = convgrad.check({"dW": np.rot90(right["dW"], 2, (2, 3))}, Mine(KERNEL), X, DELTA)
    assert flipped.verdicts["dW"].sightings
    output = Conv(KERNEL).forward(X).value
    assert convgrad.check({"output": output}, Mine(KERNEL), X).verdict == "right"
    assert convgrad.check({"output": output}, Doubled(KERNEL), X).verdict == "wrong"
    assert convgrad.check({"output": 2 * output}, Doubled(KERNEL), X).verdict == "right"


def test_a_field_that_is_no_setting_is_refused_unless_it_says_nothing() -> None:
    right = {"output": Conv(KERNEL).forward(X).value}
    assert convgrad.check(right, Wider(KERNEL), X).verdict == "right"
    with pytest.raises(OptionError, match=r"Wider\.scale is 2\.0, which is no setting of conv"):
        convgrad.check(right, Wider(KERNEL, scale=2.0), X)
    with pytest.raises(OptionError, match=r"Conv\.placed"):
        convgrad.check(right, Conv(KERNEL, placed=Conv(KERNEL).windows(X)), X)


def test_a_layer_that_is_known_as_none_is_refused() -> None:
    class Strange(Flatten):
        known_as: ClassVar[str] = "strange"

    with pytest.raises(OptionError, match="Strange is known as no layer, but as 'strange'"):
        convgrad.check({"output": X}, Strange(), X)


def test_fields_that_are_settings_of_another_name_are_said() -> None:
    pool = Pool("avg", whole=True)
    assert convgrad.check({"output": [[[["5"]]]]}, pool, X).verdict == "right"
    assert convgrad.check({"output": X}, Activation("identity"), X).verdict == "right"
    assert convgrad.check({"output": X}, Activation("leaky-relu", alpha=0.5), X).verdict == "right"
