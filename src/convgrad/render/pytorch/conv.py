"""Convolutions, transposed and unshared ones included, as statements."""

from __future__ import annotations

from typing import Any

from convgrad.core.axis import Axis
from convgrad.core.windows import Windows
from convgrad.layers.conv import Conv
from convgrad.layers.transposed import Transposed
from convgrad.layers.unshared import Unshared
from convgrad.problems import Problem
from convgrad.render.pytorch.axes import lifted, lowered
from convgrad.render.pytorch.literals import Call, assigned, call, per_axis, sliced
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.windows import borrowed, gathered, padded, pads_of, symmetric


def conv(problem: Problem, names: Names) -> list[str]:
    """A convolution: F.conv2d, on an input that is padded first where the layer's own padding is not enough."""
    layer = problem.layer
    assert isinstance(layer, Conv)
    windows = layer.windows(problem.x)
    lines, x, padding = _padded(problem, names, windows)
    made = call(
        f"F.conv{len(windows.axes)}d",
        x,
        _kernel(problem, names),
        _bias(problem, names),
        stride=_unless(1, [axis.stride for axis in windows.axes]),
        padding=padding,
        dilation=_unless(1, [axis.dilation for axis in windows.axes]),
        groups=_unless(1, [layer.groups]),
    )
    return [*lines, *_assigned(problem, names, made)]


def transposed(problem: Problem, names: Names) -> list[str]:
    """A transposed convolution: F.conv_transpose2d, whose full result is cropped where its padding is not enough."""
    layer = problem.layer
    assert isinstance(layer, Transposed)
    axes = layer.windows(problem.x).axes
    fulls = [axis.reach for axis in axes]
    extras = [axis.size - (full - 2 * axis.before) for axis, full in zip(axes, fulls, strict=True)]
    own = all(0 <= extra < max(axis.stride, axis.dilation) for extra, axis in zip(extras, axes, strict=True))
    ends = [axis.before + axis.size for axis in axes]
    beyond = not own and any(end > full for end, full in zip(ends, fulls, strict=True))
    bias = _bias(problem, names)
    kernel = _kernel(problem, names)
    if kernel.startswith((f"{names.operands['kernel']}.movedim", f"{names.operands['kernel']}.permute")):
        kernel += ".contiguous()"  # PyTorch's gradient of a dilated, turned kernel wants it
    made = call(
        f"F.conv_transpose{len(axes)}d",
        lifted(names.x, problem.shorthand, "NC*"),
        kernel,
        None if beyond else bias,
        stride=_unless(1, [axis.stride for axis in axes]),
        padding=_unless(0, [axis.before for axis in axes]) if own else None,
        output_padding=_unless(0, extras) if own else None,
        groups=_unless(1, [layer.groups]),
        dilation=_unless(1, [axis.dilation for axis in axes]),
    )
    if own:
        return _assigned(problem, names, made)
    if not beyond:
        crops = [_range(axis, end, full) for axis, end, full in zip(axes, ends, fulls, strict=True)]
        return _assigned(problem, names, Call(made.function, made.arguments, sliced(crops)))
    name = names.own("full")
    fitted = padded(name, [(-a.before, end - full) for a, end, full in zip(axes, ends, fulls, strict=True)])
    spread = "" if bias is None else f" + {bias}{_beside(len(axes))}"
    remark = "cropped where the padding is, and filled up with zeros where the kernel does not reach"
    lines = assigned(name, made)
    if tail := lowered(problem.shorthand, "NF*"):
        fitted = f"({fitted}{spread}){tail}" if spread else fitted + tail
        spread = ""
    return [*lines, *assigned(names.z, fitted + spread, remark)]


def unshared(problem: Problem, names: Names) -> list[str]:
    """A locally connected layer: the windows, and an einsum with the kernel of each place."""
    layer, shorthand = problem.layer, problem.shorthand
    assert isinstance(layer, Unshared)
    windows, d = layer.windows(problem.x), len(problem.x.shape) - 2
    lines, x, padding = _padded(problem, names, windows, own=False)
    assert padding is None
    letters = {"N": "n", "C": "c", "I": "c", "F": "f"}
    letters |= {f"P{k}": "ijk"[k] for k in range(d)}
    batch = "n" if "N" in shorthand.written("NC*")[0] else ""
    cells = gathered(x, windows, 1 + len(batch))
    inside = f"{batch}c{'ijk'[:d]}{'uvw'[:d]}"
    kernel = "".join(letters.get(token) or "uvw"[int(token[1:])] for token in shorthand.written("PFI*")[1])
    output = "".join(letters.get(token) or "ijk"[int(token[1:])] for token in shorthand.written("NF*")[1])
    turned = names.kernel
    if layer.flip:
        turned += f".flip({', '.join(str(k) for k, letter in enumerate(kernel) if letter in 'uvw')})"
    made = str(call("torch.einsum", f'"{inside},{kernel}->{output}"', names.own("windows"), turned))
    if names.bias is not None:
        made += f" + {_placed(problem, names.bias, output, letters)}"
    return [*lines, *assigned(names.own("windows"), cells), *assigned(names.z, made)]


def _placed(problem: Problem, bias: str, output: str, letters: dict[str, str]) -> str:
    """The bias of an unshared layer, as it is added to an output whose axes bear letters."""
    here = "".join(letters[token] for token in problem.shorthand.written(problem.layer.parameters["b"].axes)[1])
    if here == "f":
        return bias + _beside(len(output) - 1 - output.index("f"))
    if here and output.endswith(here):
        return bias
    return f"{bias}.movedim(-1, 0)" if here else bias


def _padded(problem: Problem, names: Names, windows: Windows, own: bool = True) -> tuple[list[str], str, str | None]:
    """(the statements that pad, what is convolved, the padding that the layer's own option does).

    own: whether the layer has such an option.
    """
    x, pads = lifted(names.x, problem.shorthand, "NC*"), pads_of(windows)
    padding = getattr(problem.layer, "padding", 0)
    if not any(map(any, pads)):
        return [], x, None
    if windows.mode != "zeros":
        expression, remark = borrowed(x, windows)
        return assigned(names.own("padded"), expression, remark), names.own("padded"), None
    if own and symmetric(pads):
        said = padding == "same" and all(axis.stride == 1 for axis in windows.axes)
        return [], x, '"same"' if said else per_axis(before for before, _ in pads)
    return assigned(names.own("padded"), padded(x, pads)), names.own("padded"), None


def _assigned(problem: Problem, names: Names, made: Call) -> list[str]:
    tail = made.tail + lowered(problem.shorthand, "NF*")
    return assigned(names.z, Call(made.function, made.arguments, tail))


def _kernel(problem: Problem, names: Names) -> str:
    layer: Any = problem.layer
    kernel = lifted(names.kernel, problem.shorthand, layer.parameters["W"].axes)
    d = problem.shorthand.dims
    return f"{kernel}.flip({', '.join(map(str, range(-d, 0)))})" if layer.flip else kernel


def _bias(problem: Problem, names: Names) -> str | None:
    return None if names.bias is None else lifted(names.bias, problem.shorthand, "F")


def _unless(usual: int, values: list[int]) -> str | None:
    """An option's value, None where it is the usual one."""
    return None if all(value == usual for value in values) else per_axis(values)


def _range(axis: Axis, end: int, full: int) -> str:
    return f"{axis.before or ''}:{end if end != full else ''}"


def _beside(axes: int) -> str:
    """The index that gives a vector `axes` axes more."""
    return f"[:{', None' * axes}]" if axes else ""
