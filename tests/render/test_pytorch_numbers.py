"""PyTorch programs of large problems: their numbers are loaded from a file beside them, both or neither are written."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A layer of more than 2,000 numbers, as files."""
    random = np.random.default_rng(0)
    for name, shape in (("x", (2, 3, 20, 20)), ("d", (2, 4, 18, 18)), ("k", (4, 3, 3, 3))):
        np.save(tmp_path / f"{name}.npy", random.standard_normal(shape))
    return tmp_path


def layer(folder: Path, more: str = "") -> str:
    x, d, k = (quoted(folder / f"{name}.npy") for name in "xdk")
    return f"convgrad conv-backward {x} {d} -k {k} -b '[1,2,3,4]' --lr 0.1 {more}"


def run_program(path: Path) -> str:
    pytest.importorskip("torch")
    ran = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_large_program_loads_its_numbers_from_an_npz_beside_it(convgrad: Convgrad, large: Path) -> None:
    ran = convgrad(layer(large, f"-o {quoted(large)}/prog.py"))
    assert (ran.code, ran.out) == (0, ""), ran.err
    text, numbers = (large / "prog.py").read_text(), np.load(large / "prog.npz")
    ast.parse(text)
    assert 'np.load(Path(__file__).with_suffix(".npz"))' in text
    assert 'x = torch.tensor(numbers["x"], requires_grad=True)' in text
    assert 'compare("dW", kernel.grad, numbers["dW"], ' in text
    assert "bias = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)" in text  # small arrays are read in place
    assert len(text.splitlines()) < 60
    results = json.loads(convgrad(layer(large)).out)
    assert (numbers["x"] == np.load(large / "x.npy")).all()
    for name in ("output", "dW", "dX", "W_new"):
        assert (numbers[name] == np.array(results[name])).all(), name
    assert all(f'numbers["{name}"]' in text for name in numbers.files)


def test_the_program_runs_under_pytorch_and_agrees(convgrad: Convgrad, large: Path) -> None:
    assert convgrad(layer(large, f"-o {quoted(large)}/prog.py --activation relu")).code == 0
    assert "dX (largest difference" in run_program(large / "prog.py")


@pytest.mark.parametrize("dtype", ["float32", "exact"])
def test_in_other_dtypes(convgrad: Convgrad, large: Path, dtype: str) -> None:
    random = np.random.default_rng(1)
    x, d = (random.integers(-9, 9, shape).tolist() for shape in ((40, 40), (39, 39)))
    (large / "x.json").write_text(json.dumps(x))
    (large / "d.json").write_text(json.dumps(d))
    out = quoted(large / "p.py")
    ran = convgrad(
        f"convgrad conv-backward {quoted(large)}/x.json {quoted(large)}/d.json -k '[[0.1,0.2],[0.3,0.4]]' "
        f"--dtype {dtype} -o {out}"
    )
    assert ran.code == 0, ran.err
    assert np.load(large / "p.npz")["dX"].dtype == (np.float32 if dtype == "float32" else np.float64)
    run_program(large / "p.py")


def test_a_network_and_a_loss(convgrad: Convgrad, large: Path) -> None:
    random = np.random.default_rng(2)
    network: Any = {"loss": "mse", "layers": [{"type": "dense", "weight": random.standard_normal((50, 60)).tolist()}]}
    network["layers"].append({"type": "dense", "weight": random.standard_normal((2, 50)).tolist()})
    (large / "n.json").write_text(json.dumps(network))
    x, target = random.standard_normal(60).tolist(), [1, 2]
    run = f"convgrad backprop {quoted(large)}/n.json {quoted(x)} {quoted(target)} --lr 0.1 -o {quoted(large)}/n.py"
    assert convgrad(run).code == 0
    assert 'numbers["layers[0].dW"]' in (large / "n.py").read_text()
    run_program(large / "n.py")
    output, target = random.standard_normal((2, 40, 40)).tolist()
    assert convgrad(f"convgrad loss {quoted(output)} {quoted(target)} -o {quoted(large)}/l.py").code == 0
    assert {"output", "target", "delta"} <= set(np.load(large / "l.npz").files)
    run_program(large / "l.py")


def test_on_stdout_it_says_what_to_do(convgrad: Convgrad, large: Path) -> None:
    ran = convgrad(layer(large, "--format torch"))
    assert (ran.code, ran.out) == (2, "")
    assert "-o program.py" in ran.err and "program.npz beside it" in ran.err and "--only" in ran.err


def test_both_or_neither_is_written_and_never_over_an_input(convgrad: Convgrad, large: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(
        large / "prog.npz", input=random.standard_normal((1, 1, 40, 40)), kernel=[[1.0, 2.0]], delta=np.ones((40, 39))
    )
    before = (large / "prog.npz").read_bytes()
    ran = convgrad(f"convgrad conv-backward {quoted(large)}/prog.npz -o {quoted(large)}/prog.py --dims 2")
    assert ran.code == 2 and "prog.npz" in ran.err, ran.err
    (large / "full.npz").mkdir()
    ran = convgrad(layer(large, f"-o {quoted(large)}/full.py"))
    assert ran.code == 2 and "it is a folder" in ran.err
    ran = convgrad(layer(large, f"-o {quoted(large)}/other.npz --format torch"))
    assert ran.code == 2 and "is needed for the numbers" in ran.err
    assert (large / "prog.npz").read_bytes() == before
    assert not any((large / name).exists() for name in ("prog.py", "full.py", "other.npz"))


def test_a_small_program_has_no_file_beside_it(convgrad: Convgrad, tmp_path: Path) -> None:
    assert convgrad(f"convgrad pool-forward '[1,2,3,4]' --size 2 -o {quoted(tmp_path)}/p.py").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["p.py"]
