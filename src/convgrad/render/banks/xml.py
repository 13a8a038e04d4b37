"""Elements of XML, in which names and data are never markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring


def put(parent: Element, fields: Mapping[str, object]) -> None:
    """Elements with a text each, below a parent."""
    for name, text in fields.items():
        SubElement(parent, name).text = str(text)


def put_text(parent: Element, name: str, text: str, form: str = "") -> None:
    """An element whose text stands in one of its own, as Moodle has it; form: of the text, such as ``html``."""
    found = SubElement(parent, name, {"format": form} if form else {})
    SubElement(found, "text").text = text


def quiz(questions: Iterator[Element]) -> str:
    """Questions as a file."""
    root = Element("quiz")
    root.extend(questions)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'
