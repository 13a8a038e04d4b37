"""In Python an array that does not fit raises ConvgradError, in the words of arguments, and nothing else is raised."""

import re
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convgrad import (
    SGD,
    Activation,
    Conv,
    ConvgradError,
    Dense,
    Flatten,
    Loss,
    Norm,
    Pool,
    Transposed,
    Unshared,
    check,
)

RNG = np.random.default_rng(11)


def some(*shape: int) -> Any:
    return np.round(RNG.normal(0, 1, shape), 2)


K, W, PLACED = some(3, 2, 2, 2), some(3, 4), some(2, 2, 3, 2, 2, 2)
IMAGE, ROWS = some(2, 2, 3, 3), some(2, 4)

MISFITS: list[tuple[str, Callable[[], Any], str]] = [
    (
        "a delta with another number of filters",
        lambda: Conv(K).backward(IMAGE, some(2, 1, 2, 2)),
        "delta is 2x1x2x2, but expected is 2x3x2x2",
    ),
    ("a scalar delta", lambda: Conv(K).backward(IMAGE, 1.0), "delta is a number, but a 2x2x3x3 input takes 4 axes"),
    (
        "a scalar delta without a kernel",
        lambda: Conv(kernel_size=2).backward(IMAGE, 1.0),
        "delta is a number, but a 2x2x3x3 input takes 4 axes: (N, F, *places)",
    ),
    (
        "a dense layer on a vector",
        lambda: Dense(W).forward(some(4)),
        "the input is 4, with 1 axis, but expected are 2: (N, in); one example is x[None]",
    ),
    (
        "a dense delta with another number of nodes",
        lambda: Dense(W).backward(ROWS, some(2, 2)),
        "delta is 2x2, but expected is 2x3",
    ),
    (
        "pooling of a plane",
        lambda: Pool(size=2).forward(some(4, 4)),
        "the input is 4x4, with 2 axes, but expected are 3 or more: (N, C, *sizes); write all axes: x[None, None]",
    ),
    (
        "a list as bias",
        lambda: Conv(K, [0.1, 0.2, 0.3]).forward(IMAGE),
        "the bias is a list, but expected is an array; np.array(bias)",
    ),
    (
        "a number as bias",
        lambda: Conv(K, 0.5).forward(IMAGE),
        "the bias is a number, but expected is an array",
    ),
    (
        "an array without axes as bias",
        lambda: Conv(K, np.array(0.5)).forward(IMAGE),
        "the bias is a number, but expected is 3",
    ),
    (
        "an image without a batch",
        lambda: Conv(K).forward(IMAGE[0]),
        "the kernel is 3x2x2x2, with 4 axes, but a 2x3x3 input, (N, C, *sizes), takes 3: (F, C, *kernel); write all "
        "axes: x[None, None] for a plane, x[None] for one example",
    ),
    (
        "groups that do not fit",
        lambda: Conv(K, groups=2).forward(IMAGE),
        "3 filters cannot be split into 2 groups; `groups` must divide the input channels and the filters",
    ),
    ("groups that would fit", lambda: Conv(some(4, 1, 2, 2)).forward(IMAGE), "that fits groups=2"),
    ("a kernel that is missing", lambda: Conv().forward(IMAGE), "there is no kernel; give the layer one"),
    (
        "a kernel that is too large",
        lambda: Conv(some(1, 2, 4, 4)).forward(IMAGE),
        "use a smaller kernel or more `padding`",
    ),
    (
        "a stride for three axes",
        lambda: Conv(K, stride=(1, 1, 1)).forward(IMAGE),
        "stride: it has 3 numbers, but the input has 2 spatial axes",
    ),
    (
        "a window for three axes",
        lambda: Pool(size=(1, 1, 1)).forward(IMAGE),
        "size: it has 3 numbers, but the input has 2 spatial axes",
    ),
    ("a window that is not given", lambda: Pool().forward(IMAGE), "the size of the window is not given; give size=2"),
    (
        "an unshared delta with another number of filters",
        lambda: Unshared(PLACED).backward(IMAGE, some(2, 1, 2, 2)),
        "delta is 2x1x2x2, but expected is 2x3x2x2",
    ),
    (
        "an unshared bias without axes",
        lambda: Unshared(PLACED, np.array(1.0)).forward(IMAGE),
        "the bias is a number, but expected is 3 or 2x2x3",
    ),
    ("text", lambda: Dense(W).forward(np.array([["a"] * 4])), "the input holds text, but expected are numbers"),
    ("objects", lambda: Dense(W).forward([[None] * 4]), "the input holds objects (NoneType), but expected are numbers"),
    ("an empty array", lambda: Dense(W).forward(np.zeros((0, 4))), "the input is 0x4, which is empty"),
    ("a ragged array", lambda: Dense(W).forward([[1, 2], [3]]), "the input is no array"),
    (
        "a masked array",
        lambda: Dense(W).forward(np.ma.masked_array(ROWS, ROWS > 0)),
        "the input is masked; fill it: array.filled(0)",
    ),
    (
        "a masked weight",
        lambda: Dense(np.ma.masked_array(W, W > 0)).forward(ROWS),
        "the weight is masked",
    ),
    ("gamma as a list", lambda: Norm([1, 2]).forward(IMAGE), "gamma is a list, but expected is an array"),
    ("variances of text", lambda: Norm(mean=some(2), var=np.array(["1", "2"])).forward(IMAGE), "var holds text"),
    (
        "groups of a normalisation",
        lambda: Norm(over="group"),
        "over=group: it does not say how many groups; add groups=N",
    ),
    (
        "a loss without a target",
        lambda: Loss().backward(some(2), None),
        "the target holds objects (NoneType), but expected are numbers",
    ),
    (
        "a step with another gradient",
        lambda: SGD(0.1).step("W", some(2, 2), some(2)),
        "dW is 2, but expected is 2x2",
    ),
    (
        "a check with a delta of other filters",
        lambda: check({"dW": K}, Conv(K), IMAGE, some(2, 1, 2, 2)),
        "delta is 2x1x2x2, but expected is 2x3x2x2",
    ),
    (
        "a check of a list",
        lambda: check({"output": 1}, Pool(size=2), [[1.0, 2], [3, 4]]),
        "the input is 2x2, with 2 axes",
    ),
]


@pytest.mark.parametrize(("call", "said"), [row[1:] for row in MISFITS], ids=[row[0] for row in MISFITS])
def test_what_does_not_fit_is_said_in_the_words_of_arguments(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConvgradError) as raised:
        call()
    assert said in str(raised.value)
    assert not re.search(r"--|\B-[a-z]\b", str(raised.value))


LAYERS: list[Any] = [
    (Conv, {"kernel": K, "bias": some(3)}, IMAGE),
    (Conv, {"kernel": some(4, 1, 2), "groups": 2, "stride": 2}, some(2, 2, 5)),
    (Conv, {"kernel_size": 2}, IMAGE),
    (Conv, {"kernel": K, "padding": "same", "pad_mode": "circular", "flip": True}, IMAGE),
    (Transposed, {"kernel": some(2, 3, 2, 2), "bias": some(3), "stride": 2}, IMAGE),
    (Unshared, {"kernel": PLACED, "bias": some(3)}, IMAGE),
    (Unshared, {"kernel": PLACED, "bias": some(2, 2, 3)}, IMAGE),
    (Dense, {"weight": W, "bias": some(3)}, ROWS),
    (Dense, {}, ROWS),
    (Pool, {"size": 2}, IMAGE),
    (Pool, {"kind": "avg", "size": 2, "padding": 1}, IMAGE),
    (Pool, {"kind": "lp", "size": 2}, IMAGE),
    (Pool, {"kind": "sum", "adaptive": 2}, IMAGE),
    (Norm, {"gamma": some(2), "beta": some(2)}, IMAGE),
    (Norm, {"gamma": some(2, 3, 3), "over": "layer"}, IMAGE),
    (Norm, {"mean": some(2), "var": np.ones(2)}, IMAGE),
    (Activation, {"name": "relu"}, IMAGE),
    (Activation, {"name": "gelu"}, IMAGE),
    (Activation, {"name": "softmax"}, IMAGE),
    (Flatten, {"batch": True}, IMAGE),
    (Flatten, {}, IMAGE),
    (Loss, {"kind": "mse"}, IMAGE),
    (Loss, {"kind": "cross-entropy"}, ROWS),
    (Loss, {"kind": "bce"}, np.abs(ROWS) / 9),
]


@st.composite
def arrays(draw: st.DrawFn, like: tuple[int, ...], linear: bool) -> Any:
    """Arrays of a shape near one that fits, of any dtype, or no arrays at all."""
    shape = list(like)
    for _ in range(draw(st.integers(0, 2))):
        change = draw(st.sampled_from(("add", "drop", "resize", "turn")))
        if change == "add":
            shape.insert(draw(st.integers(0, len(shape))), draw(st.integers(0, 2)))
        elif change == "drop" and shape:
            shape.pop(draw(st.integers(0, len(shape) - 1)))
        elif change == "resize" and shape:
            shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(0, 5))
        else:
            shape.reverse()
    array = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
    made = draw(
        st.sampled_from(
            (
                *("float64",) * 3,
                *("float16", "float32", "int8", "uint64", "bool", "U3", "S2", "M8[s]"),
                *(
                    "complex" if linear else "float64",
                    "object",
                    "fractions",
                    "list",
                    "ragged",
                    "masked",
                    "None",
                    "text",
                    "dict",
                    "set",
                ),
            )
        )
    )
    others = {
        "complex": lambda: array + 1j,
        "object": lambda: np.array([None, "a", 1.0, Fraction(1, 2)][draw(st.integers(0, 3))], object),
        "fractions": lambda: (
            np.vectorize(Fraction, otypes=[object])(np.round(array).astype(int)) if array.size else array
        ),
        "list": array.tolist,
        "ragged": lambda: [[1, 2], [3], array.tolist()],
        "masked": lambda: np.ma.masked_array(array, array > 0),
        "None": lambda: None,
        "text": lambda: "12",
        "dict": lambda: {"input": [1]},
        "set": lambda: {1, 2},
    }
    if made in others:
        return others[made]()
    return np.abs(array).astype("i8").astype(made) if made in ("uint64", "M8[s]") else array.astype(made)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.data())
def test_misfitting_arrays_raise_nothing_but_our_own_errors(data: st.DataObject) -> None:
    made, fields, x = data.draw(st.sampled_from(LAYERS))
    linear = made in (Conv, Transposed, Unshared, Dense, Flatten)  # others know complex numbers on their pieces
    x = np.asarray(x)
    fitting = made(**fields)
    fields = {
        name: data.draw(arrays(np.shape(value), linear))
        if isinstance(value, np.ndarray) and data.draw(st.integers(0, 3)) == 0
        else value
        for name, value in fields.items()
    }
    wanted = x.shape if made is Loss else (2, 3, 2, 2) if fields.keys() == {"kernel_size"} else (2, 3)
    if hasattr(fitting, "forward") and (fields.get("kernel") is not None or made not in (Conv, Dense)):
        wanted = fitting.forward(x).shape
    if data.draw(st.booleans()):
        x = data.draw(arrays(x.shape, linear))
    delta = data.draw(arrays(wanted, linear))

    def backward() -> None:
        layer = made(**fields)
        for each in layer.backward(x, delta):
            own = {"dX": x, "delta": x} | {f"d{name}": fields.get(it.field) for name, it in layer.parameters.items()}
            assert each.value.shape == each.shape
            assert own.get(each.name) is None or each.shape == np.shape(own[each.name])

    calls: list[Callable[[], Any]] = [backward, lambda: check({"dX": 1.0}, made(**fields), x, delta)]
    if made is not Loss:
        calls += [lambda: made(**fields).forward(x).value, lambda: check({"output": 1.0}, made(**fields), x)]
    with np.errstate(all="ignore"):
        for call in calls:
            with suppress(ConvgradError):
                call()
