"""One page that holds everything it needs: the data of its figures, its looks and what moves it; no network."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import fact
from convgrad.render.page.contents import page_data
from convgrad.render.writer import Writer

if TYPE_CHECKING:
    from convgrad.checking.verdict import Checked
    from convgrad.render.catalogue import Listing
    from convgrad.teaching.exercise import Exercises


class Page(Writer):
    """A page of its own."""

    def report(self, report: Report) -> str:
        """A page that steps through overlays and writes elements out."""
        return self._figures([report], report.title)

    def facts(self, facts: Facts) -> str:
        """A page of figures where the facts have reports, else a table of names and values."""
        if facts.reports:
            return self._figures(facts.reports, facts.title)
        rows = []
        for name, entry in facts.entries.items():
            parts = entry.items() if isinstance(entry, dict) else [("", entry)]
            rows += [(f"{name}, {part}" if part else name, self._value(value)) for part, value in parts]
        cells = "".join(
            f"<tr><th scope=row>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows
        )
        body = f'<table class="facts"><tbody>{cells}</tbody></table>'
        return filled("plain.html", title=html.escape(_capital(facts.title)), body=body)

    def verdicts(self, checked: Checked) -> str:
        """A section an answer, with maps of where it is off."""
        from convgrad.render.page.verdicts import body_of

        body = body_of(checked, self.style.precision)
        return filled("plain.html", title=html.escape(_capital(checked.title)), body=body)

    def catalogue(self, listing: Listing) -> str:
        """A section a family."""
        from convgrad.render.page.catalogue import body_of

        title = f"{len(listing.rows)} mistakes"
        return filled("plain.html", title=title, body=body_of(listing.rows))

    def exercises(self, told: Exercises) -> str:
        """A sheet."""
        from convgrad.render.page.sheet import Sheet

        title = "Exercise" if len(told.each) == 1 else f"{len(told.each)} exercises"
        return filled("plain.html", title=html.escape(title), body=Sheet(self.form, self.style).exercises(told))

    def _figures(self, reports: list[Report], title: str) -> str:
        data = page_data(reports, _capital(title), self.style.precision)
        return filled("page.html", title=html.escape(_capital(title)), data=as_script(data))

    def _value(self, value: Any) -> str:
        """A value of a fact: a number, a shape, a word."""
        text = fact(value, self.style.precision)
        return text.replace("x", "\u00d7") if isinstance(value, list) else text


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def as_script(data: Any) -> str:
    """Data as JSON that may stand inside a script element: titles and names are data there, whatever they say."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def filled(name: str, **parts: str) -> str:
    """A page of render/page/ with its looks and its script in it, and `parts` where their names stand in ``{{ }}``."""
    page = files("convgrad.render").joinpath("page")
    stored = {each: page.joinpath(f"page.{each}").read_text("utf-8") for each in ("css", "js")}
    texts = {**stored, **parts}
    # in one go, so that what is filled in is never looked at again
    return re.sub(r"\{\{(\w+)\}\}", lambda found: texts[found[1]], page.joinpath(name).read_text("utf-8"))
