"""The pattern of the wrong cells of a large array: each that is planted is found and said by name, none at random."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convgrad.checking.errors import axis_words, errors_of
from convgrad.checking.patterns import pattern_of
from convgrad.checking.patterns.cells import Cells, Pattern

SHAPE = (4, 16, 28, 28)
WORDS = ["example", "channel", "row", "column"]
Plant = Callable[[Any], None]


def found(mask: Any, telling: Any = None) -> Pattern | None:
    return pattern_of(Cells.of(mask, telling), WORDS[-mask.ndim :], tuple(range(mask.ndim))[-2:])


def planted(plant: Plant) -> Any:
    mask = np.zeros(SHAPE, bool)
    plant(mask)
    return mask


def cells(*parts: Any) -> Plant:
    def plant(mask: Any) -> None:
        for part in parts:
            mask[part] = True

    return plant


def in_memory(part: slice) -> Plant:
    def plant(mask: Any) -> None:
        mask.reshape(-1)[part] = True

    return plant


def in_planes(part: slice) -> Plant:
    def plant(mask: Any) -> None:
        mask.reshape(4, 16, 784)[..., part] = True

    return plant


s = np.s_
PLANTED = [
    ("block", "[3,7,20:,:]", "rows 20 to 27 of channel 7 of example 3", cells(s[3, 7, 20:])),
    ("one-channel", "[:,5,:,:]", "channel 5", cells(s[:, 5])),
    ("one-example", "[2,:,:,:]", "example 2", cells(s[2])),
    ("one-row", "[:,:,9,:]", "row 9", cells(s[:, :, 9])),
    ("one-column", "[:,:,:,27]", "column 27", cells(s[..., 27])),
    ("tail", "[:,:,20:,:]", "rows 20 to 27", cells(s[:, :, 20:])),
    ("tail", "[:,12:,:,:]", "channels 12 to 15", cells(s[:, 12:])),
    ("block", "[:,4:8,:,:]", "channels 4 to 7", cells(s[:, 4:8])),
    ("block", "[:,:,:,:3]", "columns 0 to 2", cells(s[..., :3])),
    ("several", "[:,[1,4,6],:,:]", "channels 1, 4 and 6", cells(s[:, [1, 4, 6]])),
    ("every-nth", "[:,:,::3,:]", "every 3rd row from 0 on", cells(s[:, :, ::3])),
    ("every-nth", "[:,:,:,1::2]", "every 2nd column from 1 on", cells(s[..., 1::2])),
    ("every-nth", "[1,::4,:,:]", "every 4th channel from 0 on of example 1", cells(s[1, ::4])),
    ("every-nth", "[:,:,2:15:4,:]", "every 4th row from 2 to 14", cells(s[:, :, 2:15:4])),
    ("every-nth", "[:,:,[0::4,1::4],:]", "rows 0 and 1 of every 4", cells(s[:, :, ::4], s[:, :, 1::4])),
    ("border", "[:,:,[:1,-1:],:]", "the first row and the last", cells(s[:, :, [0, -1]])),
    (
        "border",
        "[:,:,[:1,-1:],:] and [:,:,:,[:1,-1:]]",
        "the border, one cell wide",
        cells(s[:, :, [0, -1]], s[..., [0, -1]]),
    ),
    (
        "border",
        "[:,3,[:2,-2:],:] and [:,3,:,[:2,-2:]]",
        "the border, 2 cells wide, of channel 3",
        cells(s[:, 3, [0, 1, -2, -1]], s[:, 3, :, [0, 1, -2, -1]]),
    ),
    (
        "border",
        "[:,:,24:,:] and [:,:,:,24:]",
        "rows 24 to 27 and columns 24 to 27",
        cells(s[:, :, 24:], s[..., 24:]),
    ),
    (
        "lines",
        "[:,:,[7,8,15,16],:] and [:,:,:,[7,8,15,16]]",
        "rows 7, 8, 15 and 16 and columns 7, 8, 15 and 16",
        cells(s[:, :, [7, 8, 15, 16]], s[..., [7, 8, 15, 16]]),
    ),
    (
        "tile",
        "[0,2,8:16,16:24]",
        "columns 16 to 23 of rows 8 to 15 of channel 2 of example 0",
        cells(s[0, 2, 8:16, 16:24]),
    ),
    (
        "tiles",
        "[0,0,8:16,16:24] and [0,3,:8,8:16] and [3,3,16:24,8:16]",
        "3 of the 1024 tiles of 8 rows by 8 columns",
        cells(s[0, 0, 8:16, 16:24], s[0, 3, :8, 8:16], s[3, 3, 16:24, 8:16]),
    ),
    (
        "tiles",
        "[:,:,:8,:8] and [:,:,8:16,16:24]",
        "2 of the 16 tiles of 8 rows by 8 columns",
        cells(s[:, :, 8:16, 16:24], s[:, :, :8, :8]),
    ),
    ("memory-order", ".ravel()[32768:]", "cells 32768 to 50175 in memory order", in_memory(s[32768:])),
    ("memory-order", ".ravel()[1000:2000]", "cells 1000 to 1999 in memory order", in_memory(s[1000:2000])),
    ("memory-order", ".ravel()[3::5]", "every 5th cell from 3 on in memory order", in_memory(s[3::5])),
    ("plane-order", "", "cells 512 to 783 in reading order", in_planes(s[512:])),
]


@pytest.mark.parametrize(("kind", "index", "words", "plant"), PLANTED)
def test_a_planted_pattern_is_said_by_name(kind: str, index: str, words: str, plant: Plant) -> None:
    mask = planted(plant)
    pattern = found(mask)
    assert pattern is not None
    assert (pattern.kind, pattern.index, pattern.words) == (kind, index, words)
    assert (pattern.inside, pattern.outside, pattern.exact) == (mask.sum(), 0, True)


@pytest.mark.parametrize(("kind", "index", "words", "plant"), PLANTED)
def test_what_is_right_because_it_is_0_hides_no_pattern(kind: str, index: str, words: str, plant: Plant) -> None:
    mask, telling = planted(plant), np.random.default_rng(1).random(SHAPE) < 0.5  # a relu is off in half the cells
    pattern = found(mask & telling, telling)
    assert pattern is not None
    if kind != "memory-order":  # whose ends may be right by themselves
        assert pattern.index == index
    assert pattern.exact


def test_a_slice_is_where_numpy_finds_the_cells() -> None:
    for _, index, _, plant in PLANTED:
        if index and "[:1" not in index and "[:2" not in index and "::4," not in index:
            mask, again = planted(plant), np.zeros(SHAPE, bool)
            for part in index.split(" and "):
                view = again.ravel() if part.startswith(".ravel()") else again
                view[eval(f"np.s_{part.removeprefix('.ravel()')}")] = True
            assert (again == mask).all(), index


def test_a_few_cells_elsewhere_and_a_few_right_ones_hide_no_pattern() -> None:
    mask = planted(cells(s[:, 5]))
    mask[2, 9, 3, 3] = True
    pattern = found(mask)
    assert pattern is not None and (pattern.index, pattern.outside) == ("[:,5,:,:]", 1)
    some = planted(cells(s[:, 5])) & (np.random.default_rng(0).random(SHAPE) < 0.9)
    pattern = found(some)
    assert pattern is not None and pattern.index == "[:,5,:,:]" and not pattern.exact
    assert (pattern.inside, pattern.covered) == (some.sum(), 4 * 784)


def test_random_masks_have_no_pattern() -> None:
    random, named = np.random.default_rng(2), 0
    for k in range(1500):
        shape = tuple(random.integers(1, 9, random.integers(1, 5))) if k % 3 else tuple(random.integers(4, 30, 2))
        mask = random.random(shape) < random.choice([0.5, 0.2, 0.05, 0.8])
        pattern = found(mask)
        named += pattern is not None and pattern.kind != "all-cells"
    assert named == 0
    for share in (0.5, 0.1, 0.01, 1e-3):
        assert found(random.random(SHAPE) < share) is None


def test_one_cell_and_none_have_no_pattern() -> None:
    assert found(np.zeros(SHAPE, bool)) is None
    assert found(planted(cells(s[1, 2, 3, 4]))) is None


def test_the_errors_of_an_answer_are_summed_up() -> None:
    value = np.arange(1.0, 1 + 4 * 6 * 6).reshape(4, 6, 6)
    given = value.copy()
    given[2, 3:, 1:] = 0
    given[2, 5, 5] = 500
    errors = errors_of(given, value, given != value, axis_words("dX", 3, (1, 2)), (1, 2))
    assert errors is not None
    assert (errors.count, errors.total, errors.first) == (15, 144, (2, 3, 1))
    assert (errors.box, errors.box_index) == (((2, 3), (3, 6), (1, 6)), "[2,3:,1:]")
    assert errors.largest_absolute is not None and errors.largest_relative is not None
    assert (errors.largest_absolute.at, errors.largest_absolute.off) == ((2, 5, 5), 500 - 108)
    assert errors.largest_relative.off == 392 / 108 and errors.said == ""
    given[2, 5, 5] = 0
    errors = errors_of(given, value, given != value, axis_words("dX", 3, (1, 2)), (1, 2))
    assert errors is not None
    assert errors.sentence("dX") == (
        "what is off is dX[2,3:,1:]: columns 1 to 5 of rows 3 to 5 of channel 2; the answer is 0 in all of them"
    )
    assert errors_of(value, value, given > 1e9, ["channel", "row", "column"], (1, 2)) is None


def test_errors_are_of_finite_cells_only() -> None:
    value = np.arange(12.0).reshape(3, 4)
    given = value.copy()
    given[1] = np.nan
    given[2, 2] = np.inf
    given[0, 0] = 3
    errors = errors_of(given, value, ~(given == value), ["row", "column"], ())
    assert errors is not None and errors.count == 6
    assert errors.largest_absolute is not None and errors.largest_absolute.at == (0, 0)
    assert errors.largest_relative is None  # its value is 0
    given[0, 0], given[2, 2] = 0, 10
    errors = errors_of(given, value, ~(given == value), ["row", "column"], ())
    assert errors is not None and errors.largest_absolute is None and errors.said == "NaN"


def test_the_axes_of_a_kernel_are_named() -> None:
    assert axis_words("dW", 4, (2, 3)) == ["filter", "channel", "row", "column"]
    assert axis_words("layers[0].W_new", 4, (0, 1)) == ["row", "column", "channel", "filter"]
    assert axis_words("dX", 4, (1, 2)) == ["example", "row", "column", "channel"]
    assert axis_words("dW", 2, ()) == ["row", "column"]
    assert axis_words("db", 1, ()) == ["channel"] or axis_words("db", 1, ()) == ["index"]
