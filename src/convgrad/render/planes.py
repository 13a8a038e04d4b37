"""What a report shows, before anybody draws it: planes of numbers with the cells that are lit, overlay after overlay.

Tables, Markdown and LaTeX draw the same scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.core.term import Spots, Term
from convgrad.formula import Formula, named
from convgrad.problems.report import Overlay, Report, Walk
from convgrad.render.padding import Padded, in_padding, padded, padding_of
from convgrad.render.sentences import headline, place, silence

MOST_OVERLAY_PLANES = 12
"""Planes of one array that an overlay draws; more are counted."""

MOST_ROWS, MOST_COLUMNS = 12, 12
"""A plane larger than this is drawn only where cells of it are lit."""

MOST_CELLS_IN_FULL = 400
"""An array larger than this is not worked out sum by sum, nor drawn whole where a page is abridged."""

WORKED = {"products": "products", "share": "share of delta", "derivative": "derivative"}
"""Factors that an overlay draws, and what it calls them."""

GIVEN, WINDOW, ADDS, TOTAL = "given", "window", "adds", "total"
"""The parts that a plane may play."""


@dataclass(frozen=True, eq=False, repr=False)
class Plane:
    """A labelled plane of numbers (rows, columns), its lit cells (None: all alike), the part it plays.

    note stands in place of the numbers where there is nothing to draw. pad: the cells that lie in the padding, None
    where none does; blank: cells of a margin that hold nothing; corner: what the first row and column are counted as.
    """

    label: Formula
    numbers: Array | None = None
    lit: Array | None = None
    part: str = GIVEN
    note: str = ""
    pad: Array | None = None
    blank: Array | None = None
    corner: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Its rows and columns; nothing where a note stands in place of the numbers."""
        return () if self.numbers is None else self.numbers.shape

    def texts(self, number: Callable[[Any], str]) -> list[list[str]]:
        """Every cell as text: in parentheses in the padding, empty where it holds nothing."""
        assert self.numbers is not None
        rows = [[number(each) for each in row] for row in self.numbers]
        if self.pad is None or self.blank is None:
            return rows
        for r, c in np.argwhere(self.pad | self.blank):
            rows[r][c] = f"({rows[r][c]})" if self.pad[r, c] else ""
        return rows


@dataclass(frozen=True, eq=False, repr=False)
class Scene:
    """One overlay: what it is called, what it comes down to, and groups of planes that belong together."""

    name: str
    headline: str
    groups: list[list[Plane]]


@dataclass(frozen=True)
class Scenes:
    """Makes the scenes of a report; number: how a number is written."""

    report: Report
    number: Callable[[Any], str]

    # -- the working: what stands before, between and behind the overlays -------------------------------

    def legend(self, walk: Walk, marked: str = "in brackets") -> str:
        """What one overlay adds, in words; marked: how lit cells look."""
        rules = "; ".join(f"to {quantity.name}: {quantity.rule.text(marked)}" for quantity in walk.quantities)
        some = any(q.value.ndim > max(2, len(q.spatial)) for q in walk.quantities)
        planes_left_out = " Planes to which it adds nothing are not drawn." if some else ""
        padding = padding_of(walk, self.report)
        return f"{walk.unit.capitalize()} by {walk.unit}, what is added {rules}.{planes_left_out}{padding}"

    def of(self, walk: Walk) -> Iterator[Scene]:
        """The overlays one by one, as many as the report wants."""
        for overlay in islice(walk.overlays(), self.report.steps):
            said = headline(overlay, self.report.operands, self.number)
            yield Scene(f"{walk.unit} {place(overlay.at)}".rstrip(), said, self._groups(overlay))

    def rest(self, walk: Walk) -> str:
        """How many overlays more add to the sums; empty where there are none."""
        adding = walk.total - walk.silent
        rest = adding - min(adding, adding if self.report.steps is None else self.report.steps)
        more = f"1 more {walk.unit} adds" if rest == 1 else f"{rest} more {walk.unit}s add"
        return f"{more} to the sums; --steps all shows {'it' if rest == 1 else 'them'}" if rest else ""

    def silence(self, walk: Walk) -> str:
        """Which overlays add nothing; empty where all add something."""
        return silence(walk, MOST_OVERLAY_PLANES)

    def sums(self) -> Iterator[tuple[Quantity, list[Plane]]]:
        """Results that are sums of whole arrays, such as a step of gradient descent, with their summands."""
        for quantity in self.report.summed():
            if quantity.value.size > MOST_CELLS_IN_FULL:
                continue
            spatial = quantity.spatial or self.report.spatial.get("kernel", ())
            fits = len(spatial) <= quantity.value.ndim and max(spatial, default=0) < quantity.value.ndim
            parts = [
                Plane(label, plane, part=ADDS)
                for term in quantity.terms()
                for label, plane, _ in planes(term.called, term.patch, spatial if fits else ())
            ]
            yield quantity, _counted(parts, quantity.name)

    # -- one overlay ------------------------------------------------------------------------------------

    def _groups(self, overlay: Overlay) -> list[list[Plane]]:
        windows: dict[str, Term] = {}
        for name, (term, _) in overlay.parts.items():
            windows.setdefault(self._quantity(name).over, term)
        groups = [self._under(over, term) for over, term in windows.items()]
        groups += [group for term in windows.values() if (group := self._cropped_away(term))]
        for name, shown in WORKED.items():
            value = overlay.term.factor(name)
            if value is not None:
                groups.append(self._drawn(shown, value, ADDS))
        for name, (each, total) in sorted(overlay.parts.items(), key=lambda part: part[0] == "db"):
            if name not in ("output", "z", "db"):  # an output's is its headline, db's is the delta
                groups.append(self._adds(name, each))
            groups.append(self._so_far(name, each, total))
        return groups

    def _under(self, over: str, term: Term) -> list[Plane]:
        """The array the overlay lies on, its window lit; and what is under the kernel, where not all is on it."""
        array = {**self.report.operands, **self.report.arrays}[over]
        spatial = self.report.spatial.get(over, self.report.spatial.get("input", ()))
        wide = None if term.spots is None or term.spots.on else padded(array, spatial, term)
        if wide is not None:
            return _counted([*self._hanging(over, wide, spatial, array.shape)], over)
        lit = lit_cells(term, array.shape)
        found = [
            _cropped(Plane(label, plane, None if lit.all() else mask, WINDOW))
            for label, plane, mask in planes(over, array, spatial, lit)
            if mask is None or mask.any() or not array.ndim > len(spatial) > 0
        ]
        under = term.factor("input") if over == "input" else None
        if under is not None and lit.sum() < under.size:
            kernel = {"kernel", "dW"} & {*self.report.operands, *self.report.results}
            beside = self._drawn(f"under the {'kernel' if kernel else 'window'}", under, WINDOW)
            found += (
                beside
                if term.spots is None or term.spots.on
                else self._marked(beside, term.spots, array, spatial, under)
            )
        return _counted(found, over)

    def _cropped_away(self, term: Term) -> list[Plane]:
        """The array that a transposed convolution's kernel lies on, where its window reaches into what is cropped."""
        lit = next((each for each in term.lit if term.spots is not None and each.name == term.spots.on), None)
        array = None if lit is None else {**self.report.operands, **self.report.arrays}.get(lit.name)
        if lit is None or array is None:
            return []
        spatial = self.report.spatial.get(lit.name, self.report.spatial.get("input", ()))
        wide = padded(array, spatial, replace(term, window=lit.cells))
        return [] if wide is None else _counted([*self._hanging(lit.name, wide, spatial, array.shape)], lit.name)

    def _hanging(self, over: str, wide: Padded, spatial: Sequence[int], shape: tuple[int, ...]) -> Iterator[Plane]:
        """The planes of an array whose window hangs over the border, with as much of the padding as it covers."""
        layers = (planes(over, each, spatial, mask, wide.origin) for each, mask in
                  ((wide.numbers, wide.lit), (wide.pad, None), (wide.blank, None)))  # fmt: skip
        corner = [-wide.origin[axis] for axis in [*(k for k in range(len(shape)) if k not in spatial), *spatial]][-2:]
        for (label, plane, mask), (_, pad, _), (_, blank, _) in zip(*layers, strict=True):
            if (mask is None or mask.any()) or not len(shape) > len(spatial) > 0:
                start = (0, corner[0]) if len(corner) == 1 else (corner[0], corner[1])
                yield _cropped(Plane(label, plane, mask, WINDOW, pad=pad, blank=blank, corner=start))

    @staticmethod
    def _marked(
        found: list[Plane], spots: Spots, array: Array, spatial: Sequence[int], under: Array
    ) -> Iterator[Plane]:
        """What is under a kernel, drawn beside the array, with the cells marked that lie in the padding."""
        inside = in_padding(spots, [array.shape[axis] for axis in spatial], under.shape)
        d = min(under.ndim, max(1, len(spatial)))
        marks = planes("", inside, tuple(range(under.ndim - d, under.ndim)))
        for plane, (_, pad, _) in zip(found, marks, strict=False):
            known = plane.numbers is not None
            yield replace(plane, pad=pad, blank=np.zeros(pad.shape, bool)) if known else plane

    def _drawn(self, title: str, array: Array, part: str) -> list[Plane]:
        d = min(array.ndim, max(1, len(self.report.spatial.get("input", ()))))
        spatial = tuple(range(array.ndim - d, array.ndim))
        return _counted([Plane(label, plane, part=part) for label, plane, _ in planes(title, array, spatial)], title)

    def _adds(self, name: str, term: Term) -> list[Plane]:
        spatial = self._quantity(name).spatial
        found = planes(Formula(("adds to ", *named(name).parts)), term.patch, spatial, adding(term.patch, spatial))
        return _counted([Plane(label, plane, part=ADDS) for label, plane, m in found if m is None or m.any()], name)

    def _so_far(self, name: str, term: Term, total: Array) -> list[Plane]:
        spatial = self._quantity(name).spatial
        lit = np.zeros(total.shape, bool)
        lit[term.region] = adding(term.patch, spatial)
        found = [
            _cropped(Plane(label, plane, None if mask.all() else mask, TOTAL), " so far")
            for label, plane, mask in planes(name, total, spatial, lit)
            if mask is not None and mask.any()
        ]
        return _counted(found, name)

    def _quantity(self, name: str) -> Quantity:
        return next(quantity for quantity in self.report.worked() if quantity.name == name)


def lit_cells(term: Term, shape: tuple[int, ...]) -> Array:
    """The window of a term, as a mask over the array that it lies on."""
    lit = np.zeros(shape, bool)
    pairs = zip(term.window, shape, strict=True)
    lit[np.ix_(*(range(*c.indices(n)) if isinstance(c, slice) else list(c) for c, n in pairs))] = True
    return lit


def adding(patch: Array, spatial: Sequence[int]) -> Array:
    """Which planes of a contribution are worth drawing: those that add something, all where none does."""
    adding = np.any(patch != 0, axis=tuple(spatial), keepdims=True)
    return np.broadcast_to(adding | ~adding.any(), patch.shape)


def planes(
    title: str | Formula,
    array: Array,
    spatial: Sequence[int],
    mask: Array | None = None,
    origin: Sequence[int] = (),
) -> Iterator[tuple[Formula, Array, Array | None]]:
    """An array of any rank -> (label, plane (rows, columns), its part of `mask`), one a channel, filter, example.

    title: the array's name, or words with it; a single spatial axis makes rows of the channels. origin: what is counted
    as 0 on each axis, where that is not the first.
    """
    name = named(title) if isinstance(title, str) else title
    others = [axis for axis in range(array.ndim) if axis not in spatial]
    order = [*others, *spatial]
    moved = array.transpose(order)
    moved_mask = None if mask is None else mask.transpose(order)
    if array.ndim < 2:
        yield name.at(()), moved.reshape(1, -1), None if moved_mask is None else moved_mask.reshape(1, -1)
        return
    for index in np.ndindex(moved.shape[:-2]):
        at = [":"] * array.ndim
        for axis, i in zip(order, index, strict=False):
            at[axis] = str(i - origin[axis] if origin else i)
        while at and at[-1] == ":":
            at.pop()
        yield name.at(at), moved[index], None if moved_mask is None else moved_mask[index]


def _counted(found: list[Plane], title: str) -> list[Plane]:
    """The first planes of many, the others counted."""
    if len(found) <= MOST_OVERLAY_PLANES:
        return found
    more = f"{len(found) - MOST_OVERLAY_PLANES} planes more"
    return [*found[:MOST_OVERLAY_PLANES], Plane(Formula((f"{title}:",)), note=more)]


def _cropped(plane: Plane, suffix: str = "") -> Plane:
    """A plane itself; of a large one the part where cells are lit."""
    numbers, lit, (top, left) = plane.numbers, plane.lit, plane.corner
    assert numbers is not None
    own = np.s_[:, :] if plane.pad is None or plane.blank is None else np.ix_(*_own(plane.pad | plane.blank))
    if lit is None or (numbers[own].shape[0] <= MOST_ROWS and numbers[own].shape[1] <= MOST_COLUMNS):
        return replace(plane, label=plane.label + suffix)
    rows, columns = (np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return replace(plane, label=plane.label + suffix, numbers=None, note="(beside it)")
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    label = (
        plane.label + f"[{rows[0] + top}:{rows[-1] + 1 + top}, {columns[0] + left}:{columns[-1] + 1 + left}]{suffix}"
    )
    pad, blank = (each if each is None else each[part] for each in (plane.pad, plane.blank))
    return replace(plane, label=label, numbers=numbers[part], lit=lit[part], pad=pad, blank=blank, corner=(0, 0))


def _own(margin: Array) -> tuple[Array, Array]:
    """The rows and columns that are not all margin."""
    return np.flatnonzero(~margin.all(axis=1)), np.flatnonzero(~margin.all(axis=0))
