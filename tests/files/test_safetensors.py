"""safetensors, by its own library; and what is said of the formats that are not read."""

import json
import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, Ran, quoted
from safetensors.numpy import save_file

from convgrad.files import Reader
from convgrad.files.formats import OTHERS


def written(path: Path, tensors: dict[str, tuple[str, list[int], bytes]]) -> Path:
    """A file put together by hand, so that it may hold what numpy does not know."""
    header, body = dict[str, Any](), b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (2, "") and ran.err.startswith("Error: ") and ran.err.count("\n") == 1
    return ran.err


def test_a_model_s_tensors_are_operands(convgrad: Convgrad, tmp_path: Path) -> None:
    kernel = np.array([[1, 2], [3, 4.5]], np.float32)
    save_file({"conv1.weight": kernel, "conv1.bias": np.array([0.5], np.float16)}, tmp_path / "m.safetensors")
    model = tmp_path / "m.safetensors"
    line = f"convgrad conv-forward '[[1,2,3],[4,5,6]]' -k {quoted(f'{model}#conv1.weight')}"
    ran = convgrad(f"{line} -b {quoted(f'{model}#conv1.bias')}")
    assert json.loads(ran.out)["output"] == [[1 + 4 + 12 + 22.5 + 0.5, 2 + 6 + 15 + 27 + 0.5]]
    assert "conv1.bias" in refused(convgrad(f"{line}x"))


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int8", "int16", "int32", "int64", "uint8", "uint64"]
)
def test_every_dtype_of_numpy_is_read(tmp_path: Path, dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    save_file({"input": array}, tmp_path / "x.safetensors")
    found = Reader().read(f"{tmp_path / 'x.safetensors'}#input")
    assert np.array_equal(found.take("input").array, array.astype(float))


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    """The bits of a bfloat16 are the upper half of a float32's: 0x3fc0 is 1.5, 0xbe80 -0.25, 0x0001 the least."""
    data = struct.pack("<4H", 0x3FC0, 0xBE80, 0x0001, 0x4049)
    path = written(tmp_path / "x.safetensors", {"input": ("BF16", [2, 2], data)})
    found = Reader().read(f"{path}#input").take("input").array
    assert found.dtype == np.float64
    assert found.tolist() == [[1.5, -0.25], [2.0**-133, 3.140625]]


def test_it_is_known_by_what_it_holds(convgrad: Convgrad, tmp_path: Path) -> None:
    path = written(tmp_path / "x.safetensors", {"input": ("F32", [2], struct.pack("<2f", 1, 2))})
    assert json.loads(convgrad("convgrad conv-forward - -k '[2]'", stdin=path.read_bytes()).out)["output"] == [2, 4]
    assert Reader().read(str(path)).take("input").array.tolist() == [1, 2]
    path.rename(tmp_path / "x.npy")
    assert "it is named .npy, but holds safetensors data; rename it to .safetensors" in refused(
        convgrad(f"convgrad conv-forward {quoted(tmp_path / 'x.npy')} -k '[2]'")
    )


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (("F8_E4M3", [2], b"\0\0"), "holds F8_E4M3 instead of real numbers; save it as F32"),
        (("BOOL", [2], b"\0\1"), "holds BOOL instead of real numbers"),
        (("F32", [2], struct.pack("<2f", 1, float("nan"))), "nan"),
        (("F32", [0, 2], b""), "empty axis"),
    ],
)
def test_tensors_that_are_no_numbers_are_refused_and_others_beside_them_read(
    convgrad: Convgrad, tmp_path: Path, tensor: tuple[str, list[int], bytes], said: str
) -> None:
    good = ("F32", [2], struct.pack("<2f", 1, 2))
    path = written(tmp_path / "x.safetensors", {"a": tensor, "input": good})
    assert said in refused(convgrad(f"convgrad conv-forward {quoted(f'{path}#a')} -k '[2]'")).replace("NaN", "nan")
    assert json.loads(convgrad(f"convgrad conv-forward {quoted(path)} -k '[2]'").out)["output"] == [2, 4]


def test_what_is_damaged_is_refused(convgrad: Convgrad, tmp_path: Path) -> None:
    whole = written(tmp_path / "x.safetensors", {"input": ("F32", [2], struct.pack("<2f", 1, 2))}).read_bytes()
    for data in (whole[:-1], whole[:20], b"", b"\xff" * 50, whole.replace(b"[2]", b"[3]"), whole + b"more"):
        (tmp_path / "bad.safetensors").write_bytes(data)
        said = refused(convgrad(f"convgrad conv-forward {quoted(tmp_path / 'bad.safetensors')} -k '[2]'"))
        assert "bad.safetensors: it is" in said


def test_without_the_extra_it_is_said_how_to_get_it(
    convgrad: Convgrad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "x.safetensors", {"input": ("F32", [2], struct.pack("<2f", 1, 2))})
    monkeypatch.setitem(sys.modules, "safetensors", None)
    said = refused(convgrad(f"convgrad conv-forward {quoted(path)} -k '[2]'"))
    assert "the extra is not installed; pip install 'convgrad[safetensors]'" in said


def test_what_is_not_read_is_told_by_name_what_turns_it_into_a_file_that_is(convgrad: Convgrad, tmp_path: Path) -> None:
    for other in OTHERS:
        for name, data in (
            *((f"a{suffix}", b"anything") for suffix in other.suffixes),
            *((f"b{k}.bin", begin + b"\0\1\2") for k, begin in enumerate(other.begins)),
        ):
            (tmp_path / name).write_bytes(data)
            said = refused(convgrad(f"convgrad conv-forward {quoted(tmp_path / name)} -k '[2]'"))
            assert f"{name}: it is {other.what}; {other.instead}" in said


def calls(text: str) -> list[str]:
    """The calls of np.save in a text, up to the bracket that closes each."""
    found = []
    for start in [match.start() for match in re.finditer(r"np\.save\(", text)]:
        end = next(
            k for k in range(start, len(text)) if text[start : k + 1].count("(") == text[start : k + 1].count(")") > 0
        )
        found.append(text[start : end + 1])
    return found


def test_the_lines_that_are_recommended_are_python() -> None:
    lines = [line for other in OTHERS for line in calls(other.instead)]
    assert len(lines) == 6
    for line in lines:
        compile(line, "hint", "eval")


@pytest.mark.parametrize(
    ("descr", "said"), [("<V2", "as bfloat16 has them"), ("|V1", "as float8 has them"), ("|V3", "records")]
)
def test_npy_of_narrow_floats_is_refused_by_name(convgrad: Convgrad, tmp_path: Path, descr: str, said: str) -> None:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}".ljust(117) + "\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"\0" * (2 * int(descr[-1]))
    (tmp_path / "x.npy").write_bytes(data)
    assert said in refused(convgrad(f"convgrad conv-forward {quoted(tmp_path / 'x.npy')} -k '[2]'"))
