"""A bias as courses, frameworks and columns of a CSV hold it is read as one number a filter; and what a course prints."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad

CONV = {
    "input": [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [1, 2, 3]]],
    "kernel": [[[[1, 0]], [[0, 1]]], [[[2, 1]], [[1, 2]]], [[[0, 0]], [[1, 1]]]],
    "delta": 1,
    "lr": 0.5,
    "momentum": 0.9,
}
BIAS = np.array([0.5, -1, 2])
SHAPES = [(1, 1, 1, 3), (1, 3), (3, 1), (3, 1, 1), (1, 3, 1, 1)]


def results(convgrad: Convgrad, line: str) -> Any:
    ran = convgrad(line)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bias_with_axes_of_length_1_is_read_as_one_number_a_filter(
    convgrad: Convgrad, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    def file(name: str, bias: Any) -> Path:
        path = tmp_path / name
        path.write_text(
            json.dumps(
                {**CONV, "delta": np.ones((3, 2, 2)).tolist(), "bias": bias.tolist(), "velocity_b": bias.tolist()}
            )
        )
        return path

    flat, wide = file("flat.json", BIAS), file("wide.json", BIAS.reshape(shape))
    for command in ("conv-forward", "conv-backward"):
        assert results(convgrad, f"convgrad {command} {wide}") == results(convgrad, f"convgrad {command} {flat}")
    line = "convgrad dense-backward '[1,2]' '[1,2,3]' -w '[[1,2],[3,4],[5,6]]' --lr 0.1 -b"
    held = json.dumps(BIAS.reshape(shape).tolist())
    assert results(convgrad, f"{line} '{held}'") == results(convgrad, f"{line} '{json.dumps(BIAS.tolist())}'")
    line = "convgrad norm-backward '[[1,2,3],[3,5,9]]' '[[1,2,3],[1,0,2]]'"
    assert results(convgrad, f"{line} -g '{held}' --beta '{held}'") == results(
        convgrad, f"{line} -g '{BIAS.tolist()}' --beta '{BIAS.tolist()}'"
    )


def test_a_column_of_a_csv_is_a_bias(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("0.5\n-1\n2\n")
    line = "convgrad dense-forward '[1,2]' -w '[[1,2],[3,4],[5,6]]' -b"
    assert results(convgrad, f"{line} {tmp_path}/b.csv") == results(convgrad, f"{line} '[0.5,-1,2]'")


def test_a_program_for_pytorch_has_the_bias_as_it_is_meant(convgrad: Convgrad) -> None:
    held = '\'{"input": [[1,2]], "kernel": [[[1,2]],[[3,4]]], "bias": [[1,2]], "dims": 1}\''
    assert "torch.tensor([1.0, 2.0]" in convgrad(f"convgrad conv-forward {held} --format torch").out


def test_a_bias_of_another_number_of_numbers_is_still_refused(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad dense-forward '[1,2]' -w '[[1,2],[3,4],[5,6]]' -b '[[1,2]]'")
    assert ran.code == 2 and "the bias is 1x2, but expected are 3 numbers" in ran.err


def course(a_prev: Any, w: Any, dz: Any, stride: int, pad: int) -> tuple[Any, Any, Any]:
    """conv_backward as the course of deeplearning.ai writes it, loop by loop: (m, n_H, n_W, n_C) arrays."""
    around = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    padded, f = np.pad(a_prev, around), w.shape[0]
    da, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros((1, 1, 1, w.shape[3]))
    for i, h, v, c in product(*map(range, dz.shape)):
        window = (i, slice(h * stride, h * stride + f), slice(v * stride, v * stride + f))
        da[window] += w[:, :, :, c] * dz[i, h, v, c]
        dw[:, :, :, c] += padded[window] * dz[i, h, v, c]
        db[:, :, :, c] += dz[i, h, v, c]
    inner = slice(pad, -pad or None)
    return da[:, inner, inner], dw, db


@pytest.mark.parametrize(
    ("a_prev", "f", "filters", "stride", "pad"), [((10, 4, 4, 3), 2, 8, 2, 2), ((2, 5, 7, 4), 3, 3, 2, 1)]
)
@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_the_course_of_deeplearning_ai_works_as_printed(
    convgrad: Convgrad,
    tmp_path: Path,
    suffix: str,
    a_prev: tuple[int, ...],
    f: int,
    filters: int,
    stride: int,
    pad: int,
) -> None:
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=a_prev), rng.normal(size=(f, f, a_prev[3], filters)), rng.normal(size=(1, 1, 1, filters))
    places = [(size - f + 2 * pad) // stride + 1 for size in a_prev[1:3]]
    dz = rng.normal(size=(a_prev[0], *places, filters))
    held: dict[str, Any] = {"A_prev": x, "W": w, "b": b, "dZ": dz, "hparameters": {"stride": stride, "pad": pad}}
    if suffix == "json":
        path = tmp_path / "course.json"
        path.write_text(json.dumps({name: getattr(each, "tolist", lambda e=each: e)() for name, each in held.items()}))
        line = f"convgrad conv-backward {path} --layout channels-last"
    else:
        del held["hparameters"]
        path = tmp_path / "course.npz"
        np.savez(path, **held)
        line = f"convgrad conv-backward {path} --layout channels-last --stride {stride} --pad {pad}"
    found = results(convgrad, line)
    da, dw, db = course(x, w, dz, stride, pad)
    np.testing.assert_allclose(found["dX"], da, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["dW"], dw, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["db"], db[0, 0, 0], rtol=1e-12, atol=1e-12)
    key = tmp_path / "answers.npz"
    np.savez(key, dX=da, dW=dw, db=db)
    ran = convgrad(f"{line} --check {key} --rtol 1e-9")
    assert ran.code == 0, ran.out + ran.err
