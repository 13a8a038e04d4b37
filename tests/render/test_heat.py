"""A checked answer as a page: what is said of it, and maps of where it is off."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad.checking.verdict import WRONG, Verdict
from convgrad.checking.written import Answer
from convgrad.render.page.heat import LEVELS, MOST_SIDE, heat_maps

X, D, K = "'[[1,2,3],[4,5,6],[7,8,9]]'", "'[[1,2],[3,4]]'", "'[[1,2],[3,4]]'"


class Reader(HTMLParser):
    """Reads a page: its tags are closed, and nothing in it is loaded from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words += data


def verdict_of(value: Any, given: Any, spatial: tuple[int, ...] = ()) -> Verdict:
    answer = Answer.of(np.asarray(given, float))
    return Verdict("dX", WRONG, answer, np.asarray(value, float), answer.matches(np.asarray(value)), spatial=spatial)


def read(text: str) -> Reader:
    found = Reader(text)
    assert not found.open
    for tag, attributes in found.tags:
        assert tag not in ("script", "img", "iframe", "object")
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in text and "@import" not in text
    return found


def test_a_checked_answer_is_written_as_a_page(convgrad: Convgrad, tmp_path: Path) -> None:
    mine = {"dW": [[37, 47], [67, 78]], "db": 10, "dX": [[1, 4, 4], [6, 20, 16], [9, 24, 17]]}
    line = f"convgrad conv-backward {X} {D} -k {K} --check {quoted(mine)} -o {quoted(tmp_path)}/page.html"
    ran = convgrad(line)
    assert (ran.code, ran.out) == (1, "")
    page = read((tmp_path / "page.html").read_text("utf-8"))
    assert "1 of 3 answers is right." in page.words
    assert "dW: wrong" in page.words and "One cell is off, dW[1,1]." in page.words and "db: right" in page.words
    assert "[78]" in page.words and "77" in page.words  # as given, marked, beside the right one
    hints = convgrad(f"{line} --no-reveal")
    assert hints.code == 1
    page = read((tmp_path / "page.html").read_text("utf-8"))
    assert "[78]" in page.words and not re.search(r"\b77\b", page.words)


def test_the_page_of_a_large_answer_has_maps_and_stays_small(convgrad: Convgrad, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x, d, k = (random.standard_normal(shape) for shape in ((4, 16, 40, 40), (4, 8, 38, 38), (8, 16, 3, 3)))
    for name, array in (("x", x), ("d", d), ("k", k)):
        np.save(tmp_path / f"{name}.npy", array)
    at = quoted(tmp_path)
    command = f"convgrad conv-backward {at}/x.npy {at}/d.npy -k {at}/k.npy"
    assert convgrad(f"{command} --only dX -o {at}/dX.npy").code == 0
    dX = np.load(tmp_path / "dX.npy")
    dX[3, 7, 20:] = 0
    np.savez(tmp_path / "mine.npz", dX=dX)
    assert convgrad(f"{command} --check {at}/mine.npz --no-diagnosis -o {at}/page.html").code == 1
    text = (tmp_path / "page.html").read_text("utf-8")
    page = read(text)
    assert "dX[3,7,20:,:]: rows 20 to 39 of channel 7 of example 3" in page.words
    labels = [attributes["aria-label"] or "" for tag, attributes in page.tags if tag == "svg"]
    assert [label.partition(".")[0] for label in labels] == [
        "dX: the largest error over all examples and channels",
        "dX: the largest error of each channel of each example",
        "dX[3,7], the worst of them",
    ]
    assert "1 of 64 is off" in labels[1] and "800 of 1600 are off" in labels[2]
    assert len(text) < 60_000


def test_a_map_pools_a_large_plane_and_keeps_its_worst_cell() -> None:
    value = np.zeros((1000, 3000))
    given = value.copy()
    given[999, 2999] = 5
    text = heat_maps(verdict_of(value, given), True)
    height = -(-1000 // -(-1000 // MOST_SIDE))
    width = -(-3000 // -(-3000 // MOST_SIDE))
    assert f'viewBox="0 0 {width} {height}"' in text and "each cell is the largest error of 21 by 63" in text
    assert f'<path class="e{LEVELS}" d="M{width - 1} {height - 1}h1v1h-1z"/>' in text
    assert len(text) < 2000


def test_levels_are_two_a_power_of_ten_and_no_number_has_its_own() -> None:
    value = np.zeros((1, 8))
    given = [[0, 1, 0.5, 0.1, 0.01, 1e-9, np.nan, np.inf]]
    text = heat_maps(verdict_of(value, given), True)
    assert re.findall(r'class="e(\d)">([^<]*)<', text) == [
        ("0", "\u00b7"),
        ("8", "1"),
        ("7", "0.5"),
        ("6", "0.1"),
        ("4", "0.01"),
        ("1", "1e-09"),
        ("9", "NaN"),
        ("9", "NaN"),
    ]


def test_without_revealing_a_map_shows_where_and_not_how_much() -> None:
    random = np.random.default_rng(0)
    for shape in ((3, 3), (30, 30)):
        value = random.standard_normal(shape)
        text = heat_maps(verdict_of(value, value + random.standard_normal(shape)), False)
        classes = set(re.findall(r'class="(e\d)"', text))
        assert classes <= {"e0", f"e{LEVELS}"}
        assert "off" in text and not re.search(r"\d\.\d", text)


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (2, 3, 4), (9, 3, 4), (2, 9, 3, 4), (2, 3, 4, 5, 6)])
def test_arrays_of_any_rank_have_maps(shape: tuple[int, ...]) -> None:
    for spatial in {(), tuple(range(len(shape)))[-2:], tuple(range(len(shape)))[1:3]}:
        value = np.zeros(shape)
        text = heat_maps(verdict_of(value, value + 1, spatial), True)
        assert bool(text) == (value.size > 1)
        read(text)


def test_names_are_data_on_the_page(convgrad: Convgrad, tmp_path: Path) -> None:
    value = np.zeros((2, 2))
    answer = Answer.of(value + 1)
    text = heat_maps(Verdict("<b>&", WRONG, answer, value, answer.matches(value)), True)
    assert "<b>" not in text and "&lt;b&gt;&amp;" in text


def test_without_a_search_nothing_is_said_of_mistakes(convgrad: Convgrad) -> None:
    line = f"convgrad conv-backward {X} {D} -k {K} --only dW --check '[[9,8],[1,2]]' --format table"
    assert "No known mistake gives these numbers." in convgrad(line).out
    assert "mistake" not in convgrad(f"{line} --no-diagnosis").out
