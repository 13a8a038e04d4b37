"""The settings of `shape`, which asks a convolution or a pooling layer for its sizes alone."""

from convgrad.kinds import KINDS, setting_of
from convgrad.kinds.setting import Setting

POOLING, CONVOLUTION = ("size", "global", "adaptive"), ("kernel_size",)
"""The settings that say which layer is meant; with neither and --filters, a dense layer."""

SHAPE: tuple[Setting, ...] = (
    setting_of("conv", "kernel_size")._replace(help="A convolution with this kernel: 3, or 3,2 an axis."),
    setting_of("pool", "size")._replace(help="A pooling layer with this window."),
    setting_of("pool", "global")._replace(help="A pooling layer with one window over the whole input."),
    setting_of("pool", "adaptive")._replace(help="A pooling layer with this many windows."),
    setting_of("conv", "stride")._replace(
        help="Step between places; 1 for a convolution, the window's size for pooling.",
    ),
    setting_of("conv", "padding"),
    setting_of("conv", "dilation"),
    setting_of("conv", "groups")._replace(help="Groups of channels of a convolution."),
    setting_of("conv", "transposed")._replace(help="A transposed convolution."),
    setting_of("conv", "output_padding"),
    setting_of("pool", "ceil")._replace(
        help="Pooling: count a last window that hangs over the end, if it starts inside.",
    ),
    setting_of("conv", "layout"),
    setting_of("conv", "dims"),
)

_POOLS, _CONVOLVES = ({setting.name for setting in KINDS[name].fields} for name in ("pool", "conv"))

ONLY_POOLING = [each.name for each in SHAPE if each.name in _POOLS - _CONVOLVES]
ONLY_CONVOLUTION = [each.name for each in SHAPE if each.name in _CONVOLVES - _POOLS]
"""Those of them that mean nothing for the other layer."""
