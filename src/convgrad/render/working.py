"""The working: overlay after overlay, what is added and what the sums are by then."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from convgrad.quantity import Array, Quantity, Term
from convgrad.render.planes import ADDS, LIT, NAME, QUIET, TOTAL, Block, adding, flow, planes
from convgrad.render.sheet import MOST_PLANES, Sheet
from convgrad.render.words import headline, place, silence
from convgrad.report import Overlay, Walk

WORKED = {"products": "products", "share": "share of delta", "derivative": "derivative"}
"""Factors that an overlay draws, and what it calls them."""


class Working(Sheet):
    """Draws the walks of a report."""

    def drawings(self) -> Iterator[RenderableType]:
        """Every walk: what its overlays add, the first of them one by one, and what is left out."""
        for walk in self.report.walks():
            yield from self._legend(walk)
            shown = 0
            for overlay in islice(walk.overlays(), self.report.steps):
                yield from self._overlay(walk, overlay)
                shown += 1
            if rest := walk.total - walk.silent - shown:
                yield self.said(
                    Text(f"\n{rest} more {walk.unit}s add to the sums; --steps all shows them", style=QUIET)
                )
            yield from self._silence(walk)

    def _silence(self, walk: Walk) -> Iterator[RenderableType]:
        if walk.silent:
            yield self.said(Text(f"\n{silence(walk, MOST_PLANES)}"))

    def _legend(self, walk: Walk) -> Iterator[RenderableType]:
        rules = "; ".join(f"to {quantity.name}: {quantity.rule}" for quantity in walk.quantities)
        some = any(q.value.ndim > max(2, len(q.spatial)) for q in walk.quantities)
        planes_left_out = " Planes to which it adds nothing are not drawn." if some else ""
        unit = walk.unit
        text = f"\n{unit.capitalize()} by {unit}, what is added {rules}.{planes_left_out}"
        yield self.said(Text(text, style=QUIET))

    def _overlay(self, walk: Walk, overlay: Overlay) -> Iterator[RenderableType]:
        term = overlay.term
        said = headline(overlay, self.report.operands, self.number)
        head = Text.assemble((f"{walk.unit} {place(overlay.at)}", NAME), ("  ", ""), (said, LIT))
        yield Text("")
        yield self.rule(head)
        windows: dict[str, Term] = {}
        for name, (each, _) in overlay.parts.items():
            windows.setdefault(self._quantity(name).over, each)
        groups = [self._under(over, each) for over, each in windows.items()]
        for name, shown in WORKED.items():
            value = term.factor(name)
            if value is not None:
                groups.append(self.drawn(shown, value, ADDS))
        for name, (each, total) in sorted(overlay.parts.items(), key=lambda part: part[0] == "db"):
            if name not in ("output", "z", "db"):  # an output's is its headline, db's is the delta
                groups.append(self._adds(name, each))
            groups.append(self._so_far(name, each, total))
        rows = [[(block.width, block.text()) for block in blocks] for blocks in groups]
        yield Padding(Group(*flow(rows, self.page.width - 1, gap=3)), (0, 0, 0, 1))

    def _under(self, over: str, term: Term) -> list[Block]:
        """The array the overlay lies on, its window lit; and what is under the kernel, where not all is on it."""
        array = {**self.report.operands, **self.report.arrays}[over]
        spatial = self.report.spatial.get(over, self.input_spatial)
        lit = np.zeros(array.shape, bool)
        cells = (
            range(*c.indices(n)) if isinstance(c, slice) else list(c)
            for c, n in zip(term.window, array.shape, strict=True)
        )
        lit[np.ix_(*cells)] = True
        blocks = []
        for label, plane, mask in planes(over, array, spatial, lit):
            if mask is not None and not mask.any() and array.ndim > len(spatial) > 0:
                continue
            blocks += [
                Block(Text(text, style=NAME), lines)
                for text, lines in self.cropped(label, plane, None if lit.all() else mask)
            ]
        under = term.factor("input") if over == "input" else None
        if under is not None and lit.sum() < under.size:
            kernel = {"kernel", "dW"} & {*self.report.operands, *self.report.results}
            blocks += self.drawn(f"under the {'kernel' if kernel else 'window'}", under, "")
        return self.counted(blocks, over)

    def _adds(self, name: str, term: Term) -> list[Block]:
        spatial = self._quantity(name).spatial
        blocks = [
            Block(Text(text, style=NAME), lines)
            for label, plane, mask in planes(f"adds to {name}", term.patch, spatial, adding(term.patch, spatial))
            if mask is None or mask.any()
            for text, lines in self.lines(label, plane, None, ADDS)
        ]
        return self.counted(blocks, name)

    def _so_far(self, name: str, term: Term, total: Array) -> list[Block]:
        spatial = self._quantity(name).spatial
        lit = np.zeros(total.shape, bool)
        lit[term.region] = adding(term.patch, spatial)
        blocks = [
            Block(Text(text, style=NAME), lines)
            for label, plane, mask in planes(name, total, spatial, lit)
            if mask is not None and mask.any()
            for text, lines in self.cropped(label, plane, None if mask.all() else mask, TOTAL, " so far")
        ]
        return self.counted(blocks, name)

    def _quantity(self, name: str) -> Quantity:
        return next(quantity for quantity in self.report.worked() if quantity.name == name)
