"""Ranks and layouts: axes that the operands leave out are left out of the results, and nothing else changes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from spaces import convolutions, poolings, whole_numbers

from convgrad import Conv, Pool
from convgrad.errors import ConvgradError
from convgrad.kinds import setting_of
from convgrad.problems import Operand
from convgrad.problems.conv import conv_problem
from convgrad.problems.fitting import what_fits
from convgrad.problems.pool import pool_problem
from convgrad.problems.solve import solve

Array = NDArray[Any]


def operands(**arrays: Any) -> dict[str, Operand]:
    return {name: Operand(np.asarray(array, float), f"{name}.json") for name, array in arrays.items()}


def conv(settings: dict[str, Any] | None = None, **arrays: Any) -> dict[str, Array]:
    given = operands(**{"input" if name == "x" else name: array for name, array in arrays.items()})
    solution = solve(conv_problem(given, settings or {}, "delta" in arrays))
    return {name: quantity.value for name, quantity in solution.quantities.items()}


@pytest.mark.parametrize(
    ("x", "kernel", "dims", "output"),
    [
        ((5,), (2,), None, (4,)),
        ((5, 5), (2, 2), None, (4, 4)),
        ((3, 5), (4, 3, 2), None, (4, 4)),
        ((5, 5), (4, 1, 2, 2), None, (4, 4, 4)),
        ((3, 5, 5), (3, 2, 2), None, (4, 4)),
        ((3, 5, 5), (4, 3, 2, 2), None, (4, 4, 4)),
        ((2, 3, 5, 5), (4, 3, 2, 2), None, (2, 4, 4, 4)),
        ((3, 4, 5, 5), (6, 3, 2, 2, 2), None, (6, 3, 4, 4)),
        ((2, 3, 4, 5, 5), (6, 3, 2, 2, 2), None, (2, 6, 3, 4, 4)),
        ((2, 3, 5), (4, 3, 2), 1, (2, 4, 4)),
        ((2, 3, 5), (3, 2), 1, (2, 4)),
        ((5,), (4, 1, 2), 1, (4, 4)),
        ((2, 3, 5, 5), (3, 2, 2), 2, (2, 4, 4)),
        ((4, 5, 5), (2, 2, 2), 3, (3, 4, 4)),
        ((4, 5, 5), (6, 1, 2, 2, 2), 3, (6, 3, 4, 4)),
    ],
)
def test_ranks_of_input_and_kernel(x: Any, kernel: Any, dims: int | None, output: Any) -> None:
    settings = {"dims": dims} if dims else {}
    a, k = whole_numbers(x, 0), whole_numbers(kernel, 1)
    delta = whole_numbers(output, 2)
    found = conv(settings, x=a, kernel=k, delta=delta)
    d = dims or {(1, 1): 1, (2, 3): 1, (5, 5): 3, (4, 5): 3}.get((len(x), len(kernel)), 2)
    assert found["db"].shape == ((kernel[0],) if len(kernel) == d + 2 else ())
    assert found["output"].shape == output
    assert found["dW"].shape == kernel
    assert found["dX"].shape == x
    # one number is checked against plain counting: the last output is the sum under the last placement
    corner: tuple[Any, ...] = tuple(slice(-n, None) for n in kernel[-d:])
    last = a[(..., *corner)]
    last = last[-1] if len(x) == d + 2 else last
    weights = k[-1] if len(kernel) == d + 2 else k
    assert found["output"].reshape(-1)[-1] == (last.reshape(weights.shape) * weights).sum()


@pytest.mark.parametrize(
    ("x", "kernel"), [((5,), (4, 1, 2)), ((2, 3, 5, 5), (3, 2, 2)), ((5, 5, 5), (2, 2)), ((1, 1, 1, 1, 1), (1, 1, 1))]
)
def test_ranks_that_leave_it_open_need_dims(x: Any, kernel: Any) -> None:
    with pytest.raises(ConvgradError, match=f"an input with {len(x)} axes and a kernel with {len(kernel)} .*--dims"):
        conv(x=np.ones(x), kernel=np.ones(kernel), delta=np.ones(3))


def test_three_with_three_names_dims_1_where_it_does_not_fit() -> None:
    with pytest.raises(ConvgradError, match="--dims 1 reads"):
        conv(x=np.ones((2, 3, 5)), kernel=np.ones((4, 3, 2)), delta=np.ones((2, 4, 4)))


@given(convolutions(), st.booleans(), st.booleans())
def test_layouts_and_ranks_give_the_layers_own_numbers(
    case: tuple[Conv, Array, Array], last: bool, batch: bool
) -> None:
    layer, x, delta = case
    kernel = layer.kernel
    assert kernel is not None
    d = kernel.ndim - 2
    expected = {q.name: q.value for q in (layer.forward(x), *layer.backward(x, delta))}
    settings = {
        "stride": layer.stride,
        "padding": layer.padding,
        "dilation": layer.dilation,
        "groups": layer.groups,
        "flip": layer.flip,
        "pad_mode": layer.pad_mode,
        "dims": d,
    }

    def move(array: Array, axes: str) -> Array:
        """The full-rank array -> as a file with this layout has it, written out by hand."""
        if last and axes == "kernel":
            array = np.moveaxis(np.moveaxis(array, 0, -1), 0, -2)
        elif last:
            array = np.moveaxis(array, 1, -1)
        return array

    if last:
        settings["layout"] = "channels-last"
    arrays = {"x": move(x, "x"), "delta": move(delta, "x"), "kernel": move(kernel, "kernel")}
    wanted = {
        "output": move(expected["output"], "x"),
        "dX": move(expected["dX"], "x"),
        "dW": move(expected["dW"], "kernel"),
        "db": expected["db"],
    }
    if len(x) == 1 and not batch:
        arrays["x"], arrays["delta"] = arrays["x"][0], arrays["delta"][0]
        wanted["output"], wanted["dX"] = wanted["output"][0], wanted["dX"][0]
    if layer.bias is not None:
        arrays["bias"] = layer.bias
    found = conv(settings, **arrays)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.slow
@given(convolutions(), st.booleans())
def test_lowered_working_adds_up_to_lowered_values(case: tuple[Conv, Array, Array], last: bool) -> None:
    layer, x, delta = case
    assert layer.kernel is not None
    d = layer.kernel.ndim - 2
    arrays = {"input": x, "kernel": layer.kernel, "delta": delta}
    if last:
        arrays = {
            "input": np.moveaxis(x, 1, -1),
            "delta": np.moveaxis(delta, 1, -1),
            "kernel": np.moveaxis(np.moveaxis(layer.kernel, 0, -1), 0, -2),
        }
    if len(x) == 1:
        arrays = {**arrays, "input": arrays["input"][0], "delta": arrays["delta"][0]}
    problem = conv_problem(
        operands(**arrays),
        {
            "stride": layer.stride,
            "padding": layer.padding,
            "dilation": layer.dilation,
            "groups": layer.groups,
            "flip": layer.flip,
            "pad_mode": layer.pad_mode,
            "dims": d,
            "lr": 0.5,
            **({"layout": "channels-last"} if last else {}),
        },
        True,
    )
    for quantity in solve(problem).quantities.values():
        total = np.zeros_like(quantity.value)
        for term in quantity.terms():
            assert total[term.region].shape == term.patch.shape
            total[term.region] += term.patch
            if quantity.window_axes:
                lit = arrays["input"][
                    np.ix_(
                        *(
                            range(*c.indices(n)) if isinstance(c, slice) else list(c)
                            for c, n in zip(term.window, arrays["input"].shape, strict=True)
                        )
                    )
                ]
                assert lit.size <= x[0].size * np.prod(layer.kernel.shape[2:])
        np.testing.assert_allclose(total, quantity.value, rtol=1e-12, atol=1e-12, err_msg=quantity.name)


@given(poolings(), st.booleans())
def test_pooling_in_either_layout(case: tuple[Pool, Array, Array], last: bool) -> None:
    layer, x, delta = case
    settings: dict[str, Any] = {
        name: value
        for name, value in vars(layer).items()
        if value is not None and name != ("divisor" if layer.kind != "avg" else "")
    }
    for name, owner in (("p", "lp"), ("ties", "max")):
        if layer.kind != owner:
            del settings[name]
    if settings.pop("whole"):
        settings["global"] = True
    if layer.whole or layer.adaptive is not None:
        settings = {
            name: value
            for name, value in settings.items()
            if name not in ("size", "stride", "padding", "dilation", "ceil")
        }
    settings |= {"kind": layer.kind, "dims": x.ndim - 2, "layout": "channels-last" if last else "channels-first"}

    def move(array: Array) -> Array:
        return np.moveaxis(array, 1, -1) if last else array

    solution = solve(pool_problem(operands(input=move(x), delta=move(delta)), settings, True))
    np.testing.assert_array_equal(solution.quantities["output"].value, move(layer.forward(x).value))
    np.testing.assert_array_equal(solution.quantities["dX"].value, move(layer.backward(x, delta)[0].value))
    for quantity in solution.quantities.values():
        total = np.zeros_like(quantity.value)
        for term in quantity.terms():
            total[term.region] += term.patch
        np.testing.assert_allclose(total, quantity.value, rtol=1e-12, atol=1e-12)


def test_pooling_takes_the_last_axes_of_any_rank() -> None:
    x = whole_numbers((2, 3, 2, 4, 6), 0)
    for dims, expected in ((None, (2, 3, 2, 2, 3)), (1, (2, 3, 2, 4, 3)), (3, (2, 3, 1, 2, 3))):
        settings = {"size": (2,), "kind": "sum", **({"dims": dims} if dims else {})}
        solution = solve(pool_problem(operands(input=x, delta=np.ones(expected)), settings, True))
        output = solution.quantities["output"]
        assert output.value.shape == expected
        assert output.value.sum() == x.sum()
        first = next(iter(output.terms()))
        assert len(first.at) == len(expected) - 1  # all axes but the channel's


@pytest.mark.parametrize(
    ("x", "delta", "dW"),
    [
        ((5, 5), (4, 4), (2, 2)),
        ((5,), (4,), (2,)),
        ((3, 5, 5), (4, 4), (3, 2, 2)),
        ((3, 5, 5), (6, 4, 4), (6, 3, 2, 2)),
        ((2, 3, 5, 5), (2, 6, 4, 4), (6, 3, 2, 2)),
        ((2, 3, 5, 5), (2, 4, 4), (3, 2, 2)),
        ((5, 5), (6, 4, 4), (6, 1, 2, 2)),
        ((2, 3, 4, 5, 5), (2, 6, 3, 4, 4), (6, 3, 2, 2, 2)),
        ((5,), (6, 4), (6, 1, 2)),
        ((4, 5, 5), (6, 3, 4, 4), (6, 1, 2, 2, 2)),
    ],
)
def test_without_a_kernel_the_delta_tells_its_shape(x: Any, delta: Any, dW: Any) -> None:
    found = conv(x=whole_numbers(x, 0), delta=whole_numbers(delta, 1))
    assert found["dW"].shape == dW
    assert "dX" not in found
    with_kernel = conv(
        {"dims": {1: 1, 2: 2, 5: 3}.get(len(x), 3 if len(dW) == 5 else 2)},
        x=whole_numbers(x, 0),
        delta=whole_numbers(delta, 1),
        kernel=np.ones(dW),
    )
    np.testing.assert_array_equal(found["dW"], with_kernel["dW"])


def test_the_kernels_size_is_asked_for_where_the_stride_leaves_it_open() -> None:
    x, delta = whole_numbers((6, 6), 0), whole_numbers((2, 2), 1)
    with pytest.raises(
        ConvgradError, match=r"leaves the kernel's size open \(from 3x3 to 4x4\); say it with --kernel-size"
    ):
        conv({"stride": 2}, x=x, delta=delta)
    assert conv({"stride": 2, "kernel_size": (3, 4)}, x=x, delta=delta)["dW"].shape == (3, 4)
    with pytest.raises(ConvgradError, match="which no kernel gives"):
        conv(x=x, delta=whole_numbers((9, 9), 1))
    with pytest.raises(ConvgradError, match="leaves the kernel's size open"):
        conv({"padding": "same"}, x=x, delta=whole_numbers((6, 6), 1))


def test_lone_numbers() -> None:
    x, kernel = whole_numbers((2, 4, 4), 0), whole_numbers((3, 2, 2, 2), 1)
    given = operands(input=x, kernel=kernel, bias=0.5)
    typed = {**given, "delta": Operand(np.array(2.0), "2", typed=True)}
    found = solve(conv_problem(typed, {"lr": 0.1}, True)).quantities
    np.testing.assert_array_equal(found["db"].value, [18, 18, 18])
    np.testing.assert_allclose(found["b_new"].value, 0.5 - 0.1 * np.array([18, 18, 18]))
    with pytest.raises(
        ConvgradError, match=r"delta is a number, but .* gives 3x3x3; to use one number everywhere, type it: -d 2"
    ):
        conv_problem({**given, "delta": Operand(np.array(2.0), "delta.json")}, {}, True)


def test_a_misfit_says_what_would_fit() -> None:
    with pytest.raises(ConvgradError) as caught:
        conv(x=np.ones((5, 5)), kernel=np.ones((2, 2)), delta=np.ones((3, 3)))
    assert str(caught.value) == (
        "delta.json, input.json and kernel.json: delta is 3x3, but a 5x5 input under a 2x2 kernel gives 4x4; "
        "3x3 fits a 3x3 kernel or --dilation 2"
    )


@given(st.one_of(convolutions(), poolings()), st.integers(1, 6))
def test_every_hint_followed_makes_the_delta_fit(case: Any, size: int) -> None:
    """The error names options under which a delta of another size would do; each of them is tried."""
    layer, x, delta = case
    if getattr(layer, "whole", False) or getattr(layer, "adaptive", None) is not None:
        return
    d = x.ndim - 2
    wanted = (*delta.shape[:2], *(size,) * d)
    for hint in what_fits(layer, x, np.ones(wanted), delta.shape, tuple(range(2, 2 + d))):
        if "kernel" in hint:
            kernel = tuple(int(n) for n in hint.split()[1].split("x"))
            other = replace(layer, kernel=None, kernel_size=kernel)
        else:
            option, _, value = hint[2:].partition(" ")
            other = replace(layer, **{option: True if not value else setting_of(layer.known_as, option).value(value)})
        assert other.windows(x).places == (size,) * d, hint


def test_hints_in_words() -> None:
    given = operands(input=np.ones((7, 7)), delta=np.ones((2, 2)))
    with pytest.raises(
        ConvgradError, match=r"under a 2x2 window gives 3x3; 2x2 fits --size 3 or --stride 3 or --dilation 3"
    ):
        pool_problem(given, {"size": (2,)}, True)
