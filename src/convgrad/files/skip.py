"""Which rows and columns of a table of text hold no numbers: headings, labels, what trailing separators leave."""

from __future__ import annotations

from typing import NamedTuple

Ends = tuple[int, int]


class Skip(NamedTuple):
    """Lines and cells of each line that are passed over, (at the beginning, at the end); comments are no lines."""

    rows: Ends = (0, 0)
    columns: Ends = (0, 0)


NOTHING = Skip()
