"""Settings: what may be said on the command line or in a document, and how it is read.

A setting is read from the option's own text (``"2,1"``, ``"1:2,0:1"``, ``"same"``) or from a document's
value (``2``, ``[2, 1]``, ``true``). Both spellings go through the same reader, so they mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from convgrad.errors import OptionError, at, did_you_mean, shortened
from convgrad.numerals import Numeral, parse_number, to_numeral

LARGEST = 10**6
"""The largest stride, padding, dilation or size that is taken: more than any axis that fits in memory needs."""


@dataclass(frozen=True, eq=False, repr=False)
class Setting:
    """One setting: its name as in a document, how its value is read, and what --help says of it."""

    name: str
    read: Callable[[Any], Any]
    help: str
    metavar: str = ""
    off: str = ""
    """For truth values that are on by default: the option that turns them off."""

    @property
    def option(self) -> str:
        """The option's name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def flag(self) -> bool:
        """Whether it is a truth value, an option without a value."""
        return self.read is truth

    def value(self, given: Any) -> Any:
        """What was given, read and checked; OptionError says what was found and expected."""
        return self.read(given)


def whole(given: Any, least: int = 1) -> int:
    """A whole number of at least `least`: ``2`` or ``"2"``."""
    if isinstance(given, float) and abs(given) < 2**53 and given.is_integer():
        given = int(given)
    if isinstance(given, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", given, re.ASCII):
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise OptionError(f"{shortened(given)} is not a whole number")
    if not least <= given <= LARGEST:
        raise OptionError(f"{shortened(given)} is not between {least} and {LARGEST}")
    return given


def wholes(given: Any) -> tuple[int, ...]:
    """Whole numbers of at least 1, one or one an axis: ``2``, ``"2,1"``, ``[2, 1]``."""
    return tuple(whole(each) for each in _parts(given))


def rows(given: Any) -> tuple[int, ...]:
    """Whole numbers of at least 0, one or one an axis."""
    return tuple(whole(each, least=0) for each in _parts(given))


def padding(given: Any) -> str | tuple[tuple[int, int], ...]:
    """A name, or pairs (before, after) an axis: ``"same"``, ``1``, ``"2,1"``, ``"1:2,0:1"``, ``[[1, 2], 0]``."""
    if isinstance(given, str) and re.search("[A-Za-z]", given):
        return choice(PADDINGS)(given)
    pairs = []
    for part in _parts(given):
        pair = part.split(":") if isinstance(part, str) else _parts(part)
        if len(pair) > 2:
            raise OptionError(f"{shortened(part)} is not before:after")
        numbers = [whole(each, least=0) for each in pair]
        pairs.append((numbers[0], numbers[-1]))
    return tuple(pairs)


def number(given: Any) -> float:
    """A finite number: ``0.1`` or ``"0.1"``; it remembers how it was written, for exact arithmetic."""
    if isinstance(given, str):
        value = parse_number(given.strip(), to_numeral)
    else:  # a fraction of a document that is read exactly keeps all of its digits too
        value = Numeral(float(given), str(given)) if hasattr(given, "denominator") and _finite(given) else given
    if isinstance(value, bool) or not (isinstance(value, float) or hasattr(value, "numerator")):
        raise OptionError(f"{shortened(given)} is not a number")
    if not abs(value) <= 1e308:
        raise OptionError(f"{shortened(given)} is too large")
    return value if isinstance(value, Numeral) else float(value)


def _finite(given: Any) -> bool:
    return not isinstance(given, bool) and abs(given) <= 1e308


def nonzero(given: Any) -> float:
    """A finite number other than 0."""
    value = number(given)
    if value == 0:
        raise OptionError("it must not be 0")
    return value


def power(given: Any) -> float:
    """A finite number of at least 1."""
    value = number(given)
    if value < 1:
        raise OptionError(f"{value:g} is below 1")
    return value


def truth(given: Any) -> bool:
    """True or false."""
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    raise OptionError(f"{shortened(given)} is neither true nor false")


def choice(names: Iterable[str]) -> Callable[[Any], str]:
    """One of some names; a near miss is told which was probably meant."""
    known = tuple(names)

    def read(given: Any) -> str:
        if given in known:
            return str(given)
        near = did_you_mean(given, known) if isinstance(given, str) else ""
        raise OptionError(f"there is no {shortened(given)}, only {', '.join(known)}", hint=near)

    return read


def numbered(*known: int) -> Callable[[Any], int]:
    """One of some whole numbers."""

    def read(given: Any) -> int:
        value = whole(given)
        if value not in known:
            raise OptionError(f"{value} is not one of {', '.join(map(str, known))}")
        return value

    return read


def _parts(given: Any) -> list[Any]:
    parts = given.split(",") if isinstance(given, str) else given
    parts = parts.tolist() if hasattr(parts, "tolist") else parts
    parts = list(parts) if isinstance(parts, list | tuple) else [parts]
    if not 1 <= len(parts) <= 3:
        raise OptionError(f"{shortened(given)} has {len(parts)} entries; there are at most 3 spatial axes")
    return parts


ACTIVATIONS = ("identity", "relu", "leaky-relu", "elu", "sigmoid", "tanh", "softplus", "gelu", "silu", "softmax")
FORMATS = ("auto", "table", "json", "csv", "html", "markdown", "latex", "torch")
"""What may be written."""

FORMS = ("overlay", "rotated", "matrix")
LOSSES = ("mse", "mse-mean", "mse-sum", "cross-entropy", "bce", "mae", "huber")
PADDINGS = ("valid", "same", "same-lower", "full", "causal")
PAD_MODES = ("zeros", "reflect", "replicate", "circular")


# -- the table --------------------------------------------------------------------------------------------

DTYPES = ("float64", "float32", "exact")

LAYOUT = Setting(
    "layout",
    choice(("channels-first", "channels-last")),
    "channels-first (N,C,H,W), the default, with "
    "kernel (F,C,kh,kw); or channels-last (N,H,W,C) with kernel (kh,kw,C,F).",
    "NAME",
)
DIMS = Setting("dims", numbered(1, 2, 3), "Number of spatial axes, where the ranks of the arrays leave it open.", "N")
DTYPE = Setting(
    "dtype",
    choice(DTYPES),
    "What is computed in: float64 (the default), float32, or exact: fractions, with decimals as they are written.",
    "NAME",
)
STRIDE = Setting("stride", wholes, "Step between places: 2, or 2,1 an axis.", "N[,N]")
PADDING = Setting(
    "padding",
    padding,
    "Cells around the input: 1, or 2,1 an axis, or 1:2,0:1 (before:after, for each axis); or valid "
    "(none), same (output = input / stride, the extra cell after), same-lower (the extra cell before), "
    "full, causal (all before, on every axis).",
    "N|NAME",
)
DILATION = Setting("dilation", wholes, "Step between kernel cells; 1 is dense.", "N[,N]")

CONV = (
    STRIDE,
    PADDING,
    DILATION,
    Setting(
        "pad_mode",
        choice(PAD_MODES),
        "What the padding holds: zeros (the default), reflect, replicate or circular; dX folds it back.",
        "NAME",
    ),
    Setting("groups", whole, "Groups of channels that do not see each other; depthwise: as many as channels.", "N"),
    Setting("flip", truth, "True convolution: the kernel rotated by 180 degrees, in place of cross-correlation."),
    Setting(
        "transposed",
        truth,
        "Transposed convolution; the kernel is (C, F/groups, kh, kw), as in PyTorch, padding is "
        "cropped from the full result, and same means output = input times stride.",
    ),
    Setting("output_padding", rows, "Cells added at the end of a transposed convolution's output.", "N[,N]"),
    Setting(
        "unshared",
        truth,
        "Locally connected: a kernel at every place, (OH, OW, F, C, kh, kw); the bias is (F,) or (OH, OW, F).",
    ),
    Setting(
        "kernel_size", wholes, "The kernel's size, for dW without a kernel where the stride leaves it open.", "N[,N]"
    ),
)

POOL = (
    Setting("kind", choice(("max", "avg", "sum", "lp")), "max (the default), avg, sum or lp.", "NAME"),
    Setting("size", wholes, "The window: 2, or 2,3 an axis.", "N[,N]"),
    Setting("stride", wholes, "Step between windows; the window's size where not given.", "N[,N]"),
    PADDING,
    DILATION,
    Setting("ceil", truth, "Count a last window that hangs over the end, if it starts inside."),
    Setting(
        "count_include_pad",
        truth,
        "Whether padding counts in an average (it does, unless told otherwise).",
        off="--no-count-include-pad",
    ),
    Setting("divisor", nonzero, "Divide every window's sum by this number, in an average.", "X"),
    Setting(
        "ties",
        choice(("first", "last", "all", "split")),
        "Which of equal maxima takes the delta: first (the default), last, all (each the whole), split (equal parts).",
        "NAME",
    ),
    Setting("p", power, "The power of lp: (sum of |x|^p)^(1/p); 2 unless given.", "X"),
    Setting(
        "adaptive", wholes, "This many windows, cutting the input as equally as can be: 2, or 2,3 an axis.", "N[,N]"
    ),
    Setting("global", truth, "One window over the whole input; pooled axes keep length 1."),
)

INDICES = Setting("indices", truth, "Also the position of each maximum, flat in its channel's unpadded plane.")

DENSE = (
    Setting(
        "weight_layout", choice(("out-in", "in-out")), "out-in (the default), or in-out as some books have it.", "NAME"
    ),
)

_ALPHA = Setting("alpha", number, "The slope of leaky-relu (0.01), or the floor of elu (1).", "X")
_APPROXIMATE = Setting(
    "approximate", choice(("none", "tanh")), "tanh: gelu by its tanh approximation, not by erf.", "NAME"
)

ACTIVATION = (
    Setting(
        "activation",
        choice(ACTIVATIONS),
        f"One of {', '.join(ACTIVATIONS)}. After a convolution or a dense layer, "
        "the delta is then the gradient of the activated output.",
        "NAME",
    ),
    _ALPHA,
    _APPROXIMATE,
)

LOSS = (
    Setting(
        "kind",
        choice(LOSSES),
        "mse (half the sum of squares; the default), mse-mean, mse-sum, cross-entropy "
        "(logits; class indices or distributions), bce (probabilities), mae or huber.",
        "NAME",
    ),
)

SGD = (
    Setting("lr", number, "Learning rate of one SGD step: adds W_new and b_new.", "X"),
    Setting("momentum", number, "Momentum of the step: adds velocity_W and velocity_b.", "X"),
    Setting("nesterov", truth, "Nesterov's momentum."),
    Setting("weight_decay", number, "Adds this times the parameter to its gradient, the bias included.", "X"),
)

SHAPE = (
    Setting("kernel_size", wholes, "A convolution with this kernel: 3, or 3,2 an axis.", "N[,N]"),
    Setting("size", wholes, "A pooling layer with this window.", "N[,N]"),
    Setting("global", truth, "A pooling layer with one window over the whole input."),
    Setting("adaptive", wholes, "A pooling layer with this many windows.", "N[,N]"),
    Setting("stride", wholes, "Step between places; 1 for a convolution, the window's size for pooling.", "N[,N]"),
    PADDING,
    DILATION,
    Setting("groups", whole, "Groups of channels of a convolution.", "N"),
    Setting("transposed", truth, "A transposed convolution."),
    Setting("output_padding", rows, "Cells added at the end of a transposed convolution's output.", "N[,N]"),
    Setting("ceil", truth, "Pooling: count a last window that hangs over the end, if it starts inside."),
    LAYOUT,
    DIMS,
)

COMMON = (LAYOUT, DIMS, DTYPE)

EVERY = {setting.name: setting for setting in (*CONV, *POOL, INDICES, *DENSE, *ACTIVATION, *LOSS, *SGD, *COMMON)}
"""Every setting that some command knows, by name: a document may carry settings for another command."""


def read_settings(entries: Mapping[str, Any], known: Iterable[Setting], source: str) -> dict[str, Any]:
    """The values of the `known` settings among a document's entries, in any case; OptionError names the entry."""
    table = {setting.name: setting for setting in known}
    values: dict[str, Any] = {}
    for name, given in entries.items():
        setting = table.get(name.lower())
        if setting is None or (name != setting.name and setting.name in entries):
            continue
        with at(f"{source}: {name}"):
            if setting.name in values:
                raise OptionError(f"{setting.name} stands there twice, in different cases", hint="keep one of them")
            values[setting.name] = setting.value(given.tolist() if hasattr(given, "tolist") else given)
    return values


RIVALS = {
    "global": ("size", "stride", "padding", "dilation", "ceil", "adaptive"),
    "adaptive": ("size", "stride", "padding", "dilation", "ceil", "global"),
    **dict.fromkeys(("size", "stride", "padding", "dilation", "ceil"), ("global", "adaptive")),
    "transposed": ("unshared", "pad_mode"),
    "unshared": ("transposed", "groups", "output_padding"),
}
"""What a setting on the command line puts out of force in the document, besides itself."""

OWNED = {
    "divisor": ("kind", ("avg",)),
    "p": ("kind", ("lp",)),
    "ties": ("kind", ("max",)),
    "alpha": ("activation", ("leaky-relu", "elu")),
    "approximate": ("activation", ("gelu",)),
}
"""Settings that mean something only beside certain values of another."""


def overridden(document: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A document's settings, under those given on the command line, which win."""
    lost = {rival for name, value in given.items() if value is not False for rival in RIVALS.get(name, ())}
    lost |= {name for name, (owner, values) in OWNED.items() if owner in given and given[owner] not in values}
    return {**{name: value for name, value in document.items() if name not in lost}, **given}


def check_owned(settings: Mapping[str, Any], owner: str, default: str) -> None:
    """OptionError for a setting that means nothing beside the value that its owner has."""
    for name, (its_owner, values) in OWNED.items():
        found = settings.get(owner, default)
        if its_owner == owner and settings.get(name, "none") != "none" and found not in values:
            option, only = f"--{name.replace('_', '-')}", f"--{owner} {' or '.join(values)}"
            raise OptionError(f"{option} belongs to {only}, and it is {found}", hint=f"add {only}")
