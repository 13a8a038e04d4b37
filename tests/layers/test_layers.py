"""Every layer: its working adds up, its gradients are gradients, and others agree with its numbers."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from scipy import signal
from spaces import EVERY_LAYER, convolutions, poolings, unshared

import convgrad
from convgrad import SGD, Activation, Conv, Dense, Flatten, Loss, Norm, Pool, Quantity, Transposed, Unshared
from convgrad.errors import ConvgradError, OptionError, ShapeError
from convgrad.kinds.losses import LOSSES

Array = NDArray[Any]
LAYERS = EVERY_LAYER


def quantities(layer: Any, x: Array, delta: Array) -> list[Quantity]:
    return [layer.forward(x), *layer.backward(x, delta)]


@given(LAYERS)
def test_the_working_adds_up_to_every_quantity(case: Any) -> None:
    for quantity in quantities(*case):
        total = np.zeros_like(quantity.value) if quantity.start is None else quantity.start.copy()
        for term in quantity.terms():
            total[term.region] += term.patch
        np.testing.assert_allclose(total, quantity.value, rtol=1e-12, atol=1e-12, err_msg=quantity.name)


@given(LAYERS)
def test_running_sums_end_at_the_value(case: Any) -> None:
    for quantity in quantities(*case):
        sums = [total for _, total in quantity.running()]
        if sums:
            np.testing.assert_array_equal(sums[-1], quantity.value)
        assert len(sums) + sum(1 for _ in quantity.silent()) == quantity.live().size


@given(LAYERS)
def test_overlays_left_out_have_no_delta(case: Any) -> None:
    layer, x, delta = case
    for quantity in layer.backward(x, delta):
        if isinstance(layer, Transposed | Activation | Dense | Norm):  # whose overlays are not the delta's places
            continue
        assert {tuple(place) for place in quantity.silent()} == {
            (n, *place) for n, *place in np.argwhere((delta == 0).all(axis=1)).tolist()
        }


@given(LAYERS)
def test_gradients_agree_with_central_differences(case: Any) -> None:
    layer, x, delta = case
    # apart from ties, where a maximum has no derivative, and from places where ties decide
    x = x + np.linspace(0.01, 0.3, x.size).reshape(x.shape)
    if getattr(layer, "ties", "") == "all":
        return

    def loss(x: Array, layer: Any = layer) -> float:
        return float((layer.forward(x).value * delta).sum())

    found = {quantity.name: quantity.value for quantity in layer.backward(x, delta)}
    np.testing.assert_allclose(found["dX"], central(loss, x), rtol=1e-6, atol=1e-6)
    for result, parameter in ((f"d{name}", each.field) for name, each in layer.parameters.items()):
        value = getattr(layer, parameter)
        if value is not None:

            def of_parameter(value: Array, parameter: str = parameter) -> float:
                return loss(x, replace(layer, **{parameter: value}))

            np.testing.assert_allclose(
                found[result], central(of_parameter, value), rtol=1e-6, atol=1e-6, err_msg=result
            )


def central(function: Any, at: Array, step: float = 1e-4) -> Array:
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        shift = np.zeros_like(at)
        shift[index] = step
        gradient[index] = (function(at + shift) - function(at - shift)) / (2 * step)
    return gradient


@given(convolutions())
def test_convolution_agrees_with_loops_over_products(case: tuple[Conv, Array, Array]) -> None:
    layer, x, delta = case
    windows, kernel = layer.windows(x), layer.kernel
    assert kernel is not None
    per_group, inputs = len(kernel) // layer.groups, kernel.shape[1]
    output = np.zeros(delta.shape)
    dW, dX = np.zeros_like(kernel), np.zeros_like(x)
    for n, f, c in itertools.product(range(len(x)), range(len(kernel)), range(inputs)):
        channel = f // per_group * inputs + c
        for place in itertools.product(*map(range, windows.places)):
            for u in itertools.product(*map(range, windows.kernel)):
                cells = [
                    int(axis.source(np.array(i * axis.stride + v * axis.dilation - axis.before), layer.pad_mode))
                    for i, v, axis in zip(place, u, windows.axes, strict=True)
                ]
                if min(cells) < 0:
                    continue
                w = tuple(k - 1 - v for k, v in zip(windows.kernel, u, strict=True)) if layer.flip else u
                output[(n, f, *place)] += x[(n, channel, *cells)] * kernel[(f, c, *w)]
                dW[(f, c, *w)] += delta[(n, f, *place)] * x[(n, channel, *cells)]
                dX[(n, channel, *cells)] += delta[(n, f, *place)] * kernel[(f, c, *w)]
    if layer.bias is not None:
        output += layer.bias.reshape(-1, *(1,) * len(windows.axes))
    found = {quantity.name: quantity.value for quantity in quantities(layer, x, delta)}
    for name, expected in {"output": output, "dW": dW, "dX": dX}.items():
        np.testing.assert_array_equal(found[name], expected, err_msg=name)


@given(poolings())
def test_pooling_agrees_with_loops_over_windows(case: tuple[Pool, Array, Array]) -> None:
    layer, x, delta = case
    windows = layer.windows(x)
    output, dX = np.zeros(delta.shape), np.zeros_like(x)
    for n, c in np.ndindex(x.shape[:2]):
        for place in itertools.product(*map(range, windows.places)):
            if layer.adaptive is not None:  # window i covers floor(i size / parts) up to ceil((i + 1) size / parts)
                covered = [
                    list(range(i * n // parts, -(-(i + 1) * n // parts)))
                    for i, n, parts in zip(place, x.shape[2:], windows.places, strict=True)
                ]
            else:
                covered = [
                    [i * a.stride + v * a.dilation - a.before for v in range(a.kernel)]
                    for i, a in zip(place, windows.axes, strict=True)
                ]
            padded = [
                cell
                for cell in itertools.product(*covered)
                if all(v < a.size + a.after for v, a in zip(cell, windows.axes, strict=True))
            ]
            real = [cell for cell in padded if all(0 <= v < a.size for v, a in zip(cell, windows.axes, strict=True))]
            values = [x[(n, c, *cell)] for cell in real]
            d = delta[(n, c, *place)]
            if layer.kind == "max":
                top = [cell for cell, value in zip(real, values, strict=True) if value == max(values)]
                takers = {"first": top[:1], "last": top[-1:]}.get(layer.ties, top)
                shares = dict.fromkeys(takers, 1 / len(top) if layer.ties == "split" else 1.0)
                output[(n, c, *place)] = max(values)
            elif layer.kind == "lp":
                norm = sum(abs(v) ** layer.p for v in values) ** (1 / layer.p)
                shares = {
                    cell: np.sign(v) * (abs(v) / norm) ** (layer.p - 1) if v else 0.0
                    for cell, v in zip(real, values, strict=True)
                }
                output[(n, c, *place)] = norm
            else:
                divisor = (
                    1.0 if layer.kind == "sum" else layer.divisor or len(padded if layer.count_include_pad else real)
                )
                shares = dict.fromkeys(real, 1 / divisor)
                output[(n, c, *place)] = sum(values) / divisor
            for cell, share in shares.items():
                dX[(n, c, *cell)] += share * d
    found = {quantity.name: quantity.value for quantity in quantities(layer, x, delta)}
    np.testing.assert_allclose(found["output"], output, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["dX"], dX, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("padding", ["valid", "full", "same"])
def test_one_channel_agrees_with_scipy(d: int, flip: bool, padding: str) -> None:
    rng = np.random.default_rng(d)
    x, kernel = rng.normal(size=(6,) * d), rng.normal(size=(3,) * d)
    output = Conv(kernel[None, None], padding=padding, flip=flip).forward(x[None, None]).value[0, 0]
    theirs = signal.convolve if flip else signal.correlate
    np.testing.assert_allclose(output, theirs(x, kernel, mode=padding, method="direct"))


def test_gradients_of_one_channel_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    x, kernel, delta = rng.normal(size=(7, 8)), rng.normal(size=(3, 2)), rng.normal(size=(5, 7))
    layer = Conv(kernel[None, None])
    dW, _, dX = (
        quantity.value[0, 0] if quantity.value.ndim > 1 else quantity.value
        for quantity in layer.backward(x[None, None], delta[None, None])
    )
    # the two forms that textbooks give: dW correlates input and delta, dX is the full convolution of delta and kernel
    np.testing.assert_allclose(dW, signal.correlate2d(x, delta, mode="valid"))
    np.testing.assert_allclose(dW, signal.convolve2d(x, np.rot90(delta, 2), mode="valid"))
    np.testing.assert_allclose(dX, signal.convolve2d(delta, kernel, mode="full"))


def test_depthwise_is_one_convolution_a_channel() -> None:
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(size=(2, 4, 6, 6)), rng.normal(size=(4, 1, 3, 3))
    together = Conv(kernel, groups=4, stride=2).forward(x).value
    for c in range(4):
        alone = Conv(kernel[c : c + 1], stride=2).forward(x[:, c : c + 1]).value
        np.testing.assert_allclose(together[:, c : c + 1], alone)


def test_an_average_is_a_convolution_with_equal_weights() -> None:
    rng = np.random.default_rng(2)
    x, delta = rng.normal(size=(1, 1, 6, 6)), rng.normal(size=(1, 1, 3, 3))
    pool, conv = Pool("avg", 2), Conv(np.full((1, 1, 2, 2), 0.25), stride=2)
    np.testing.assert_allclose(pool.forward(x).value, conv.forward(x).value)
    np.testing.assert_allclose(pool.backward(x, delta)[-1].value, conv.backward(x, delta)[-1].value)


def test_global_pooling_keeps_axes_of_length_one() -> None:
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(Pool("avg", whole=True).forward(x).value, x.mean(axis=(2, 3), keepdims=True))


@given(convolutions())
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(case: tuple[Conv, Array, Array]) -> None:
    """output, dW and dX of the one are dX, dW and output of the other, where no rows are lost."""
    conv, x, delta = case
    windows = conv.windows(x)
    if conv.pad_mode != "zeros" or any((a.places - 1) * a.stride + a.span != a.padded for a in windows.axes):
        return
    pads = [(axis.before, axis.after) for axis in windows.axes]
    layer = Transposed(conv.kernel, None, conv.stride, pads, conv.dilation, conv.groups, conv.flip)
    there = {q.name: q.value for q in (replace(conv, bias=None).forward(x), *conv.backward(x, delta))}
    back = {q.name: q.value for q in (layer.forward(delta), *layer.backward(delta, x))}
    np.testing.assert_array_equal(back["output"], there["dX"])
    np.testing.assert_array_equal(back["dW"], there["dW"])
    np.testing.assert_array_equal(back["dX"], there["output"])


def test_same_transposed_padding_gives_input_times_stride() -> None:
    for stride, kernel in itertools.product(range(1, 5), range(1, 6)):
        layer = Transposed(np.ones((1, 1, kernel)), stride=stride, padding="same")
        assert layer.forward(np.ones((1, 1, 7))).value.shape == (1, 1, 7 * stride)


@given(unshared())
def test_unshared_gradients_add_up_to_the_shared_one(case: tuple[Unshared, Array, Array]) -> None:
    """Weight sharing: with one kernel everywhere, dW is the sum of the gradients at each place."""
    layer, x, delta = case
    assert layer.kernel is not None
    d = x.ndim - 2
    kernel = layer.kernel[(0,) * d]
    everywhere = replace(layer, kernel=np.broadcast_to(kernel, layer.kernel.shape), bias=None)
    shared = Conv(kernel, None, layer.stride, layer.padding, layer.dilation, 1, layer.flip, layer.pad_mode)
    np.testing.assert_array_equal(everywhere.forward(x).value, shared.forward(x).value)
    apart, together = everywhere.backward(x, delta), shared.backward(x, delta)
    np.testing.assert_array_equal(apart[0].value.sum(axis=tuple(range(d))), together[0].value)
    np.testing.assert_array_equal(apart[2].value, together[2].value)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2)])
def test_the_delta_of_a_loss_is_its_gradient(kind: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    output, target = rng.uniform(0.1, 0.9, shape), rng.uniform(0.1, 0.9, shape) * (3 if kind == "huber" else 1)
    if kind == "hinge":
        output, target = 4 * output - 2, np.sign(target - 0.5)
    loss, delta = Loss(kind).backward(output, target)
    numeric = central(lambda x: float(Loss(kind).backward(x, target)[0].value), output)
    np.testing.assert_allclose(delta.value, numeric, rtol=1e-6, atol=1e-8)
    for quantity in (loss, delta):
        total = np.zeros_like(quantity.value)
        for term in quantity.terms():
            total[term.region] += term.patch
        np.testing.assert_allclose(total, quantity.value, rtol=1e-12)


def test_nll_is_cross_entropy_of_the_softmax() -> None:
    """Of the same logits, both are the same loss; back through the softmax so are the gradients."""
    rng = np.random.default_rng(1)
    for shape, target in (
        ((5,), np.array(3.0)),
        ((4, 3), np.array([0.0, 2, 1, 1])),
        ((2, 3), rng.dirichlet(np.ones(3), 2)),
    ):
        z, softmax = rng.normal(size=shape), Activation("softmax")
        probabilities = softmax.forward(z).value
        loss, delta = Loss("nll").backward(probabilities, target)
        together = Loss("cross-entropy").backward(z, target)
        np.testing.assert_allclose(loss.value, together[0].value, rtol=1e-12)
        (through,) = softmax.backward(z, delta.value)
        np.testing.assert_allclose(through.value, together[1].value, rtol=1e-12, atol=1e-15)


def test_nll_needs_no_logarithm_that_is_not_asked_for() -> None:
    loss, delta = Loss("nll").backward(np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([1.0, 0.0]))
    assert loss.value == -np.log(0.5) / 2
    np.testing.assert_array_equal(delta.value, [[0, -0.5], [-1, 0]])


def test_hinge_of_classes_by_hand_as_cs231n_has_it() -> None:
    """The notes' example: scores 13, -7, 11 with the first class true give max(0, -7-13+1) + max(0, 11-13+1) = 0."""
    assert Loss("hinge").backward(np.array([13.0, -7, 11]), np.array(0.0))[0].value == 0
    loss, delta = Loss("hinge").backward(np.array([[3.0, 2.5, 0.1], [1, 2, 5]]), np.array([0.0, 1]))
    assert loss.value == (0.5 + 4) / 2
    np.testing.assert_array_equal(delta.value, [[-0.5, 0.5, 0], [0, -0.5, 0.5]])
    at_the_corner = Loss("hinge").backward(np.array([1.0, 0]), np.array(0.0))
    assert at_the_corner[0].value == 0 and not at_the_corner[1].value.any()


def test_losses_refuse_what_is_no_target() -> None:
    for kind, output, target, message in (
        ("mse", np.ones(3), np.ones(2), "the target is 2, but the output is 3"),
        ("cross-entropy", np.ones((2, 3)), np.array([0.0, 3.0]), r"the target\[1\] is 3, but the classes are 0 to 2"),
        ("cross-entropy", np.ones((2, 3)), np.array([0.5, 1.0]), r"the target\[0\] is 0.5"),
        ("cross-entropy", np.ones((2, 3)), np.ones(3), r"give class indices \(2\) or a distribution \(2x3\)"),
        ("bce", np.array([1.5]), np.ones(1), "outside 0 to 1"),
        ("nll", np.array([1.5, 0.5]), np.array(0.0), "outside 0 to 1 .*; nll takes probabilities; cross-entropy takes"),
        ("nll", np.array([[0.5, 0.0]]), np.array([1.0]), r"the output\[0, 1\] is 0, .* asks for it: nll is infinite"),
        ("hinge", np.ones((2, 3)), np.array([0.0, 3.0]), r"the target\[1\] is 3, but the classes are 0 to 2"),
        ("hinge", np.ones((2, 3)), np.ones(3), r"give class indices \(2\) or -1 and 1 \(2x3\)"),
        ("hinge", np.ones((1, 2)), np.array([[0.0, 1]]), r"the target\[0, 0\] is 0, but hinge takes -1 or 1 for each"),
    ):
        with pytest.raises(ShapeError, match=message):
            Loss(kind).backward(output, target)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_keep_the_dtype(dtype: Any) -> None:
    x, kernel = np.ones((1, 1, 4, 4), dtype), np.ones((1, 1, 2, 2), dtype)
    layers: list[Any] = [Conv(kernel), Pool("max", 2, 1), Pool("avg", 2, 1), Pool("sum", 2, 1, ties="split")]
    for layer in layers:
        for quantity in quantities(layer, x, np.ones((1, 1, 3, 3), dtype)):
            assert quantity.value.dtype == dtype, quantity.name


def test_the_input_is_never_written_to() -> None:
    x, kernel, delta = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3))
    for array in (x, kernel, delta):
        array.flags.writeable = False
    for layer in (Conv(kernel, flip=True), Pool("max", 2, 1)):
        for quantity in quantities(layer, x, delta):
            list(quantity.running())


def test_a_window_in_the_padding_alone_is_an_error() -> None:
    with pytest.raises(ShapeError, match=r"the pooling window at place \(0, ...\) holds no cell of the input"):
        Pool("avg", 2, padding=[(2, 0), (0, 0)]).forward(np.ones((1, 1, 4, 4)))


def test_deltas_and_channels_that_do_not_fit_are_errors() -> None:
    x, kernel = np.ones((1, 2, 4, 4)), np.ones((2, 2, 2, 2))
    with pytest.raises(ShapeError, match="delta is 1x2x2x2, but expected is 1x2x3x3"):
        Conv(kernel).backward(x, np.ones((1, 2, 2, 2)))
    with pytest.raises(ShapeError, match="that fits groups=2"):
        Conv(np.ones((2, 1, 2, 2))).forward(x)
    with pytest.raises(ShapeError, match="cannot be split into 3 groups"):
        Conv(kernel, groups=3).forward(x)
    with pytest.raises(ConvgradError, match=r"use kind=max"):
        Pool("avg", 2).indices(x)


@given(EVERY_LAYER)
def test_whole_numbers_are_as_good_as_floats(case: Any) -> None:
    """In Python an int array gives the floats' results, and lists do too."""
    layer, x, delta = case
    for given_x, given_delta in ((x.astype(np.int64), delta.astype(np.int64)), (x.tolist(), delta.tolist())):
        for one, other in zip(quantities(layer, given_x, given_delta), quantities(layer, x, delta), strict=True):
            np.testing.assert_array_equal(one.value, other.value)


def test_names_that_there_are_none_of() -> None:
    wrongs: tuple[Callable[[], Any], ...] = (
        lambda: Conv(np.ones((1, 1, 2)), pad_mode="refect").forward(np.ones((1, 1, 4))),
        lambda: Conv(np.ones((1, 1, 2)), padding="sane").forward(np.ones((1, 1, 4))),
        lambda: Pool("mean", 2),
        lambda: Pool("max", 2, ties="Split"),
        lambda: Activation("rellu"),
        lambda: Loss("mes"),
    )
    for wrong in wrongs:
        with pytest.raises(ConvgradError, match="there is no"):
            wrong()


@pytest.mark.parametrize("layer", [Conv(np.ones((2, 1, 3, 3))), Transposed(np.ones((1, 2, 3, 3))), Flatten()])
def test_a_delta_of_another_shape_than_the_output_is_refused(layer: Any) -> None:
    x = np.ones((1, 1, 4, 4))
    layer.backward(x, np.ones(layer.forward(x).shape))
    for shape in ((1, 3, 2, 2), (1, 3, 6, 6), (1, 2, 4, 4), (1, 1, 4, 5)):
        with pytest.raises(ShapeError, match="delta is"):
            layer.backward(x, np.ones(shape))


def test_a_step_that_looks_ahead_needs_a_momentum() -> None:
    with pytest.raises(OptionError, match="`nesterov` needs a momentum; add a `momentum`"):
        SGD(0.1, nesterov=True)


def test_public_names_are_where_they_are_said_to_be() -> None:
    assert all(getattr(convgrad, name) is not None for name in convgrad.__all__)
    assert all(getattr(convgrad, name).__module__ == home for name, home in convgrad._HOMES.items() if name != "check")
