"""Flattening, which stands in networks only."""

from convgrad.kinds.kind import Kind
from convgrad.kinds.shared import DELTA, INPUT

FLATTEN = Kind(name="flatten", title="flattening", given=(INPUT, DELTA), home="")
