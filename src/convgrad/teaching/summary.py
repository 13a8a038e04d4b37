"""What a teacher acts on: how points are spread, which mistakes were made by whom, what several share unexplained.

It is made of rows as JSON has them, so that rows which were graded apart add up to the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

Entries = dict[str, Any]

FEW_POINTS = 12
"""Points up to which each has a bar of its own."""

BARS = 10
"""Bars that more points have, besides that of full marks."""


class Summary:
    """Rows added up, one after the other."""

    def __init__(self) -> None:
        self.graded = self.unreadable = 0
        self.most = Fraction(0)
        self._points: Counter[Fraction] = Counter()
        self._mistakes: dict[str, list[str]] = {}
        self._unnamed: dict[str, list[str]] = {}
        self.right = True

    def add(self, row: Mapping[str, Any]) -> None:
        """One more row."""
        self.most = max(self.most, _exact(row["max_points"]))
        if row["status"] != "graded":
            self.unreadable += 1
            self.right = False
            return
        self.graded += 1
        self._points[_exact(row["points"])] += 1
        named = set[str]()
        for name, answer in row["answers"].items():
            self.right &= answer["verdict"] == "right" or "max_points" not in answer
            named |= {mistake["name"] for mistake in answer.get("mistakes", ())}
            if "given" in answer:
                self._unnamed.setdefault(json.dumps({name: answer["given"]}), []).append(row["id"])
        for each in sorted(named):
            self._mistakes.setdefault(each, []).append(row["id"])

    @property
    def entries(self) -> Entries:
        """The summary, as JSON has it."""
        return {
            "graded": self.graded,
            "unreadable": self.unreadable,
            "points": {"mean": self._mean, "median": self._median, "histogram": self.histogram},
            "mistakes": self.mistakes,
            "unnamed": self.unnamed,
        }

    @property
    def mistakes(self) -> list[Entries]:
        """The mistakes, those that most made first, each counted once a submission."""
        made = sorted(self._mistakes.items(), key=lambda each: (-len(each[1]), each[0]))
        return [{"name": name, "count": len(ids), "ids": ids} for name, ids in made]

    @property
    def unnamed(self) -> list[Entries]:
        """Equal wrong answers of several that no mistake explains, each as a document of answers."""
        shared = [each for each in self._unnamed.items() if len(each[1]) > 1]
        shared.sort(key=lambda each: (-len(each[1]), each[0]))
        return [{"answer": json.loads(text), "count": len(ids), "ids": ids} for text, ids in shared]

    @property
    def histogram(self) -> list[Entries]:
        """How many have points ``from`` (included) ``to`` (not included); the last bar is full marks alone."""
        if not self.most:
            return []
        width = Fraction(1) if self.most <= FEW_POINTS else self.most / BARS
        edges = [Fraction(0)]
        while edges[-1] + width < self.most:
            edges.append(edges[-1] + width)
        edges.append(self.most)
        bars = [sum(n for points, n in self._points.items() if low <= points < high) for low, high in pairwise(edges)]
        found = [
            {"from": _plain(low), "to": _plain(high), "count": count}
            for (low, high), count in zip(pairwise(edges), bars, strict=True)
        ]
        return [*found, {"from": _plain(self.most), "to": _plain(self.most), "count": self.graded - sum(bars)}]

    @property
    def _mean(self) -> int | float | None:
        total = sum((points * n for points, n in self._points.items()), Fraction(0))
        return _plain(total / self.graded) if self.graded else None

    @property
    def _median(self) -> int | float | None:
        if not self.graded:
            return None
        middle, seen, found = ((self.graded - 1) // 2, self.graded // 2), 0, list[Fraction]()
        for points in sorted(self._points):
            seen += self._points[points]
            found += [points for place in middle[len(found) :] if place < seen]
        return _plain((found[0] + found[1]) / 2)


def _exact(number: float) -> Fraction:
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def _plain(number: Fraction) -> int | float:
    return number.numerator if number.denominator == 1 else float(number)
