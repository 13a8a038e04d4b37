"""Reading and writing: what is written reads back the same, what is wrong is named by its place."""

import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray

from convgrad.core.operand import Operand
from convgrad.errors import FileError
from convgrad.files import Document, Reader
from convgrad.files.json_text import parse_json
from convgrad.files.numbers import to_array
from convgrad.files.pasted import parse_pasted
from convgrad.files.table_text import format_table, parse_table
from convgrad.files.writing import write_files
from convgrad.render.data.json import dump
from convgrad.render.number_text import exact

Array = NDArray[Any]

ARRAYS = nps.arrays(
    np.float64,
    nps.array_shapes(min_dims=0, max_dims=5, max_side=4),
    elements=st.floats(allow_nan=False, allow_infinity=False),
)


def same(one: Any, other: Array) -> None:
    assert np.shape(one) == other.shape
    np.testing.assert_array_equal(one, other)


@given(ARRAYS)
def test_json_reads_back_the_same(array: Array) -> None:
    same(to_array(parse_json(dump(array))), array)
    assert json.loads(dump(array)) == array.tolist()


@given(ARRAYS)
def test_float32_reads_back_the_same_in_its_shortest_form(array: Array) -> None:
    with np.errstate(over="ignore"):
        narrow = np.asarray(np.clip(array, -3e38, 3e38), np.float32)
    same(to_array(parse_json(dump(narrow))).astype(np.float32), narrow)


@given(ARRAYS, st.sampled_from([",", "\t"]))
def test_csv_reads_back_the_same(array: Array, separator: str) -> None:
    same(parse_table(format_table(array, separator, exact)), array)


@given(ARRAYS.filter(lambda array: array.ndim > 0), st.integers(40, 200))
def test_what_numpy_prints_reads_back_the_same(array: Array, width: int) -> None:
    with np.printoptions(floatmode="unique", threshold=10**9, linewidth=width):
        same(to_array(parse_pasted(repr(array))), array)
        if array.ndim > 1 or "\n" not in str(array):
            same(to_array(parse_pasted(str(array))), array)


ROWS = nps.arrays(
    st.sampled_from([np.int64, np.float64, np.float32]), st.integers(1, 90), elements=st.integers(-999, 999)
)


@given(ROWS, st.integers(40, 200), st.sampled_from([1, 0.5, 1e-3, 1e9]))
def test_a_row_that_numpy_wraps_is_read_as_one_or_refused(array: Array, width: int, scale: float) -> None:
    array = array * scale
    with np.printoptions(floatmode="unique", threshold=10**9, linewidth=width):
        lines = str(array).splitlines()
        try:
            same(to_array(parse_pasted(str(array))).astype(array.dtype), array)
        except FileError as error:
            assert "its lines are rows, or one row that was wrapped" in error.message
            assert len(lines) > 1 and len({len(line.strip("[]").split()) for line in lines}) == 1


@given(ARRAYS)
def test_npy_and_npz_read_back_the_same(array: Array) -> None:
    for order in ("C", "F"):
        stream = io.BytesIO()
        np.save(stream, np.asarray(array, order=order))
        same(_read(stream.getvalue(), ".npy"), array)
    stream = io.BytesIO()
    np.savez_compressed(stream, input=array, padding="same", flip=True)
    document = _read(stream.getvalue(), ".npz", None)
    assert isinstance(document, Document)
    same(document.take("input").array, array)
    assert document.entries["padding"] == "same"
    assert document.entries["flip"] is True


def array_in(source: Any, reader: Reader | None = None) -> Array:
    found = (reader or Reader()).read(str(source))
    assert isinstance(found, Operand)
    return found.array


def _read(data: bytes, suffix: str, role: str | None = "input") -> Any:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        path.write_bytes(data)
        found = Reader().read(str(path))
        if role is None:
            return found
        return found.take(role).array


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("1;2,5\n3;4\n", [[1, 2.5], [3, 4]]),
        ("1\t2,5\n", [1, 2.5]),
        ("1 2   3\n", [1, 2, 3]),
        ('1,"2.5"\n', [1, 2.5]),
        ("1,2 # the first row\n# a comment\n3,4", [[1, 2], [3, 4]]),
        ("1,2\n3,4\n\n5,6\n7,8\n", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
        ("1,2\n\n\n\n5,6\n", [[[1, 2]], [[5, 6]]]),
        ("# shape: 2,1,2\n1,2,3,4\n", [[[1, 2]], [[3, 4]]]),
        ("# shape: 1x2\r\n1,2\r\n", [[1, 2]]),
        ("1\n2\n", [[1], [2]]),
        ("0.5\n", 0.5),
        ("1/3,2\n", [1 / 3, 2]),
        ("-.5,+1.,1e-3,1E5", [-0.5, 1, 0.001, 1e5]),
    ],
)
def test_csv_as_people_write_it(text: str, expected: Any) -> None:
    same(parse_table(text), np.array(expected, float))
    same(_read(b"\xef\xbb\xbf" + text.encode(), ".csv"), np.array(expected, float))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("array([[1., 2.]])", [[1, 2]]),
        ("tensor([[1., 2.],\n        [3., 4.]], grad_fn=<AddBackward0>)", [[1, 2], [3, 4]]),
        ("tensor([1.0000e+00, -2.5000e-01], device='cuda:0', dtype=torch.float64)", [1, -0.25]),
        ("W = np.array([[1, 2], [3, 4]], dtype=float32)", [[1, 2], [3, 4]]),
        ("[[1. 2.]\n [3. 4.]]", [[1, 2], [3, 4]]),
        ("[1 2; 3 4]", [[1, 2], [3, 4]]),
        ("[1, 2; 3, 4;]", [[1, 2], [3, 4]]),
        ("((1, 2), (3, 4))", [[1, 2], [3, 4]]),
        ("[1.\n 2.]", [[1], [2]]),
        ("[[1,2,],[3,4,],]", [[1, 2], [3, 4]]),
        ("[-.5 +1.5]", [-0.5, 1.5]),
        ("A = [1 2; 3 4];", [[1, 2], [3, 4]]),
    ],
)
def test_pasted_text(text: str, expected: Any) -> None:
    for suffix in (".txt", ""):
        same(_read(text.encode(), suffix), np.array(expected, float))


BAD = [
    (".json", "[[1, 2], [3]]", r"\[1\] has 1 number, but the rows before it have 2"),
    (".json", "[[1, 2], 3]", r"\[1\] is 3, but beside it stand rows"),
    (".json", '[[1, 2], [3, "x"]]', r"\[1\]\[1\] is 'x', not a number"),
    (".json", "[[1, null]]", r"\[0\]\[1\] is null, not a number"),
    (".json", "[1, true]", r"\[1\] is true, not a number"),
    (".json", '[1, "1/0"]', r"\[1\] is '1/0', not a number"),
    (".json", '[1, "2"]', r"\[1\] is '2', not a number"),
    (".json", "[[1, {}]]", r"\[0\]\[1\] is an object, not a number"),
    (".json", "[[], []]", r"the array at \[0\] is empty"),
    (".json", "[]", "the array at the top is empty"),
    (".json", "[1, NaN]", "line 1, column 5: NaN is not a finite number"),
    (".json", "[1,\n -Infinity]", "line 2, column 2: -Infinity is not a finite number"),
    (".json", "[1, 1e400]", r"the number at \[1\] is not finite"),
    (".json", "[1, 1" + "0" * 400 + "]", r"the number at \[1\] is too large for a float"),
    (".json", "[1, 1" + "0" * 5000 + "]", "line 1, column 5: a number of 5001 digits is too large"),
    (".json", "[[1, 2]", "line 1, column 8: not valid JSON.*bracket may be missing"),
    (".json", "[1, 2,]", "line 1, column"),
    (".json", "[" * 100 + "]" * 100, "nested more than 64 levels deep"),
    (".json", '{"input": [1], "input": [2]}', "the name 'input' stands twice"),
    (".json", "1,2\n3,4\n", "named .json, but holds rows as in CSV"),
    (".json", "", "it is empty"),
    (".csv", "1,2\n3\n", "line 2 has 1 cell, but the lines before it have 2"),
    (".csv", "1,2\n3,x\n", "line 2, column 2: 'x' is not a number"),
    (".csv", "a,b\n1,2\n", r"line 1 is a heading \('a,b'\); add --skip-rows 1, or put # before the heading"),
    (".csv", "1,\n3,4\n", "line 1, column 2: the cell is empty"),
    (".csv", "1,nan\n", "'nan' is not a number"),
    (".csv", "1_000,2\n", "'1_000' is not a number"),
    (".csv", "１,2\n", "'１' is not a number"),
    (".csv", "1.234,5;2\n", "'1.234,5' is not a number"),
    (".csv", "1,1e999\n", "not finite"),
    (".csv", "1,2\n\n3,4\n5,6\n", "block 2 has 2 rows, but block 1 has 1"),
    (".csv", "# shape: 2,3\n1,2,3,4\n", "states the shape 2x3, 6 numbers, but holds 4"),
    (".csv", "[[1,2]]", "named .csv, but holds JSON"),
    (".csv", "# nothing\n", "there are no numbers in it"),
    (".txt", "array([[1., ..., 2.]])", r"printed abbreviated; print it whole"),
    (".txt", "array([nan, 1.])", "found 'nan'.*finite"),
    (".txt", "[1, 2", "ends too early"),
    (".txt", "[1 2]] 3", "behind the array"),
    (".txt", "[[1 2]\n [3]]", r"\[1\] has 1 number"),
    (".txt", "[1,,2]", "line 1, column 4: found ','"),
    (".txt", "__import__('os').system('true')", "not a number|found"),
    (".npy", "hello", "named .npy, but does not hold npy data"),
    (".npz", "hello", "named .npz, but does not hold npz data"),
]


@pytest.mark.parametrize(("suffix", "text", "message"), BAD)
def test_bad_text_is_named_by_its_place(tmp_path: Path, suffix: str, text: str, message: str) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=message) as caught:
        Reader().read(str(path)).take("input")
    assert str(caught.value).startswith(str(path))


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_npy(np.array([1, None], object)), "Python objects"),
        (_npy(np.array([1j])), "complex numbers"),
        (_npy(np.array([True])), "truth values"),
        (_npy(np.array(["a"])), "text"),
        (_npy(np.array([b"a"])), "bytes"),
        (_npy(np.array(["2020-01-01"], "datetime64[D]")), "not an npy array|dates"),
        (_npy(np.zeros((0, 3))), "empty axis"),
        (_npy(np.array([1.0, np.nan])), r"the number at \[1\] is not finite"),
        (_npy(np.ones(3))[:-1], "declares 24 bytes of numbers, but holds 23"),
        (_npy(np.ones(3)) + b"x", "declares 24 bytes of numbers, but holds 25"),
        (_npy(np.ones(3)).replace(b"(3,)", b"(9999999999,)"), "declares|not an npy"),
        (b"\x93NUMPY\x01\x00", "not an npy array"),
        (b"\x1f\x8bxxxx", "gunzip"),
        (b"PK\x03\x04damaged", "damaged"),
        (b"\x80\x04K\x01.", "pickle"),
        ("1,2".encode("utf-16"), "UTF-16"),
        (b"1,\xff\n", "byte 2 .* is not UTF-8"),
        (b"", "it is empty"),
        (b"  \n ", "it is empty"),
    ],
)
def test_bad_bytes_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "data"
    path.write_bytes(data)
    with pytest.raises(FileError, match=message):
        Reader().read(str(path)).take("input")


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"[", b"{", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'", b"PK\x03\x04", b"array(", b"1,2\n"]),
    st.sampled_from([".json", ".csv", ".npy", ".npz", ".txt", ""]),
)
def test_no_bytes_at_all_make_the_reader_fall_over(data: bytes, head: bytes, suffix: str) -> None:
    try:
        _read(head + data, suffix)
    except FileError as error:
        assert "\n" not in str(error)


@given(
    st.text(alphabet='[]{}(),;:. \n\t-+eE0123456789"/#xnulltruearray', max_size=60),
    st.sampled_from([".json", ".csv", ".txt"]),
)
def test_no_text_makes_the_reader_fall_over(text: str, suffix: str) -> None:
    try:
        _read(text.encode(), suffix)
    except FileError as error:
        assert "\n" not in str(error)


def test_integer_and_small_float_arrays_do_not_wrap(tmp_path: Path) -> None:
    for dtype in ("uint8", "int16", ">i4", "float16", ">f8"):
        np.save(tmp_path / "a.npy", np.array([[200 % 128, 100]], dtype))
        same(array_in(tmp_path / "a.npy"), np.array([[72.0, 100.0]]))


@pytest.mark.parametrize("suffix", [".xlsx", ".mat", ".pt", ".gz", ".png", ".pkl"])
def test_other_formats_are_refused_with_what_to_do(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"anything")
    with pytest.raises(FileError, match=r"save|unpack"):
        Reader().read(str(tmp_path / f"a{suffix}"))


def test_a_missing_file_suggests_the_near_one(tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text("[1]")
    with pytest.raises(FileError, match=r"no such file\. Did you mean 'input.json'\?"):
        Reader().read(str(tmp_path / "inptu.json"))
    with pytest.raises(FileError, match="it is a folder"):
        Reader().read(str(tmp_path))


def test_documents_take_entries_by_role() -> None:
    document = Document("doc", {"X": [1], "W": [2], "output": [3], "dX": [4]})
    assert document.take("input").source == "doc: X"
    assert document.take("kernel").source == "doc: W"
    assert document.take("delta").source == "doc: dX"
    assert Document("doc", {"output": [3]}).take("input").source == "doc: output"
    with pytest.raises(FileError, match="'kernel' and 'weight' are both the kernel"):
        Document("doc", {"kernel": [1], "weight": [1]}).take("kernel")
    with pytest.raises(FileError, match="'DELTA' and 'Delta' could both be 'delta'"):
        Document("doc", {"DELTA": [1], "Delta": [1]}).take("delta")
    with pytest.raises(FileError, match=r"there is no delta in it, only detla\. Did you mean 'delta'\?"):
        Document("doc", {"detla": [1]}).take("delta")


def test_keys_reach_into_documents(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text('{"layers": [{"dX": [1, 2]}, {"dX": [3, 4]}], "a": [5]}')
    reader = Reader()
    same(array_in(f"{path}#layers[1].dX", reader), np.array([3.0, 4.0]))
    same(array_in(f"{path}#A", reader), np.array([5.0]))
    with pytest.raises(FileError, match=r"there is no entry 'b', only layers, a"):
        reader.read(f"{path}#b")
    with pytest.raises(FileError, match=r"there is no \[7\]"):
        reader.read(f"{path}#layers[7]")
    strange = tmp_path / "a#b.json"
    strange.write_text("[7]")
    same(array_in(strange, reader), np.array([7.0]))


def test_writing_replaces_whole_files_and_keeps_their_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "a.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_files([(str(link), b"new")])
    assert target.read_bytes() == b"new"
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.json", "link.json"]
    umask = os.umask(0o027)
    os.umask(umask)
    write_files([(str(tmp_path / "b.json"), b"new")])
    assert stat.S_IMODE((tmp_path / "b.json").stat().st_mode) == 0o666 & ~umask


def test_a_failed_write_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"cannot be written \(No space left"):
        write_files([(str(target), b"new")])
    assert target.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_inputs_are_never_written_over(tmp_path: Path) -> None:
    source, link = tmp_path / "a.json", tmp_path / "link.json"
    source.write_text("[1]")
    link.symlink_to(source)
    with pytest.raises(FileError, match="own inputs"):
        write_files([(str(link), b"new")], [str(source)])
    assert source.read_text() == "[1]"


def test_files_over_the_cap_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convgrad.files.source.MOST_BYTES", 10)
    monkeypatch.setattr("convgrad.files.binary.MOST_BYTES", 10)
    (tmp_path / "a.json").write_text("[1, 2, 3, 4, 5]")
    with pytest.raises(FileError, match="larger than 1 GiB"):
        Reader().read(str(tmp_path / "a.json"))
    np.savez_compressed(tmp_path / "b.npz", a=np.zeros(1000))
    monkeypatch.setattr("convgrad.files.source.MOST_BYTES", 10**6)
    with pytest.raises(FileError, match="unpacks to more"):
        Reader().read(str(tmp_path / "b.npz"))
