"""Large answers: looked at in some cells first, summed up in place of listed, and told what to do about."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad.checking.written import MOST_AT_ONCE, Answer

FORMS: dict[str, Any] = {
    "floats": lambda value: value,
    "rounded": lambda value: value.round(3),
    "float32": lambda value: value.astype(np.float32),
    "texts": np.vectorize(lambda number: f"{number:.3f}", [object]),
    "figures": np.vectorize(lambda number: f"{number:.4g}", [object]),
}


@pytest.mark.parametrize("form", FORMS)
def test_looking_at_some_cells_first_changes_no_answer(form: str) -> None:
    random = np.random.default_rng(0)
    value = random.normal(0, 10, (3, MOST_AT_ONCE))
    answer = Answer.of(FORMS[form](value)).within(random.random(value.shape) * 1e-6 + 2e-6)
    one = value.copy()
    one[1, 7] += 1
    for other in (value, one, -value, value + 1e-6, value + 1e-2, np.where(value > 20, np.nan, value)):
        assert answer.says(other) == bool(answer.matches(other).right.all() and np.isfinite(other).all())
    assert answer.says(value) and not answer.says(one) and not answer.says(value[:2])


@pytest.fixture
def kernel(tmp_path: Path, convgrad: Convgrad) -> Path:
    """A layer whose dX has 6,272 numbers, and dX.npy."""
    random = np.random.default_rng(0)
    shapes = {"input": (2, 4, 28, 28), "kernel": (3, 4, 3, 3), "delta": (2, 3, 26, 26)}
    np.savez(tmp_path / "layer.npz", **{name: random.standard_normal(shape) for name, shape in shapes.items()})  # type: ignore[arg-type]
    assert (
        convgrad(f"convgrad conv-backward {quoted(tmp_path)}/layer.npz --only dX -o {quoted(tmp_path)}/dX.npy").code
        == 0
    )
    return tmp_path


def check(convgrad: Convgrad, folder: Path, dX: Any, more: str = "") -> Any:
    np.savez(folder / "mine.npz", dX=dX)
    at = quoted(folder)
    return convgrad(f"convgrad conv-backward {at}/layer.npz --only dX --check {at}/mine.npz {more}")


def test_the_errors_of_a_kernel_that_forgets_its_tail(convgrad: Convgrad, kernel: Path) -> None:
    right = np.load(kernel / "dX.npy")
    dX = right.copy()
    dX[1, 2, 20:, :] = 0
    ran = check(convgrad, kernel, dX)
    assert ran.code == 1
    (entry,) = json.loads(ran.out)["answers"].values()
    errors, off = entry["errors"], np.abs(right - dX)
    worst = [int(i) for i in np.unravel_index(off.argmax(), off.shape)]
    assert list(errors) == ["count", "of", "largest_absolute", "largest_relative", "first", "box", "pattern"]
    assert (errors["count"], errors["of"], errors["first"]) == (224, 6272, [1, 2, 20, 0])
    assert errors["box"] == errors["pattern"]["cells"] == "[1,2,20:,:]" and errors["pattern"]["kind"] == "block"
    largest = errors["largest_absolute"]
    assert (largest["at"], largest["answer"], largest["off"]) == (worst, 0, pytest.approx(off.max()))
    assert largest["value"] == pytest.approx(right[tuple(worst)]) and errors["largest_relative"]["off"] == 1
    table = check(convgrad, kernel, dX, "--format table").out
    assert "dX[1,2,20:,:]: rows 20 to 27 of channel 2 of" in table and "The largest absolute error, " in table
    hints = check(convgrad, kernel, dX, "--no-reveal")
    errors = json.loads(hints.out)["answers"]["dX"]["errors"]
    assert errors["largest_absolute"] == {"at": worst, "answer": 0} and '"value' not in hints.out


def test_cells_are_listed_up_to_a_thousand_with_a_count(convgrad: Convgrad, kernel: Path) -> None:
    right = np.load(kernel / "dX.npy")
    ran = check(convgrad, kernel, right + 1.5 * np.random.default_rng(1).standard_normal(right.shape), "--no-diagnosis")
    entry = json.loads(ran.out)["answers"]["dX"]
    assert len(entry["wrong_cells"]) == len(entry["values"]) == 1000
    assert entry["values"] == [right[tuple(cell)] for cell in entry["wrong_cells"]] and "value" not in entry
    assert entry["cut"] == {"wrong_cells": {"listed": 1000, "of": entry["errors"]["count"]}}
    assert len(ran.out) < 60_000
    ran = convgrad("convgrad pool-backward '[1,2]' '[3]' --size 2 --only dX --check '[1,1]'")
    small = json.loads(ran.out)["answers"]["dX"]
    assert "cut" not in small and small["value"] == [0, 3]


def test_without_diagnosis_no_mistake_is_looked_for(
    convgrad: Convgrad, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dX = -np.load(kernel / "dX.npy")
    assert json.loads(check(convgrad, kernel, dX).out)["answers"]["dX"]["mistakes"][0]["name"] == "sign-reversed"
    monkeypatch.setattr("convgrad.mistakes.recogniser.recognise", lambda *_: pytest.fail("it was looked for"))
    entry = json.loads(check(convgrad, kernel, dX, "--no-diagnosis").out)["answers"]["dX"]
    assert entry["mistakes"] == [] and entry["errors"]["count"] == 6272
