"""A new layer is its kind, its arithmetic and its name in the registry: added in a copy of the tree, every command has it."""

import json
from collections.abc import Callable

import pytest
from houses import House, Ran

KIND = '''
"""A channel times its gamma."""

from convgrad.kinds.kind import Given, Kind, Page
from convgrad.kinds.setting import Setting, number
from convgrad.kinds.shared import ACTIVATING, DELTA, INPUT, SPATIAL, descent


def _draw(random, small):
    return {"input": random.integers(-3, 4, (2, 3)).astype(float), "gamma": random.integers(1, 4, 3).astype(float)}, {}


SCALE = Kind(
    name="scale",
    title="scaling",
    given=(
        INPUT,
        Given(
            "gamma",
            ("gamma", "g"),
            flags=("-g", "--gamma"),
            help="The factor of each channel.",
            parameter="gamma",
            axes=("C",),
            wanting="a gamma (-g)",
        ),
        DELTA,
    ),
    settings=(Setting("alpha", number, "A factor of all of it; 1 unless given.", "X"),),
    activation=(),
    descent=descent("gamma"),
    common=SPATIAL,
    marks={"gamma": ()},
    precedence=9,  # a normalisation has a gamma too
    forward=Page("Each channel times a number.", "convgrad scale-forward x.json -g '[1, 2]'", "Channels scaled."),
    backward=Page("dgamma and dX of a scaling.", "convgrad scale-backward x.json d.json", "The gradients of it."),
    layer="convgrad.layers.scale:Scale",
    draw=_draw,
    torch=lambda layer, x, operands: [f"{x} * {operands['gamma']}.reshape(-1, *[1] * ({x}.ndim - 2))"],
)
'''

ARITHMETIC = '''
"""A layer that multiplies each channel by a number of its own: output[n,c,i] = gamma[c] * input[n,c,i]."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from convgrad.core.element import Products, cell, cells
from convgrad.core.quantity import Bare
from convgrad.formula import Formula
from convgrad.layers import Parameter


@dataclass(frozen=True, eq=False)
class Scaled(Bare):
    factors: tuple = ()

    def products(self, at):
        (one, axes, array), (other, letters, numbers) = self.factors
        return [Products((cell(one, array, at, axes), cell(other, numbers, at[1:2], letters)))]


@dataclass(frozen=True, eq=False)
class Summed(Bare):
    factors: tuple = ()

    def products(self, at):
        every = np.argwhere(np.ones(self.factors[0][2].shape, bool))
        here = every[every[:, 1] == at[0]]
        return [Products(tuple(cells(name, array, here, axes) for name, axes, array in self.factors))]


@dataclass(frozen=True, eq=False)
class Scale:
    gamma: object = None
    alpha: float = 1.0

    known_as: ClassVar[str] = "scale"
    input_axes: ClassVar[str] = "NC*"
    output_axes: ClassVar[str] = "NC*"
    parameters: ClassVar[dict] = {"gamma": Parameter("gamma", "C", neutral=1.0)}

    def _gamma(self, x):
        return np.ones(x.shape[1], x.dtype) if self.gamma is None else self.gamma

    def _scaled(self, name, x, source):
        gamma = self._gamma(x)
        array = x * gamma.reshape(-1, *(1,) * (x.ndim - 2)) * self.alpha
        formula = Formula.of("{%s} = {gamma} * {%s}" % (name, source))
        factors = (source, "NC*", x), ("gamma", "C", gamma * self.alpha)
        return Scaled(array, factors, name=name, formula=formula, shape=x.shape, axes="NC*")

    def forward(self, x):
        return self._scaled("output", x, "input")

    def backward(self, x, delta):
        found = (x * delta).sum(axis=(0, *range(2, x.ndim))) * self.alpha
        formula = Formula.of("{dgamma} = sum of {delta} * {input}")
        factors = ("delta", "NC*", delta), ("input", "NC*", x * self.alpha)
        dgamma = Summed(found, factors, name="dgamma", formula=formula, shape=found.shape, axes="C")
        return dgamma, self._scaled("dX", delta, "delta")
'''

X, D, G = "'[[1,2],[3,4],[5,6]]'", "'[[1,0],[2,1],[1,-1]]'", "'[1,2]'"
NETWORK = {
    "layers": [
        {"type": "conv", "kernel": [[[[1, 2], [3, 4]]], [[[1, 0], [0, 1]]]]},
        {"type": "scale", "gamma": [1, 2]},
        {"type": "flatten"},
        {"type": "dense", "weight": [[1, 2, 3, 4, 5, 6, 7, 8]]},
    ]
}


@pytest.fixture(scope="module")
def convgrad(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    """The program of a tree that has the layer, in two new files and two lines of the registry."""
    house = House.copied(tmp_path_factory.mktemp("tree"))
    house.write("kinds/scale.py", KIND)
    house.write("layers/scale.py", ARITHMETIC)
    house.change("kinds/__init__.py", "FLATTEN, LOSS)", "FLATTEN, SCALE, LOSS)")
    house.change("kinds/__init__.py", "import POOL\n", "import POOL\nfrom convgrad.kinds.scale import SCALE\n")
    assert house.touched() == ["kinds/__init__.py", "kinds/scale.py", "layers/scale.py"]
    return house.run


def result(ran: Ran) -> dict[str, object]:
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_its_commands(convgrad: Callable[..., Ran]) -> None:
    assert result(convgrad(f"convgrad scale-forward {X} -g {G}"))["output"] == [[1, 4], [3, 8], [5, 12]]
    found = result(convgrad(f"convgrad scale-backward {X} {D} -g {G} --lr 0.5 --momentum 0.9 --dtype exact"))
    assert found["dgamma"] == [12, -2] and found["dX"] == [[1, 0], [2, 2], [1, -2]]
    assert found["gamma_new"] == [-5, 3] and found["velocity_gamma"] == [12, -2]
    assert list(found) == ["output", "dgamma", "dX", "gamma_new", "velocity_gamma"]
    again = result(
        convgrad(f"convgrad scale-backward {X} {D} -g {G} --lr 1 --momentum 1 --velocity -", json.dumps(found))
    )
    assert again["velocity_gamma"] == [24, -4]
    without = convgrad(f"convgrad scale-backward {X} 1 --lr 0.5")
    assert result(without)["dgamma"] == [9, 12] and "gamma_new left out: add a gamma (-g)" in without.stderr
    one = '{"x": [[[1, 2]], [[3, 4]]], "g": 3, "alpha": 2, "layout": "channels-last", "delta": [[[1, 1]], [[0, 1]]]}'
    assert result(convgrad("convgrad scale-backward - --only dgamma", one)) == {"dgamma": [2, 12]}


def test_its_page_and_its_errors(convgrad: Callable[..., Ran]) -> None:
    assert "scale-backward      dgamma and dX of a scaling." in convgrad("convgrad --help").stdout
    page = convgrad("convgrad scale-backward --help").stdout
    assert "-g, --gamma SOURCE" in page and "adds gamma_new" in page and "--alpha X" in page
    assert "scale" in convgrad("convgrad mistakes --layer scal", code=2).stderr
    wrong = convgrad(f"convgrad scale-forward {X} -g '[1,2,3]'", code=2).stderr
    assert wrong.startswith("Error: [1,2,3] and [[1,2],[3,4],[5,6]]: gamma is 3, but a 3x2 input takes 2; write one")
    assert "with 1 axes, but expected are 2 or more" in convgrad("convgrad scale-forward '[1]'", code=2).stderr
    assert "Did you mean 'gamma'?" in convgrad("convgrad scale-forward -", '{"x": [[1]], "gama": [1]}', code=2).stderr
    assert "there is no matrix form" in convgrad(f"convgrad scale-forward {X} --form matrix", code=2).stderr


def test_its_answers_gradients_and_working(convgrad: Callable[..., Ran]) -> None:
    backward = f"convgrad scale-backward {X} {D} -g {G}"
    right = '{"dgamma": [12, -2], "dX": [[1, 0], [2, 2], [1, -2]]}'
    assert result(convgrad(f"{backward} --check -", right))["verdict"] == "right"
    checked = result(convgrad(f"{backward} --check -", right.replace("12", "13"), code=1))
    assert checked["answers"]["dgamma"]["wrong_cells"] == [[0]]  # type: ignore[index]
    gradcheck = result(convgrad(f"{backward} --gradcheck"))
    assert gradcheck["verdict"] == "agrees" and list(gradcheck["gradients"]) == ["dgamma", "dX"]  # type: ignore[call-overload]
    explained = result(convgrad(f"{backward} --explain 'dX[2,1]'"))["explain"]
    assert explained[0]["terms"][0]["factors"] == [["delta[2,1]", -1.0], ["gamma[1]", 2.0]]  # type: ignore[index]
    for form in ("table", "markdown", "latex", "html"):
        assert convgrad(f"{backward} --format {form}").stdout
    program = convgrad(f"{backward} --format torch").stdout
    assert "gamma" in program
    compile(program, "program", "exec")


def test_it_stands_in_networks(convgrad: Callable[..., Ran]) -> None:
    run = "convgrad backprop - '[[[[1,2,3],[4,5,6],[7,8,9]]]]' '[[2]]'"
    network = json.dumps(NETWORK)
    layers = result(convgrad(f"{run} --lr 0.1", network))["layers"]
    assert list(layers[1]) == ["type", "output", "delta", "dgamma", "dX", "gamma_new"]  # type: ignore[index]
    assert result(convgrad(f"{run} --gradcheck --only 'layers[1]'", network))["verdict"] == "agrees"
    convgrad(f"{run} --lr 0.1 --momentum 0.9 --save-network next.json", network)
    next_one = convgrad("convgrad backprop next.json '[[[[1,2,3],[4,5,6],[7,8,9]]]]' '[[2]]' --lr 0.1 --momentum 0.9")
    assert "velocity_gamma" in next_one.stdout
    misspelt = json.dumps(NETWORK).replace('"gamma"', '"gama"')
    assert "a scale layer has no 'gama'" in convgrad(run, misspelt, code=2).stderr


def test_problems_of_it_are_known_and_drawn(convgrad: Callable[..., Ran]) -> None:
    problem = json.dumps({"input": [[1, 2]], "gamma": [3, 4], "delta": [[1, 1]]})
    assert result(convgrad("convgrad mistakes -", problem))["layer"] == "scale"
    drawn = (
        "import numpy; from convgrad.teaching.draws import drawn; print(drawn('scale', numpy.random.default_rng(0)))"
    )
    assert "Case" in convgrad(f'python -c "{drawn}"').stdout
    check = (
        "import numpy; from convgrad import Scale, check; x = numpy.ones((2, 3)); "
        "print(check({'dgamma': [2, 2, 2]}, Scale(numpy.ones(3)), x, x).verdict)"
    )
    assert convgrad(f'python -c "{check}"').stdout == "right\n"


def test_exercises_are_drawn_of_it(convgrad: Callable[..., Ran]) -> None:
    ran = convgrad("convgrad exercise scale 3x2 --seed 1 --key key.json")
    problem = json.loads(ran.stdout)
    assert problem["layer"] == "scale" and problem["ask"] == ["output", "dgamma", "dX"]
    assert len(problem["gamma"]) == 2 and ran.stderr.startswith("Note: tells apart ")
    assert convgrad("convgrad scale-backward - --check key.json", stdin=ran.stdout).returncode == 0
    assert "Usage: convgrad exercise scale" in convgrad("convgrad exercise scale --help").stdout
