"""What a notebook shows of a quantity and of a report: HTML that brings its own looks and fits light and dark pages."""

from __future__ import annotations

from html import escape

import numpy as np

from convgrad.core.quantity import Quantity
from convgrad.problems.report import Report
from convgrad.render.page.html import Page
from convgrad.render.page.numbered_cells import Numbers, drawn

MOST_NOTEBOOK_CELLS = 900
"""Cells of a quantity that a notebook draws."""

ABOVE, BELOW = "232,135,30", "58,134,212"
"""The colours of numbers above and below 0 (orange and blue, which nobody takes for one another)."""

QUIET = "opacity:.65;font-size:85%"
CELL = "padding:.15em .5em;text-align:center;border:1px solid rgba(128,128,128,.3);white-space:nowrap;color:inherit"


def quantity_html(quantity: Quantity) -> str:
    """A quantity -> its name, formula and planes, the cells coloured by their values."""
    numbers = Numbers(None)
    data = drawn(quantity.name, quantity.value, _spatial(quantity), numbers, 0, MOST_NOTEBOOK_CELLS).data
    texts = [text.split("|") for text in numbers.texts]
    scale = float(np.abs(quantity.value).max()) if quantity.value.size else 0.0
    cells = [_cell(texts[k][0], texts[k][-1], scale) for k in data["numbers"]]
    tables, start = [], 0
    for plane in data["planes"]:
        count = plane["rows"] * plane["columns"]
        label = f"<div style='{QUIET}'>{escape(plane['label'])}</div>" if len(data["planes"]) > 1 else ""
        tables.append(f"<div>{label}{_table(cells[start : start + count], plane['columns'])}</div>")
        start += count
    head = f"<b>{escape(quantity.name)}</b> <span style='{QUIET}'>{data['size']}</span>"
    formula = f"<div style='{QUIET}'>{escape(str(quantity.formula))}</div>" if quantity.formula else ""
    left = f"<div style='{QUIET}'>{data['left']}</div>" if data["left"] else ""
    box = f"<div style='display:flex;flex-wrap:wrap;gap:.6em 1em;overflow-x:auto'>{''.join(tables)}</div>"
    return f"<div style='font-variant-numeric:tabular-nums;margin:.3em 0'>{head}{formula}{box}{left}</div>"


def report_html(report: Report) -> str:
    """A report -> the whole page, in a frame of its own."""
    page = escape(Page("html").report(report), quote=True)
    title = escape(report.title, quote=True)
    return (
        f'<iframe title="{title}" srcdoc="{page}" sandbox="allow-scripts" '
        'style="width:100%;height:42rem;border:1px solid rgba(128,128,128,.3);border-radius:.5rem"></iframe>'
    )


def _spatial(quantity: Quantity) -> tuple[int, ...]:
    """The axes that planes have: its own where it says so, else those its letters say (``*``), else the last two."""
    if quantity.spatial:
        return quantity.spatial
    letters, rank = quantity.axes, quantity.value.ndim
    d = rank - len(letters.replace("*", "")) if letters.endswith("*") else 2
    return tuple(range(rank - d, rank)) if 0 < d <= rank else ()


def _table(cells: list[str], columns: int) -> str:
    rows = [f"<tr>{''.join(cells[k : k + columns])}</tr>" for k in range(0, len(cells), columns)]
    return f"<table style='border-collapse:collapse;margin:.2em 0;color:inherit'>{''.join(rows)}</table>"


def _cell(exact: str, shown: str, scale: float) -> str:
    above, _, below = exact.partition("/")
    value = float(above) / float(below or 1)
    share = min(1.0, abs(value) / scale) if scale else 0.0
    colour = f"background:rgba({ABOVE if value > 0 else BELOW},{0.55 * share:.2f});" if value else ""
    return f"<td title='{exact}' style='{colour}{CELL}'>{shown}</td>"
