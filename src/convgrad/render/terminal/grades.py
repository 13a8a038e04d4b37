"""Grades for people: a line a submission, then what a teacher acts on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convgrad.render.grades import Grades, Row
from convgrad.render.number_text import readable
from convgrad.render.terminal.console import labelled, printed
from convgrad.render.terminal.side_by_side import NAME, QUIET
from convgrad.render.visible import visible
from convgrad.render.writer import Style

AT_ONCE = 200
"""Submissions of one table; of more there are several, so that they need not be held together."""

LONGEST_BAR = 30
"""Columns of the longest bar of the histogram."""

MOST_IDS = 12
"""Students that are named for a mistake; more are counted."""

COLOURS = {"right": "green", "follows": "yellow", "convention": "yellow", "too-coarse": "yellow"}


def draw_grades(grades: Grades, style: Style) -> Iterator[str]:
    """Grades -> their text, part after part."""
    rows = iter(grades.rows)
    while part := list(islice(rows, AT_ONCE)):
        yield printed([_table(part, style.width)], style)
    yield printed(_summary(grades, style.width), style)


def _table(rows: list[Row], width: int) -> Table:
    table = Table(border_style=QUIET, width=width, show_lines=False)
    table.add_column("student", overflow="fold", ratio=2)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("answers", overflow="fold", ratio=5)
    for row in rows:
        points = f"{readable(row['points'])} / {readable(row['max_points'])}"
        table.add_row(Text(visible(row["id"])), Text(points, style="bold"), _told(row))
    return table


def _told(row: Row) -> Text:
    if row["status"] != "graded":
        return Text(f"unreadable: {visible(row['reason'])}", style="bold red")
    parts = Text()
    for number, (name, answer) in enumerate(row["answers"].items()):
        parts.append("; " if number else "")
        parts.append(f"{name} ").append(answer["verdict"], style=COLOURS.get(answer["verdict"], "bold red"))
        if names := ", ".join(each["name"] for each in answer.get("mistakes", ())):
            parts.append(f" ({names})", style="magenta")
    return parts


def _summary(grades: Grades, width: int) -> Iterator[RenderableType]:
    told = grades.summary.entries
    count, unreadable = told["graded"], told["unreadable"]
    yield Text(f"{count} graded, {unreadable} unreadable", style=NAME)
    if count:
        mean, median = told["points"]["mean"], told["points"]["median"]
        yield Text(f"points of {readable(grades.summary.most)}: mean {mean:.4g}, median {median:.4g}")
        yield Text("")
        yield from _histogram(told["points"]["histogram"])
    for heading, entries in (("mistakes", told["mistakes"]), ("the same wrong answer, unexplained", told["unnamed"])):
        if entries:
            yield Text("")
            yield Text(heading, style=NAME)
        for each in entries:
            label = each["name"] if "name" in each else "; ".join(f"{k} = {v}" for k, v in each["answer"].items())
            yield from labelled(f"{each['count']:>5}  ", label, width, "bold magenta" if "name" in each else "bold")
            yield from labelled("       ", _ids(each["ids"]), width)


def _histogram(bars: list[Row]) -> Iterator[Text]:
    most = max((bar["count"] for bar in bars), default=0)
    labels = [
        readable(bar["from"]) if bar["from"] == bar["to"] else f"{readable(bar['from'])} to {readable(bar['to'])}"
        for bar in bars
    ]
    wide = max(map(len, labels), default=0)
    for label, bar in zip(labels, bars, strict=True):
        length = -(-bar["count"] * LONGEST_BAR // most) if most else 0
        yield Text.assemble((f"{label:>{wide}}  ", QUIET), ("█" * length, "green"), f" {bar['count']}")


def _ids(ids: list[str]) -> str:
    named = [visible(each) for each in ids[:MOST_IDS]]
    return ", ".join([*named, *([f"and {len(ids) - MOST_IDS} more"] if len(ids) > MOST_IDS else [])])
