"""Forms of arrays that people paste and convgrad does not read: what they are, and how to write them."""

from __future__ import annotations

import re

from convgrad.errors import FileError

_FORMS = (
    (r"\s*\|.*\|", "a Markdown table", "take the line of dashes and the bars out: rows of numbers, commas between"),
    (
        r"(?s).*\\begin\s*\{\w*(matrix|array)|\s*[0-9.+-]+\s*&\s*[0-9.+-]",
        "a matrix of LaTeX",
        r"write a comma for each & and a new line for each \\",
    ),
    (r"\s*\{\s*(\{|[0-9.+-]+\s*[,; }])", "an array in braces", "write [ ] in place of { }"),
    (
        r"\s*(<[\w.]+:|[A-Za-z_][\w ]*:)[^\[]*\[\s*[\[0-9.+-]",
        "an array with words before it",
        "begin with its first bracket, or with array(",
    ),
    (r"\s*[A-Za-z_][\w.]*\([^)\n]*\[", "a call of a function", "write the array that it gives"),
    (
        r"[^,;]*[0-9][^\S\n]+[0-9.+-][^,;]*;|[^\n;]*[0-9]\s*,\s+[0-9.+-][^\n;]*;|\s*[0-9]*\.[0-9]*,[0-9.,+-]*;",
        "rows of MATLAB without brackets",
        "put [ ] around them: [1 2; 3 4]",
    ),
)


def of_other_form(text: str) -> FileError | None:
    """What a text that could not be read is instead, where it has one of these forms."""
    for form, name, hint in _FORMS:
        if re.match(form, text):
            return FileError(f"it is {name}", hint=hint)
    return None
