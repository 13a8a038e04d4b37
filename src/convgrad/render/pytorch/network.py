"""A network's backward pass as a program: layer after layer, the loss, and one call that goes all the way back."""

from __future__ import annotations

from collections.abc import Mapping

from convgrad.core.element import Array
from convgrad.kinds.losses import LOSSES
from convgrad.layers.sgd import SGD
from convgrad.problems import Problem
from convgrad.problems.network import Pass
from convgrad.render.pytorch import rounding, simple
from convgrad.render.pytorch.layers import part
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.program import Program
from convgrad.render.pytorch.sgd import Updated, step
from convgrad.render.pytorch.undecided import Undecided, of_loss


def write(program: Program, done: Pass, values: Mapping[str, Array]) -> None:
    """The statements of a pass, for the results wanted by path."""
    assert done.target is not None
    cost = LOSSES[done.kind].taken(done.output.shape, done.target.shape)
    problems = [problem for k in range(len(done.layers)) if (problem := done.working[k].problem) is not None]
    last = len(problems) - 1
    wanted = [_of_layer(k, values) for k in range(len(problems))]
    through = any({"dX", "delta"} & set(names) for names in wanted)
    program.add([program.declare("x", problems[0].operands["input"], through)])
    results = {"loss": "loss", "output": f"output{last}"}
    updated: list[Updated] = []
    here = "x"
    decisions = _undecided(done)
    for k, problem in enumerate(problems):
        output = f"output{k}"
        names = Names(here, z=output, output=output, suffix=str(k))
        made = part(program, decisions[k], wanted[k], names)
        kept = "delta" in wanted[k] or (k < last and "dX" in wanted[k + 1])
        program.add(
            [f"# layers[{k}]: {problem.layer.known_as}"],
            made.operands,
            made.forward,
            [f"{output}.retain_grad()"] if kept else [],
        )
        results |= {f"layers[{k}].{name}": expression for name, expression in made.results.items()}
        results |= {f"layers[{k}].dX": f"{here}.grad", f"layers[{k}].delta": f"{output}.grad"}
        updated += made.updated
        here = output
    back = any(set(names) - {"output"} for names in wanted)
    program.add(
        [program.declare("target", simple.targets(cost, done.output, done.target))],
        simple.loss(cost, here, done.output, done.target),
        ["loss.backward()"] if back else [],
    )
    results |= _stepped(program, problems[0].sgd, updated)
    sizes, carried = _sizes(done, problems), _carried(done, decisions)
    for expression in dict.fromkeys(results[path] for path in values):
        paths = [path for path in values if results[path] == expression]  # a dX is the delta of the layer before
        bound = max(sizes[path] for path in paths)
        program.compare(", ".join(paths), expression, values[paths[0]], bound, carried.get(paths[0]))


def _undecided(done: Pass) -> list[Undecided]:
    """What rounding decides in each layer, on the way forward."""
    found: list[Undecided] = []
    for k in range(len(done.layers)):
        own, sizes = done.working[k], found[-1].sizes if found else None
        found.append(Undecided(own.problem, own.operands.get("z"), sizes))
    return found


def _carried(done: Pass, decisions: list[Undecided]) -> dict[str, Array]:
    """How far the results' cells may be carried, by path, from the loss back."""
    assert done.target is not None
    above: Array | None = of_loss(done.kind, done.output, done.target, decisions[-1].sizes)
    found: dict[str, Array] = {}
    for k in reversed(range(len(decisions))):
        if above is not None:
            found[f"layers[{k}].delta"] = above
        own = decisions[k].carried(above)
        found |= {f"layers[{k}].{name}": each for name, each in own.items()}
        above = own.get("dX")
    return found


def _stepped(program: Program, sgd: SGD | None, updated: list[Updated]) -> dict[str, str]:
    """The statements of the step -> what its results are called, by path."""
    if sgd is None or not updated:
        return {}
    lines, found = step(sgd, updated)
    program.add(lines)
    return {
        f"layers[{each.suffix}].{name}": found[name + each.suffix]
        for each in updated
        for name in (f"{each.short}_new", f"velocity_{each.short}")
    }


def _of_layer(k: int, values: Mapping[str, Array]) -> list[str]:
    """The names of the results of one layer that are wanted."""
    return [path.split(".")[1] for path in values if path.startswith(f"layers[{k}].")]


def _sizes(done: Pass, problems: list[Problem]) -> dict[str, float]:
    """How large the numbers are that each result is summed from, through all layers and back."""
    assert done.target is not None
    inputs = [rounding.size(problems[0].x)]
    for problem in problems:
        inputs.append(rounding.output_size(problem, inputs[-1])[1])
    cost = LOSSES[done.kind].taken(done.output.shape, done.target.shape)
    loss, delta = rounding.loss_sizes(cost, done.output, done.target, inputs[-1])
    sizes = {"output": inputs[-1], "loss": loss}
    for k in reversed(range(len(problems))):
        found = rounding.gradient_sizes(problems[k], inputs[k], delta)
        sizes |= {f"layers[{k}].{name}": bound for name, bound in found.items()}
        sizes |= {f"layers[{k}].output": inputs[k + 1], f"layers[{k}].delta": delta}
        delta = found["dX"]
    return sizes
