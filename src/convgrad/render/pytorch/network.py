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


def write(program: Program, done: Pass, values: Mapping[str, Array]) -> None:
    """The statements of a pass, for the results wanted by path."""
    assert done.target is not None
    cost = LOSSES[done.kind]
    problems = [problem for k in range(len(done.layers)) if (problem := done.working[k].problem) is not None]
    last = len(problems) - 1
    wanted = [_of_layer(k, values) for k in range(len(problems))]
    through = any({"dX", "delta"} & set(names) for names in wanted)
    program.add([program.declare("x", problems[0].operands["input"], through)])
    results = {"loss": "loss", "output": f"output{last}"}
    updated: list[Updated] = []
    here = "x"
    for k, problem in enumerate(problems):
        output = f"output{k}"
        names = Names(here, z=output, output=output, suffix=str(k))
        made = part(program, problem, wanted[k], names, done.working[k].operands.get("z"))
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
    sizes = _sizes(done, problems)
    for expression in dict.fromkeys(results[path] for path in values):
        paths = [path for path in values if results[path] == expression]  # a dX is the delta of the layer before
        program.compare(", ".join(paths), expression, values[paths[0]], max(sizes[path] for path in paths))


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
    loss, delta = rounding.loss_sizes(LOSSES[done.kind], done.output, done.target, inputs[-1])
    sizes = {"output": inputs[-1], "loss": loss}
    for k in reversed(range(len(problems))):
        found = rounding.gradient_sizes(problems[k], inputs[k], delta)
        sizes |= {f"layers[{k}].{name}": bound for name, bound in found.items()}
        sizes |= {f"layers[{k}].output": inputs[k + 1], f"layers[{k}].delta": delta}
        delta = found["dX"]
    return sizes
