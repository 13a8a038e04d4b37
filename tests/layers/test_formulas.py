"""The formulas that are printed: worked out, index by index, they give the values beside them."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from spaces import convolutions, transposed, whole_numbers

from convgrad.problems import Operand
from convgrad.problems.conv import conv_problem
from convgrad.problems.dense import dense_problem
from convgrad.problems.solve import solve

Array = NDArray[Any]
SUM = re.compile(
    r"(?P<left>\w+)(\[(?P<at>.*?)\])? = (?P<bias>b(\[f\])? \+ )?sum over (?P<first>[cf]) and all (?P<over>[a-z,]+) "
    r"with \((?P<cell>.*)\) = \((?P<here>.*?)\) of (?P<one>\w+)(\[(?P<i1>.*?)\])? \* (?P<two>\w+)(\[(?P<i2>.*?)\])?"
    r"(, over all examples)?"
)


def work_out(formula: str, value: Array, arrays: dict[str, Array], ranges: dict[str, int]) -> Array:
    """A printed sum of products, evaluated as it stands; cells outside an array count as 0."""
    text = formula.removesuffix(", over all examples")
    text = re.sub(r" over all ([a-z,]+) with", r" over ! and all \1 with", text) if " and all " not in text else text
    match = SUM.fullmatch(text)
    if match:
        found = match.groupdict()
        over = [v for v in (found["first"], *found["over"].split(",")) if v in ranges] if found["first"] else []
    else:
        plain = re.fullmatch(
            r"(?P<left>\w+)(\[(?P<at>.*?)\])? = (?P<bias>b(\[f\])? \+ )?sum over (?P<over>[a-z,]+) of "
            r"(?P<one>\w+)(\[(?P<i1>.*?)\])? \* (?P<two>\w+)(\[(?P<i2>.*?)\])?",
            text,
        )
        assert plain, formula
        found = {**plain.groupdict(), "cell": "", "here": ""}
        over = found["over"].split(",")

    def index(text: str | None, at: dict[str, int]) -> tuple[int, ...]:
        if not text:
            return ()
        return tuple(eval(re.sub(r"(\d)([a-z])", r"\1*\2", part), {}, at) for part in text.split(","))

    letters = re.findall("[a-z]", found["at"] or "")
    result = np.zeros(value.shape)
    for outer in itertools.product(*(range(ranges[v]) for v in letters)):
        at = dict(zip(letters, outer, strict=True))
        place = index(found["at"], at)
        total = 0.0
        if found["bias"]:
            total += float(arrays["bias"].reshape(-1)[at.get("f", 0)])
        inner = [v for v in over if v not in at]
        for values in itertools.product(*(range(ranges[v]) for v in inner)):
            at |= dict(zip(inner, values, strict=True))
            if index(found["cell"], at) != index(found["here"], at):
                continue
            factors = []
            for name, where in ((found["one"], index(found["i1"], at)), (found["two"], index(found["i2"], at))):
                array = arrays[name]
                inside = all(0 <= i < n for i, n in zip(where, array.shape, strict=True))
                factors.append(float(array[where]) if inside else 0.0)
            total += factors[0] * factors[1]
        result[place] = total
    return result


@settings(max_examples=40)
@given(st.one_of(convolutions(), transposed()), st.booleans())
def test_formulas_of_convolutions_give_the_values(case: Any, last: bool) -> None:
    layer, x, delta = case
    d = x.ndim - 2
    if d > 2 or layer.groups > 1 or getattr(layer, "pad_mode", "zeros") != "zeros" or max(x.shape) > 6:
        return
    x, delta, backwards = x[0], delta[0], hasattr(layer, "output_padding")
    arrays = {"input": x, "delta": delta, "kernel": layer.kernel}
    if last:
        arrays = {
            "input": np.moveaxis(x, 0, -1),
            "delta": np.moveaxis(delta, 0, -1),
            "kernel": np.moveaxis(layer.kernel, (0, 1), (-2, -1) if backwards else (-1, -2)),
        }
    if layer.bias is not None:
        arrays["bias"] = layer.bias
    options = {
        "stride": layer.stride,
        "padding": layer.padding,
        "dilation": layer.dilation,
        "flip": layer.flip,
        "dims": d,
        "layout": "channels-last" if last else "channels-first",
    }
    if backwards:
        options |= {"transposed": True, "output_padding": layer.output_padding}
    given_arrays = {name: Operand(array, name) for name, array in arrays.items()}
    quantities = solve(conv_problem(given_arrays, options, True)).quantities
    small, large = (x.shape[1:], delta.shape[1:]) if backwards else (delta.shape[1:], x.shape[1:])
    ranges = {
        "f": len(delta),
        "c": len(x),
        **dict(zip("ijk", small, strict=False)),
        **dict(zip("xyz", large, strict=False)),
        **dict(zip("mno", layer.kernel.shape[2:], strict=False)),
    }
    for name in ("output", "dW", "dX"):
        quantity = quantities[name]
        np.testing.assert_allclose(
            work_out(str(quantity.formula), quantity.value, arrays, ranges),
            quantity.value,
            err_msg=str(quantity.formula),
        )


def test_formulas_leave_out_what_is_not_there_and_say_what_indices_do_not() -> None:
    def formulas(x: tuple[int, ...], kernel: tuple[int, ...], **settings: Any) -> dict[str, str]:
        given_arrays = {"input": Operand(whole_numbers(x, 0), ""), "kernel": Operand(whole_numbers(kernel, 1), "")}
        given_arrays["delta"] = Operand(np.array(1.0), "", typed=True)
        return {
            name: str(q.formula) for name, q in solve(conv_problem(given_arrays, settings, True)).quantities.items()
        }

    plain = formulas((5, 5), (2, 2))
    assert plain["dW"] == "dW[m,n] = sum over i,j of delta[i,j] * input[i+m,j+n]"
    assert plain["dX"] == "dX[x,y] = sum over all i,j,m,n with (i+m,j+n) = (x,y) of delta[i,j] * kernel[m,n]"
    batch = formulas((2, 3, 5, 5), (4, 3, 2, 2), stride=(2,), padding=((1, 1),))
    assert batch["dW"] == "dW[f,c,m,n] = sum over i,j of delta[f,i,j] * input[c,2i+m-1,2j+n-1], over all examples"
    assert batch["db"] == "db[f] = sum over i,j of delta[f,i,j], over all examples"
    assert "c and f counted within their group" in formulas((2, 5, 5), (2, 1, 2, 2), groups=2)["output"]
    assert "borrowed by reflect" in formulas((5, 5), (2, 2), padding=((1, 1),), pad_mode="reflect")["output"]


@pytest.mark.parametrize("layout", ["out-in", "in-out"])
def test_formulas_of_dense_layers(layout: str) -> None:
    weight = whole_numbers((2, 3), 0)
    arrays = {
        "input": whole_numbers((3,), 1),
        "weight": weight.T if layout == "in-out" else weight,
        "delta": whole_numbers((2,), 2),
    }
    quantities = solve(
        dense_problem({n: Operand(a, n) for n, a in arrays.items()}, {"weight_layout": layout}, True)
    ).quantities
    ranges = {"o": 2, "i": 3}
    for name in ("output", "dX"):
        quantity = quantities[name]
        np.testing.assert_allclose(work_out(str(quantity.formula), quantity.value, arrays, ranges), quantity.value)
    assert str(quantities["dW"].formula) == (
        "dW[i,o] = delta[o] * input[i]" if layout == "in-out" else "dW[o,i] = delta[o] * input[i]"
    )
