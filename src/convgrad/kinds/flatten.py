"""Flattening, which stands in networks only."""

from convgrad.kinds.kind import Kind
from convgrad.kinds.setting import Setting, truth
from convgrad.kinds.shared import DELTA, INPUT

FLATTEN = Kind(
    name="flatten",
    title="flattening",
    given=(INPUT, DELTA),
    worked_out=(Setting("batch", truth, "Whether the first axis, that of the examples, is kept."),),
    layer="convgrad.layers.flatten:Flatten",
)
