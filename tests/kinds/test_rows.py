"""A new activation and a new loss are one row each: added in a copy of the tree, they work in every command."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.losses import LOSSES

SOURCE = Path(__file__).parents[2] / "src" / "convgrad"

CUBE = """
    ActivationRow(
        "cube",
        "{input}^3",
        value=lambda x, f: x**3,
        derivative=lambda x, f: 3 * x**2,
        pytorch=(Written("{x} ** 3"),),
        exact=True,
        inverse=lambda a, f: np.cbrt(a),
        grows=lambda z: (3 * z**3, 6 * z**2),
        drawn=(10,),
    ),
"""

LOG_COSH = """
    mean_of(
        "log-cosh",
        each=lambda e, one: np.log(np.cosh(e)),
        slope=lambda e, one: np.tanh(e),
        formulas=("{loss} = 1/{m} sum of log(cosh({output} - {target}))", "{delta} = tanh({output} - {target}) / {m}"),
        called=("log(cosh({output[]} - {target[]}))", "tanh({output[]} - {target[]})"),
        pytorch=(Written("torch.log(torch.cosh({output} - target)).mean()"),),
        drawn=(10,),
    ),
"""

Ran = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def convgrad(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    """The program of a tree that has the two rows more, and differs in nothing else."""
    top = tmp_path_factory.mktemp("tree")
    shutil.copytree(SOURCE, top / "convgrad", ignore=shutil.ignore_patterns("__pycache__"))
    for name, row, table in (("activations", CUBE, "ACTIVATIONS"), ("losses", LOG_COSH, "LOSSES")):
        path = top / "convgrad" / "kinds" / f"{name}.py"
        before, after = path.read_text().split(f"\n)\n\n{table}: ")
        path.write_text(f"{before}{row})\n\n{table}: {after}")
    env = {**os.environ, "PYTHONPATH": str(top), "COLUMNS": "200"}

    def call(line: str, stdin: str = "", code: int = 0) -> Ran:
        program, *arguments = shlex.split(line)
        module = ["-m", program] if program == "convgrad" else []
        command = [sys.executable, *module, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, cwd=top, check=False)
        assert done.returncode == code, (line, done.stderr)
        return done

    return call


def test_a_new_activation_is_one_row(convgrad: Callable[..., Ran]) -> None:
    assert json.loads(convgrad("convgrad activation-forward '[-1, 0, 2]' --activation cube").stdout)["output"] == [
        -1.0,
        0.0,
        8.0,
    ]
    found = json.loads(
        convgrad("convgrad activation-backward '[1, 2]' '[1, 0.5]' --activation cube --explain 'dX[1]'").stdout
    )
    assert found["dX"] == [3.0, 6.0]
    assert found["explain"][0]["terms"][0]["factors"] == [["delta[1]", 0.5], ["derivative[1]", 12.0]]
    exact = convgrad("convgrad activation-backward '[0.1]' '[1]' --activation cube --dtype exact").stdout
    assert json.loads(exact) == {"output": [0.001], "dX": [0.03]}
    dense = "convgrad dense-backward '[1, 2]' '[1, 1]' -w '[[1, 1], [0, 1]]' --activation cube"
    assert json.loads(convgrad(dense).stdout)["db"] == [27.0, 12.0]
    assert json.loads(convgrad(f"{dense} --gradcheck").stdout)["verdict"] == "agrees"
    program = convgrad(f"{dense} --format torch").stdout
    assert "output = z ** 3\n" in program
    compile(program, "program", "exec")


def test_a_new_activation_is_in_help_hints_and_drawn_problems(convgrad: Callable[..., Ran]) -> None:
    assert "softmax, cube." in " ".join(convgrad("convgrad conv-backward --help").stdout.split())
    assert "Did you mean 'cube'?" in convgrad("convgrad activation-forward 1 --activation cub", code=2).stderr
    wrong = convgrad("convgrad activation-forward 1 --activation cube --alpha 2", code=2)
    assert "--alpha belongs to --activation leaky-relu or elu, and it is cube" in wrong.stderr
    drawn = (
        "import numpy; from convgrad.teaching.draws import drawn; random = numpy.random.default_rng(0); "
        "print({drawn('activation', random).settings['activation'] for _ in range(200)})"
    )
    assert "'cube'" in convgrad(f'python -c "{drawn}"').stdout


def test_answers_of_a_new_activation_follow_and_are_diagnosed(convgrad: Callable[..., Ran], tmp_path: Path) -> None:
    check = "convgrad activation-backward '[1, 2, 3]' '[1, 1, 0.5]' --activation cube --check -"
    follows = json.loads(convgrad(check, '{"output": [1, 27, 27], "dX": [3, 27, 13.5]}', code=1).stdout)
    assert follows["answers"]["dX"]["verdict"] == "follows"
    check = "convgrad activation-backward '[0.7, -1.3, 2.1]' '[0.37, 1.21, -0.54]' --activation cube --check -"
    missing = json.loads(convgrad(check, '{"dX": [0.37, 1.21, -0.54]}', code=1).stdout)
    assert missing["answers"]["dX"]["mistakes"][0]["name"] == "derivative-missing"
    another = "convgrad activation-backward '[1, 2, 3]' '[1, 1, 0.5]' --activation silu --check -"
    cube = json.loads(convgrad(another, '{"dX": [3, 12, 13.5]}', code=1).stdout)
    assert cube["answers"]["dX"]["mistakes"][0]["name"] == "another-derivative"


def test_a_new_loss_is_one_row(convgrad: Callable[..., Ran]) -> None:
    loss = "convgrad loss '[1, 3]' '[0, 3.5]' --kind log-cosh"
    found = json.loads(convgrad(f"{loss} --explain delta[1]").stdout)
    assert found["delta"] == pytest.approx([0.3807970779778824, -0.2310585786300049])
    assert [name for name, _ in found["explain"][0]["terms"][0]["factors"]] == ["1/2", "tanh(output[1] - target[1])"]
    assert json.loads(convgrad(f"{loss} --gradcheck").stdout)["verdict"] == "agrees"
    assert "log-cosh of a fraction is no fraction" in convgrad(f"{loss} --dtype exact", code=2).stderr
    assert "loss = torch.log(torch.cosh(output - target)).mean()\n" in convgrad(f"{loss} --format torch").stdout
    assert "huber or log-cosh." in " ".join(convgrad("convgrad loss --help").stdout.split())
    summed = json.loads(convgrad(f"{loss} --check -", '{"delta": [0.761594, -0.462117]}', code=1).stdout)
    assert summed["answers"]["delta"]["verdict"] == "convention"


def test_a_network_of_both(convgrad: Callable[..., Ran], tmp_path: Path) -> None:
    network = tmp_path / "network.json"
    layers = [{"type": "dense", "weight": [[1, 2], [0, 1]]}, {"type": "activation", "activation": "cube"}]
    network.write_text(json.dumps({"layers": layers, "loss": "log-cosh"}))
    run = f"convgrad backprop {network} '[0.5, 0.25]' '[0.5, 1]'"
    assert json.loads(convgrad(run).stdout)["output"] == [1.0, 0.015625]
    assert json.loads(convgrad(f"{run} --gradcheck").stdout)["verdict"] == "agrees"
    assert "torch.log(torch.cosh(output1 - target)).mean()" in convgrad(f"{run} --format torch").stdout


def test_rows_are_whole() -> None:
    """Each has what it needs: a derivative or what stands for it, words for PyTorch, names that are its own."""
    for activation in ACTIVATIONS.values():
        assert (activation.derivative is None) != (activation.along is None), activation.name
        assert activation.pytorch and activation.pytorch[-1].when is None, activation.name
        assert bool(activation.kinks(0.5)) <= (activation.above is not None), activation.name
    for loss in LOSSES.values():
        assert loss.pytorch and loss.pytorch[-1].when is None, loss.name
        assert loss.mean in ("", "numbers", "examples", "positions"), loss.name
    for rows in (ACTIVATIONS.values(), LOSSES.values()):
        seats = [seat for row in rows for seat in row.drawn]
        assert sorted(seats) == list(range(len(seats)))


def test_no_other_file_lists_activations_or_losses() -> None:
    """No tuple, list, set, table or call in any file but the tables has two of their names."""
    names = set(ACTIVATIONS) | set(LOSSES)
    for path in SOURCE.rglob("*.py"):
        if path.name in ("activations.py", "losses.py") and path.parent.name == "kinds":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            found = {
                each.value
                for each in ast.iter_child_nodes(node)
                if isinstance(each, ast.Constant) and each.value in names
            }
            assert len(found) < 2, (path, found)
