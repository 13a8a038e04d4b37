"""The settings of `shape`, which asks a convolution or a pooling layer for its sizes alone."""

from dataclasses import replace

from convgrad.kinds import setting_of
from convgrad.kinds.setting import Setting

SHAPE: tuple[Setting, ...] = (
    replace(setting_of("conv", "kernel_size"), help="A convolution with this kernel: 3, or 3,2 an axis."),
    replace(setting_of("pool", "size"), help="A pooling layer with this window."),
    replace(setting_of("pool", "global"), help="A pooling layer with one window over the whole input."),
    replace(setting_of("pool", "adaptive"), help="A pooling layer with this many windows."),
    replace(
        setting_of("conv", "stride"),
        help="Step between places; 1 for a convolution, the window's size for pooling.",
    ),
    setting_of("conv", "padding"),
    setting_of("conv", "dilation"),
    replace(setting_of("conv", "groups"), help="Groups of channels of a convolution."),
    replace(setting_of("conv", "transposed"), help="A transposed convolution."),
    setting_of("conv", "output_padding"),
    replace(
        setting_of("pool", "ceil"),
        help="Pooling: count a last window that hangs over the end, if it starts inside.",
    ),
    setting_of("conv", "layout"),
    setting_of("conv", "dims"),
)
