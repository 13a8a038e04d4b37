"""--format torch: what the programs say, and, where PyTorch is installed, that they run and agree."""

import ast
import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from conftest import Convgrad, quoted
from hypothesis import given
from hypothesis import settings as examples
from torch_jobs import JOBS, Job

from convgrad.cli import run
from convgrad.core.quantity import Quantity, bare
from convgrad.errors import OptionError
from convgrad.kinds import KINDS
from convgrad.kinds.kind import Given, Kind
from convgrad.kinds.shared import DELTA, DESCENT, INPUT
from convgrad.layers import Parameter
from convgrad.problems import Operand
from convgrad.problems.build import build
from convgrad.problems.report import Report
from convgrad.render import write
from convgrad.render.pytorch.layers import WRITERS

X = "'[[1,2,3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]]'"
K = "'[[1,2],[3,4]]'"
SAMPLE_JOBS = {
    "classic": "convgrad conv-backward samples/classic/input.json samples/classic/delta.json",
    "two-filters": "convgrad conv-backward samples/two-filters/problem.json --lr 0.001",
    "layer-1d": "convgrad conv-backward samples/layer-1d/input.json samples/layer-1d/delta.json -k samples/layer-1d/kernel.json -b 0 --lr 0.1",
    "pooling": "convgrad pool-backward samples/pooling/input.json samples/pooling/delta.json --size 2",
    "two-two-two": "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json --lr 0.5",
    "bars": "convgrad backprop samples/bars/network.json samples/bars/input.json samples/bars/target.json --lr 0.5 --momentum 0.5 --only 'loss,layers[0].dW,layers[3].W_new'",
}


def program(convgrad: Convgrad, line: str) -> str:
    ran = convgrad(f"{line} --format torch -q")
    assert ran.code == 0, ran.err
    return ran.out


def number(node: ast.expr) -> Any:
    """A literal, or a fraction written as one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return number(node.left) / number(node.right)
    if isinstance(node, ast.List):
        return [number(each) for each in node.elts]
    return ast.literal_eval(node)


def filled_in(text: str) -> dict[str, Any]:
    """The tensors that a program makes of its own numbers, by name."""
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call):
            made, name = node.value, node.targets[0].id
            function = ast.unparse(made.func)
            if function == "torch.tensor":
                found[name] = number(made.args[0])
            elif function in ("torch.zeros", "torch.ones"):
                found[name] = np.full([number(each) for each in made.args], float(function == "torch.ones"))
            elif function == "torch.full":
                found[name] = np.full(number(made.args[0]), number(made.args[1]))
    return found


def compared(text: str) -> Iterator[tuple[str, Any, float]]:
    """(name, convgrad's numbers, the difference allowed) of each comparison."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "compare":
            names, rounding = number(node.args[0]), number(node.args[3])
            for name in names.split(", "):
                yield name, number(node.args[2]), rounding


def as_floats(entry: Any) -> Any:
    """Fractions, which JSON has as strings, as the nearest floats."""
    if isinstance(entry, dict):
        return {name: each if name == "type" else as_floats(each) for name, each in entry.items()}
    if isinstance(entry, list):
        return [as_floats(each) for each in entry]
    return float(Fraction(entry)) if isinstance(entry, str) else entry


def by_path(document: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in document.items() if name != "layers"}
    for k, layer in enumerate(document.get("layers", [])):
        found |= {f"layers[{k}].{name}": value for name, value in layer.items() if name != "type"}
    for name, value in document.items():  # --only layers[0]
        if isinstance(value, dict):
            del found[name]
            found |= {f"{name}.{part}": each for part, each in value.items() if part != "type"}
    return found


@dataclass(frozen=True, eq=False)
class Scale:
    """A layer that the renderer has never heard of: each channel times a number of its own, plus another."""

    gamma: Any = None
    beta: Any = None
    known_as, input_axes, output_axes = "scale", "NC*", "NC*"
    parameters: ClassVar = {"gamma": Parameter("gamma", "C", 1.0), "beta": Parameter("beta", "C")}

    def forward(self, x: Any) -> Quantity:
        beside = (..., *[None] * (x.ndim - 2))
        gamma, beta = (neutral if a is None else a[beside] for a, neutral in ((self.gamma, 1), (self.beta, 0)))
        return replace(bare("output", gamma * x + beta), axes="NC*")

    def backward(self, x: Any, delta: Any) -> tuple[Quantity, ...]:
        gamma = 1 if self.gamma is None else self.gamma[(..., *[None] * (x.ndim - 2))]
        others = (0, *range(2, x.ndim))
        found = {"dgamma": (delta * x).sum(others), "dbeta": delta.sum(others), "dX": gamma * delta}
        return tuple(replace(bare(n, v), axes="NC*" if n == "dX" else "C") for n, v in found.items())


def test_a_layer_whose_kind_says_how_pytorch_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters of any name; one that is missing is neutral; the step is PyTorch's own."""

    def said(layer: Scale, x: str, operands: dict[str, str]) -> list[str]:
        return [f"scaled = {x} * {operands['gamma']}[:, None, None]", f"(scaled + {operands['beta']}[:, None, None])"]

    letters = (Given(name, (name,), parameter=name, axes=("C",), wanting=name) for name in ("gamma", "beta"))
    kind = Kind("scale", "scaling", (INPUT, *letters, DELTA), descent=DESCENT, layer=f"{__name__}:Scale", torch=said)
    monkeypatch.setitem(KINDS, "scale", kind)
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    operands = {"input": x, "gamma": np.array([2.0, 3.0]), "delta": np.ones((1, 2, 2, 2))}
    given = {name: Operand(array, name) for name, array in operands.items()}
    problem = build(kind, given, {"lr": 0.5}, True)
    gradients = problem.layer.backward(x, operands["delta"])
    stepped = bare("gamma_new", operands["gamma"] - 0.5 * gradients[0].value)
    results = {each.name: each for each in (problem.layer.forward(x), *gradients, stepped)}
    report = Report("scaling", operands, {}, results, problem=problem)
    text = write(report, "torch").decode()
    for line in (
        "gamma = torch.tensor([2.0, 3.0], requires_grad=True)",
        "beta = torch.zeros(2, requires_grad=True)  # no beta is given: this one adds nothing",
        "scaled = x * gamma[:, None, None]",
        "output = (scaled + beta[:, None, None])",
        "optimizer = torch.optim.SGD([gamma], lr=0.5)",
    ):
        assert line in text.splitlines()
    assert {name for name, _, _ in compared(text)} == {"output", "dgamma", "dbeta", "dX", "gamma_new"}
    assert 'compare("dgamma", gamma.grad, ' in text and 'compare("gamma_new", gamma, ' in text
    monkeypatch.setitem(KINDS, "scale", replace(kind, torch=None))
    with pytest.raises(OptionError, match="no PyTorch program of a layer of type scale"):
        write(report, "torch")


def test_every_layer_has_a_writer_or_says_how_it_is_written() -> None:
    words = {word for kind in KINDS.values() if "output" in kind.gives for word in kind.words}
    assert words == {*WRITERS, *(kind.name for kind in KINDS.values() if kind.torch is not None)}


@pytest.mark.slow
@given(job=JOBS)
@examples(max_examples=60)
def test_the_numbers_of_a_program_are_those_of_the_json(job: Job, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("job")
    text = job.program(folder)
    if text is None:
        return
    sources = [str(folder / name) for name in ("network.json", "document.json") if (folder / name).exists()]
    assert run([job.command, *sources, *job.arguments, "-q", "-o", str(folder / "results.json")]) == 0
    results = by_path(as_floats(json.loads((folder / "results.json").read_text())))
    found = {name: value for name, value, _ in compared(text)}
    assert found == results
    for name, value, rounding in compared(text):
        largest = np.max(np.abs(value))
        single = job.document.get("dtype") == "float32"
        if name != "indices" and job.command != "backprop":
            assert rounding <= max(largest, 1) * (3e-2 if single else 1e-10)
    made = filled_in(text)
    for name, entry in job.document.items():
        variable = {"input": "x"}.get(name, name)
        if variable in made and name != "bias":
            dtype = np.float32 if job.document.get("dtype") == "float32" else np.float64
            np.testing.assert_array_equal(np.asarray(made[variable], dtype), np.asarray(entry, dtype))
    if job.command != "loss":
        assert "x" in made
    assert {
        alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for alias in node.names
    } <= {
        "torch",
        "torch.nn.functional",
    }
    assert ("F." in text) == ("import torch.nn.functional as F" in text)


CALLS = [
    (f"convgrad conv-forward {X} -k {K}", "output = F.conv2d(x[None], kernel[None, None])[0]"),
    (
        f"convgrad conv-forward {X} -k {K} -b 1 --stride 2,1 --padding 1 --dilation 2",
        "output = F.conv2d(x[None], kernel[None, None], bias[None], stride=(2, 1), padding=1, dilation=2)[0]",
    ),
    (f"convgrad conv-forward {X} -k '[[1,2,1]]' --padding same", 'padding="same"'),
    (f"convgrad conv-forward {X} -k {K} --padding same", "padded = F.pad(x[None], (0, 1, 0, 1))"),
    (f"convgrad conv-forward {X} -k {K} --padding full", "kernel[None, None], padding=1)"),
    (f"convgrad conv-forward {X} -k {K} --padding 1:2,0:1", "F.pad(x[None], (0, 1, 1, 2))"),
    (f"convgrad conv-forward {X} -k {K} --padding 1 --pad-mode circular", '(1, 1, 1, 1), mode="circular")'),
    (
        f"convgrad conv-forward {X} -k {K} --padding 4:0,0 --pad-mode reflect",
        "x[None][..., [2, 3, 2, 1, 0, 1, 2, 3], :]",
    ),
    (f"convgrad conv-forward {X} -k {K} --flip", "kernel[None, None].flip(-2, -1)"),
    (
        f"convgrad conv-forward {X} -k {K} --transposed --stride 2",
        "F.conv_transpose2d(x[None], kernel[None, None], stride=2)[0]",
    ),
    (f"convgrad conv-forward {X} -k {K} --transposed --padding 0:1,1:0", "[..., :4, 1:][0]"),
    (f"convgrad conv-forward {X} -k {K} --activation leaky-relu --alpha 0.3", "output = F.leaky_relu(z, 0.3)"),
    (f"convgrad conv-forward {X} -k {K} --activation gelu --approximate tanh", 'F.gelu(z, approximate="tanh")'),
    (f"convgrad conv-forward {X} -k {K} --activation softplus", "F.softplus(z, threshold=40)"),
    (f"convgrad conv-backward {X} 1 -k {K} --lr 0.5", "torch.optim.SGD([kernel], lr=0.5)"),
    (
        f"convgrad conv-backward {X} 1 -k {K} --lr 0.5 --momentum 0.9 --nesterov --weight-decay 0.1",
        "torch.optim.SGD([kernel], lr=0.5, momentum=0.9, nesterov=True, weight_decay=0.1)",
    ),
    (f"convgrad conv-backward {X} 1 -k {K} --lr -0.5", "W_new = kernel - -0.5 * velocity_W"),
    (f"convgrad conv-backward {X} 1 --kernel-size 2", "kernel = torch.zeros(2, 2, requires_grad=True)"),
    (
        f"convgrad conv-backward {X} {K} --unshared --stride 2 --kernel-size 2",
        'torch.einsum("cijuv,ijuv->ij", windows, kernel)',
    ),
    (f"convgrad pool-forward {X} --size 2", "output = F.max_pool2d(x[None], 2)[0]"),
    (
        f"convgrad pool-forward {X} --size 3 --stride 2 --ceil --padding 1",
        "3, stride=2, padding=1, ceil_mode=True)",
    ),
    (f"convgrad pool-forward {X} --size 2 --ties last", "F.max_pool2d(x[None].flip(-2, -1), 2).flip(-2, -1)[0]"),
    (f"convgrad pool-forward {X} --size 2 --ties split", "windows.amax((-2, -1))"),
    (f"convgrad pool-forward {X} --size 2 --ties all", "shared + (ties - 1) * (shared - shared.detach())"),
    (
        f"convgrad pool-forward {X} --size 2 --indices",
        "output, indices = F.max_pool2d(x[None], 2, return_indices=True)",
    ),
    (
        f"convgrad pool-forward {X} --size 3 --kind avg --padding 1 --no-count-include-pad",
        "count_include_pad=False",
    ),
    (f"convgrad pool-forward {X} --size 2 --kind avg --divisor 3", "divisor_override=3"),
    (f"convgrad pool-forward {X} --size 2 --kind avg --divisor 2.5", ".sum((-2, -1)) / 2.5"),
    (f"convgrad pool-forward {X} --size 2 --kind sum", "divisor_override=1"),
    (f"convgrad pool-forward {X} --size 2 --kind lp --p 3", "F.lp_pool2d(x[None], 3, 2)"),
    (
        f"convgrad pool-forward {X} --size 2 --kind lp --padding 1",
        "torch.linalg.vector_norm(windows, 2, (-2, -1))",
    ),
    (f"convgrad pool-forward {X} --adaptive 3,2", "F.adaptive_max_pool2d(x[None], (3, 2))"),
    (f"convgrad pool-forward {X} --global --kind avg", "x.mean((-2, -1), keepdim=True)"),
    (f"convgrad pool-forward {X} --size 2 --kind avg --dims 1", "F.avg_pool1d(x, 2)"),
    (f"convgrad dense-forward '[1,2]' -w {K}", "F.linear(x, weight)"),
    (f"convgrad dense-forward '[1,2]' -w {K} --weight-layout in-out -b 1", "x @ weight + bias"),
    ("convgrad activation-forward '[1,2]' --activation softmax", "torch.softmax(x, -1)"),
    ("convgrad loss '[1,2]' '[1,3]'", "loss = ((output - target) ** 2).sum() / 2"),
    ("convgrad loss '[1,2]' 1 --kind cross-entropy", "target = torch.tensor(1)"),
    ("convgrad loss '[1,2]' '[1,3]' --kind huber", "F.huber_loss(output, target)"),
]


@pytest.mark.parametrize(("line", "said"), CALLS, ids=[each[0][9:].replace(f"{X} ", "")[:60] for each in CALLS])
def test_options_are_pytorchs_own_where_it_has_them(convgrad: Convgrad, line: str, said: str) -> None:
    assert said in program(convgrad, line)


def test_nothing_is_there_that_is_not_asked_for(convgrad: Convgrad) -> None:
    text = program(convgrad, f"convgrad conv-backward {X} 1 -k {K} --only output")
    assert "backward" not in text and "requires_grad" not in text and "delta" not in text
    text = program(convgrad, f"convgrad conv-backward {X} 1 -k {K} --only dX")
    assert text.count("requires_grad") == 1 and "bias" not in text
    assert [name for name, *_ in compared(text)] == ["dX"]
    for unwanted in ("stride", "padding", "dilation", "groups", "optim"):
        assert unwanted not in text
    assert "set_default_dtype" not in program(convgrad, f"convgrad conv-forward {X} -k {K} --dtype float32")
    assert "precision=3" in program(convgrad, f"convgrad conv-forward {X} -k {K} --precision 3")


def test_fractions_are_exact(convgrad: Convgrad) -> None:
    text = program(convgrad, f"convgrad pool-backward {X} 0.1 --size 3 --kind avg --dtype exact")
    assert "PyTorch has no fractions" in text and "torch.tensor([[0.1]])" in text
    assert "[1/90, 1/90, 1/90, 0.0]" in text
    text = program(convgrad, f"convgrad conv-backward {X} 0.1 -k '[[0.1,0.2]]' --lr 0.1 --dtype exact")
    assert "[[0.1, 0.2]]" in text and "lr=0.1" in text
    loss = program(convgrad, "convgrad loss '[0.1,1]' '[1,3]' --dtype exact")
    assert [value for _, value, _ in compared(loss)] == [2.405, [-0.9, -2.0]]


def test_where_programs_go_and_what_has_none(convgrad: Convgrad, tmp_path: Path) -> None:
    text = program(convgrad, f"convgrad conv-forward {X} -k {K}")
    assert convgrad(f"convgrad conv-forward {X} -k {K} -o {quoted(tmp_path)}/layer.py").out == ""
    assert (tmp_path / "layer.py").read_text() == text
    for line, message in (
        ("convgrad shape 3x3 --kernel-size 2", "there is no PyTorch program of this"),
        (
            f"convgrad pool-forward {quoted(np.arange(2000).tolist())} --size 2",
            "more than 2000 numbers would be filled",
        ),
    ):
        ran = convgrad(f"{line} --format torch")
        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err and len(ran.err.splitlines()) == 1
    assert convgrad(f"convgrad pool-forward {quoted(np.ones(5000).tolist())} --size 5 --format torch").code == 0


def test_a_network_says_what_is_the_same_once(convgrad: Convgrad) -> None:
    text = program(convgrad, SAMPLE_JOBS["two-two-two"])
    assert 'compare("layers[0].delta, layers[1].dX", output0.grad' in text
    assert text.count("output0.grad") == 1
    names = [name for name, *_ in compared(text)]
    assert len(names) == len(set(names))
    assert text.count("backward()") == text.count("optimizer.step()") == 1


DECIDED_BY_ROUNDING = {
    "dense": "convgrad dense-backward '[0.1,0.2]' '[1]' -w '[[1,1]]' -b '-0.3' --activation relu --dtype exact",
    "conv": "convgrad conv-backward '[0.1,0.2,0.3]' 1 --activation relu -k '[0.1,0.1,-0.1]' --lr 0.5",
    "leaky-relu": "convgrad dense-backward '[0.1,0.2]' '[2]' -w '[[1,1]]' -b '-0.3' --activation leaky-relu --alpha 0.2",
}


def test_a_kink_within_rounding_is_pointed_out(convgrad: Convgrad) -> None:
    """Which cell rounding decides, and how far the other slope would carry each cell of the gradients."""
    text = program(convgrad, DECIDED_BY_ROUNDING["dense"])
    assert "# z[0] is 0 but for rounding, which decides between two slopes of relu:" in text
    for line in (
        'compare("output", output, [0.0], 6e-15),',
        'compare("dW", weight.grad, [[0.0, 0.0]], 9e-16, undecided=[[0.11, 0.21]]),',
        'compare("db", bias.grad, [0.0], 4e-15, undecided=[1.1]),',
        'compare("dX", x.grad, [0.0, 0.0], 4e-15, undecided=[1.1, 1.1]),',
    ):
        assert line in text
    layer = "convgrad conv-backward '[0.1,0.2,0.3]' 1 --activation relu -k"
    assert "two slopes" in program(convgrad, f"{layer} '[0.1,0.1,-0.1]'")
    for decided in (
        f"{layer} '[0.1,0.1,0.1]'",
        "convgrad conv-backward '[1,2,3]' 1 --activation relu -k '[1,1,-1]'",
        "convgrad dense-backward '[0.5,0.25]' 1 --activation relu -w '[[1,-2]]' --dtype exact",
        "convgrad pool-backward '[[0.1,0.1],[0.1,0.1]]' 1 --size 2 --dtype exact",
    ):
        assert "undecided" not in program(convgrad, decided)


def network_decided_by_rounding(folder: Path, kind: str) -> str:
    """Equal maxima but for rounding, an output that equals its target but for rounding, and a relu at 0."""
    layers = [
        {"type": "conv", "kernel": [[[[0.1, 0.1, -0.1]]]], "dims": 2},
        {"type": "pool", "kind": "max", "size": [1, 2]},
        {"type": "flatten"},
        {"type": "dense", "weight": [[0.1, 0.3]], "bias": [-0.005], "activation": "relu"},
    ]
    (folder / "net.json").write_text(json.dumps({"layers": layers, "loss": kind}))
    (folder / "x.json").write_text(json.dumps([[[[0.3, 0.1, 0.2, 0.1, 0.2, 0.3]]]]))
    return f"convgrad backprop {quoted(folder)}/net.json {quoted(folder)}/x.json '[[{0 if kind == 'mae' else 1}]]' --lr 0.1"


def test_what_rounding_decides_in_a_network_is_carried_through_it(convgrad: Convgrad, tmp_path: Path) -> None:
    text = program(convgrad, network_decided_by_rounding(tmp_path, "mae"))
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.keywords]
    undecided = {
        name
        for call in calls
        if ast.unparse(call.func) == "compare" and call.keywords[0].arg == "undecided"
        for name in number(call.args[0]).split(", ")
    }
    assert {"layers[3].dW", "layers[3].db", "layers[0].dX", "layers[0].W_new"} <= undecided
    assert not any("output" in name for name in undecided)


# -- where PyTorch is installed -------------------------------------------------------------------------------


def executed(text: str) -> tuple[Any, str]:
    """A program, run in this process -> its exit code and what it prints."""
    torch = pytest.importorskip("torch")
    out = io.StringIO()
    usual = torch.get_default_dtype()
    try:
        with redirect_stdout(out), pytest.raises(SystemExit) as done:
            exec(compile(text, "program.py", "exec"), {})
        return done.value.code, out.getvalue()
    finally:
        torch.set_default_dtype(usual)


@given(job=JOBS)
@examples(max_examples=80)
def test_programs_agree(job: Job, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("torch")
    text = job.program(tmp_path_factory.mktemp("job"))
    if text is not None:
        code, out = executed(text)
        assert code == 0, out + text


@pytest.mark.parametrize("name", SAMPLE_JOBS)
def test_samples_agree(convgrad: Convgrad, name: str) -> None:
    text = program(convgrad, SAMPLE_JOBS[name])
    code, out = executed(text)
    assert code == 0
    assert out.count("largest difference from convgrad") == text.count("    compare(")


@pytest.mark.parametrize(("line", "said"), CALLS, ids=[each[0][9:].replace(f"{X} ", "")[:60] for each in CALLS])
def test_every_option_agrees(convgrad: Convgrad, line: str, said: str) -> None:
    assert executed(program(convgrad, line))[0] == 0


def test_a_program_with_a_wrong_number_or_shape_ends_with_1(convgrad: Convgrad) -> None:
    text = program(convgrad, SAMPLE_JOBS["layer-1d"])
    assert executed(text.replace("[1.3, 2.1], ", "[1.3, 2.1000000001], "))[0] == 1
    assert executed(text.replace("[1.3, 2.1], ", "[[1.3, 2.1]], "))[0] == 1


@pytest.mark.parametrize("name", DECIDED_BY_ROUNDING)
def test_where_rounding_decides_the_program_says_so_in_place_of_failing(convgrad: Convgrad, name: str) -> None:
    text = program(convgrad, DECIDED_BY_ROUNDING[name])
    code, out = executed(text)
    assert code == 0, out
    assert "Rounding decides" in out
    (wrong,) = [line for line in text.splitlines() if 'compare("dW"' in line]
    off = re.sub(r"(grad, \[+)([-\d.e]+)", lambda found: f"{found[1]}{float(found[2]) + 5}", wrong)
    assert executed(text.replace(wrong, off))[0] == 1


@pytest.mark.parametrize("kind", ["mae", "mse"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "exact"])
def test_networks_that_rounding_decides_agree(convgrad: Convgrad, tmp_path: Path, kind: str, dtype: str) -> None:
    if (kind, dtype) != ("mae", "exact"):
        line = f"{network_decided_by_rounding(tmp_path, kind)} --dtype {dtype}"
        assert executed(program(convgrad, line))[0] == 0
