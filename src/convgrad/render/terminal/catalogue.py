"""The catalogue of mistakes: as a table, one in full, and what a problem shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convgrad.core.quantity import Array
from convgrad.errors import OptionError, by
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.recogniser import Shown
from convgrad.render import Page
from convgrad.render.data.json import dump
from convgrad.render.number_text import aligned
from convgrad.render.planes import planes
from convgrad.render.terminal.report import drawn_on, new_console
from convgrad.render.terminal.side_by_side import LIT, NAME, QUIET, Block, flow, lit_line
from convgrad.teaching.example import Example

FAMILIES = {
    "convention": "Right under another convention",
    "ratio": "One constant between the answer and the right value",
    "geometry": "The right numbers in the wrong places",
    "setting": "Another problem, solved rightly",
    "partial": "Sums with parts missing",
    "factor": "A factor missing, extra, or of the wrong thing",
}
"""The families, and what is common to each."""


def render_catalogue(rows: Sequence[Mistake], form: str, page: Page) -> bytes:
    """The rows -> the bytes of a format, table or json; OptionError for the others."""
    if form == "json":
        return (dump([_entry(row) for row in rows]) + "\n").encode()
    return _table(form, page, _catalogue(rows, page))


def render_mistake(row: Mistake, example: Example | None, title: str, form: str, page: Page) -> bytes:
    """One row in full, with its worked example, which `title` names."""
    if form == "json":
        entry = {**_entry(row), "family": row.family}
        entry |= {"convention": row.convention} if row.convention else {}
        entry |= {"alike": list(row.alike)} if row.alike else {}
        return (dump(entry | ({"example": _as_entry(example)} if example else {})) + "\n").encode()
    return _table(form, page, _whole(row, example, title, page))


def render_shown(layer: str, shown: Sequence[Shown], form: str, page: Page) -> bytes:
    """What a problem shows of the catalogue, result by result."""
    if form == "json":
        results = {
            each.name: {
                "told_apart": [row.name for row in each.alone],
                "together": [[row.name for row in group] for group in each.together],
                "invisible": [row.name for row in each.hidden],
            }
            for each in shown
        }
        return (dump({"layer": layer, "results": results}) + "\n").encode()
    return _table(form, page, _shown(layer, shown, page))


def _entry(row: Mistake) -> dict[str, Any]:
    return {
        "name": row.name,
        "about": list(row.about),
        "layers": list(row.layers),
        "what": row.what,
        "why": row.why,
        "mend": row.mend,
    }


def _as_entry(example: Example) -> dict[str, Any]:
    """An example whose problem is a document that the program reads."""
    case = example.case
    settings = {name: _plain(value) for name, value in case.settings.items()}
    operands = {name: np.asarray(operand.array) for name, operand in case.operands.items()}
    layer = "conv" if case.layer in ("transposed", "unshared") else case.layer
    return {
        "problem": {"layer": layer, **operands, **settings},
        "result": example.name,
        "right": example.right,
        "wrong": example.wrong,
    }


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


# -- tables ------------------------------------------------------------------------------------------------------


def _table(form: str, page: Page, parts: Iterable[RenderableType]) -> bytes:
    if form != "table":
        raise OptionError(f"the catalogue is written as table or json, not as {form}", where="--format")
    console = new_console(page)
    for part in parts:
        console.print(part)
    return drawn_on(console).encode()


def _catalogue(rows: Sequence[Mistake], page: Page) -> Iterator[RenderableType]:
    longest = max((len(row.name) for row in rows), default=1)
    for family, group in groupby(rows, key=lambda row: row.family):
        listed = list(group)
        table = Table(
            title=Text(f"{FAMILIES[family]} ({len(listed)})", style=NAME),
            title_justify="left",
            border_style=QUIET,
            width=page.width,
            show_lines=True,
            show_header=False,
        )
        table.add_column(width=min(longest, page.width // 2), overflow="fold")
        table.add_column(overflow="fold")
        for row in listed:
            about = f"{', '.join(row.about)} of {', '.join(row.layers)}"
            table.add_row(Text.assemble((row.name, "bold magenta"), "\n", (about, QUIET)), Text(row.what))
        yield table
    yield Text(f"{len(rows)} mistakes; 'convgrad mistakes NAME' shows one in full", style=QUIET)


def _whole(row: Mistake, example: Example | None, title: str, page: Page) -> Iterator[RenderableType]:
    yield Text(row.name, style="bold magenta")
    yield from _said(
        "", f"In {' and '.join(row.about)} of {', '.join(row.layers)}. {FAMILIES[row.family]}.", page, QUIET
    )
    for label, text in (("What", row.what), ("Why", row.why), ("Mend", row.mend)):
        yield from _said(f"{label:<5} ", text, page)
    if row.convention:
        yield from _said("", f"A convention, not an error: {row.convention}.", page)
    if row.alike:
        yield from _said(
            "", f"Gives the same numbers as {', '.join(row.alike)} wherever both can be made.", page, QUIET
        )
    if example is not None:
        yield Text("")
        yield from _said("", f"For example: {title}", page, NAME)
        yield from _worked(example, page)


def _worked(example: Example, page: Page) -> Iterator[RenderableType]:
    operands = example.case.solution.operands
    spatial = example.case.solution.spatial
    blocks = [
        block
        for name, array in operands.items()
        if name in example.case.operands
        for block in _blocks(name, array, spatial.get(name, ()))
    ]
    yield from flow([[(block.width, block.text())] for block in blocks], page.width, gap=3)
    yield Text("")
    off = _off(example)
    axes = example.case.solution.quantities[example.name].spatial
    right = _blocks(f"{example.name}, right", example.right, axes)
    wrong = _blocks(f"{example.name}, wrong", example.wrong, axes, off)
    same = example.right.shape == example.wrong.shape
    groups = [[left, other] for left, other in zip(right, wrong, strict=True)] if same else [right, wrong]
    yield from flow([[(block.width, block.text()) for block in group] for group in groups], page.width, gap=3)


def _off(example: Example) -> Array | None:
    """The cells that are wrong, where that are some and not all."""
    if example.right.shape != example.wrong.shape:
        return None
    off = ~np.isclose(example.right, example.wrong, rtol=1e-9, atol=0)
    return None if off.all() else off


def _blocks(name: str, array: Array, spatial: Sequence[int], lit: Array | None = None) -> list[Block]:
    axes = spatial if len(spatial) <= array.ndim and max(spatial, default=0) < array.ndim else ()
    size = f" {by(array.shape)}" if array.ndim > 1 else ""
    drawn = []
    for number, (label, plane, mask) in enumerate(planes(name, array, axes or _last(array), lit)):
        lines = [lit_line(row, None if mask is None else mask[k], LIT) for k, row in enumerate(aligned(plane))]
        drawn.append(Block(Text(label + (size if number == 0 else ""), style=NAME), lines))
    return drawn


def _last(array: Array) -> tuple[int, ...]:
    return (array.ndim - 1,) if array.ndim else ()


def _shown(layer: str, shown: Sequence[Shown], page: Page) -> Iterator[RenderableType]:
    yield Text(f"what this problem shows of the catalogue ({layer})", style=NAME)
    for each in shown:
        table = Table(border_style=QUIET, width=page.width, show_header=False, show_lines=True)
        table.title, table.title_justify = Text(each.name, style="bold magenta"), "left"
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=4, overflow="fold")
        for label, names in _groups(each).items():
            table.add_row(Text(label, style=NAME), Text(names or "none"))
        yield Text("")
        yield table


def _groups(shown: Shown) -> Mapping[str, str]:
    together = "\n".join(" = ".join(row.name for row in group) for group in shown.together)
    return {
        f"told apart ({len(shown.alone)})": ", ".join(row.name for row in shown.alone),
        f"not told apart ({sum(map(len, shown.together))})": together,
        f"invisible ({len(shown.hidden)})": ", ".join(row.name for row in shown.hidden),
    }


def _said(label: str, text: str, page: Page, style: str = "") -> Iterator[RenderableType]:
    blank = " " * len(label)
    for number, line in enumerate(wrap(text, max(20, page.width - len(label)))):
        yield Text.assemble((blank if number else label, QUIET), (line, style))
