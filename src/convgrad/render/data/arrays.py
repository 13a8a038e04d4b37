"""CSV, npy and npz: results as arrays, without the working."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import rational
from convgrad.errors import OptionError
from convgrad.files.table_text import format_table
from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import exact
from convgrad.render.writer import Writer

if TYPE_CHECKING:
    from convgrad.checking.verdict import Checked
    from convgrad.render.catalogue import Listing
    from convgrad.render.grades import Grades


class OneArray(Writer):
    """One result as an array; convgrad reads it back as the same shape."""

    def report(self, report: Report) -> str | bytes:
        """The result of a report."""
        return self.array(report.results[self._one(report.results)].value)

    def facts(self, facts: Facts) -> str | bytes:
        """One entry that is an array, or a list or object of numbers; else OptionError."""
        name = self._one(facts.entries)
        entry = facts.entries[name]
        parts = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else []
        if any(isinstance(each, dict | np.ndarray | str) for each in parts):
            hint = f"use json, or pick one: --only {name}{'.dW' if isinstance(entry, dict) else '[0].dW'}"
            raise OptionError(f"{name} is no array, which is all that {self.form} holds", hint=hint)
        return self.array(np.asarray(list(entry.values()) if isinstance(entry, dict) else entry))

    @abstractmethod
    def array(self, array: Array) -> str | bytes:
        """An array in this format."""

    def _one(self, results: Mapping[str, Any]) -> str:
        """The name of the only result."""
        if len(results) == 1:
            return next(iter(results))
        raise OptionError(
            f"{self.form} holds one result, and there are {len(results)}",
            hint=f"pick one: --only {next(iter(results))} (of {', '.join(results)})",
        )


class Csv(OneArray):
    """Rows of numbers; of verdicts and mistakes rows of text, with a heading."""

    separator = ","

    def array(self, array: Array) -> str:
        """Rows of numbers."""
        return format_table(array, self.separator, lambda number: exact(number, self.style.precision))

    def verdicts(self, checked: Checked) -> str:
        """A row an answer."""
        from convgrad.render.data.rows import of_verdicts

        return of_verdicts(checked, self.separator)

    def catalogue(self, listing: Listing) -> str:
        """A row a mistake."""
        from convgrad.render.data.rows import of_catalogue

        return of_catalogue(listing.rows, self.separator)

    def grades(self, grades: Grades) -> Iterator[str]:
        """A row a submission, with a heading."""
        from convgrad.render.data.grades import as_csv

        return as_csv(grades, self.separator)


class Tsv(Csv):
    """The same with tabs."""

    separator = "\t"


class Npy(OneArray):
    """One result as an npy file."""

    def array(self, array: Array) -> bytes:
        """An array in this format."""
        stream = io.BytesIO()
        np.save(stream, _saved(array), allow_pickle=False)
        return stream.getvalue()


class Npz(Writer):
    """All results by name, those of layers by path, as an npz file."""

    def report(self, report: Report) -> bytes:
        """The results of a report."""
        return self._arrays({name: quantity.value for name, quantity in report.results.items()})

    def facts(self, facts: Facts) -> bytes:
        """All arrays among the entries."""
        return self._arrays(facts.arrays())

    @staticmethod
    def _arrays(arrays: Mapping[str, Array]) -> bytes:
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **{name: _saved(array) for name, array in arrays.items()})
        return stream.getvalue()


def _saved(array: Array) -> Array:
    """An array that numpy's files can hold; OptionError for another."""
    if rational(array):
        raise OptionError("npy and npz files hold no fractions", hint="write exact results as json or csv")
    return array
