"""Column vectors, as courses write them, as input and delta of a dense layer."""

import json

import pytest
from conftest import Convgrad

W = "-w '[[1,2],[3,4],[5,6]]'"
RIGHT = {"dW": [[1, 2], [-1, -2], [2, 4]], "db": [1, -1, 2]}


@pytest.mark.parametrize("weight", [W, ""])
@pytest.mark.parametrize("delta", ["[[1],[-1],[2]]", "[[1,-1,2]]", "[1,-1,2]"])
@pytest.mark.parametrize("x", ["[[1],[2]]", "[[1,2]]", "[1,2]"])
def test_columns_are_read_as_meant(convgrad: Convgrad, x: str, delta: str, weight: str) -> None:
    ran = convgrad(f"convgrad dense-backward '{x}' '{delta}' {weight} --only dW,db")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == RIGHT


@pytest.mark.parametrize(
    ("operands", "said"),
    [
        ("'[[1],[2]]' '[[1],[2]]'", "two columns, or 2 examples of one number; add the weight (-w)"),
        (f"'[[1],[2]]' '[[1],[-1]]' {W}", "delta is 2x1, but a 2x1 input under 3 nodes gives 3"),
        (f"'[[1,2,3,4],[3,4,5,6]]' '[[1,2,3,4]]' {W}", "each example is a row: transpose the input"),
    ],
)
def test_columns_that_could_mean_two_things_are_refused(convgrad: Convgrad, operands: str, said: str) -> None:
    ran = convgrad(f"convgrad dense-backward {operands}")
    assert ran.code == 2 and said in ran.err, ran.err
