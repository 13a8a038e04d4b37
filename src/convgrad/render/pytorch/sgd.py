"""The step of gradient descent as statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convgrad.layers.sgd import SGD
from convgrad.render.pytorch.literals import assigned, call, number


@dataclass(frozen=True)
class Updated:
    """A parameter that is updated: its short name, the names of its tensor and of its velocity, if there is one yet."""

    short: str
    name: str
    velocity: str | None
    suffix: str = ""


def step(sgd: SGD, parameters: Sequence[Updated]) -> tuple[list[str], dict[str, str]]:
    """(the statements of a step, what the new parameters and velocities are called by their result's name)."""
    least = (sgd.lr, sgd.weight_decay, 1 if sgd.momentum is None else sgd.momentum)
    if min(least) < 0 or sgd.momentum == 0 or sgd.velocity_form != "gradient":
        return _written_out(sgd, parameters)
    made = call(
        "torch.optim.SGD",
        f"[{', '.join(each.name for each in parameters)}]",
        lr=number(sgd.lr),
        momentum=None if sgd.momentum is None else number(sgd.momentum),
        nesterov=True if sgd.nesterov else None,
        weight_decay=number(sgd.weight_decay) if sgd.weight_decay else None,
    )
    lines = assigned("optimizer", made)
    found: dict[str, str] = {}
    for each in parameters:
        buffer = f'optimizer.state[{each.name}]["momentum_buffer"]'
        lines += assigned(buffer, each.velocity) if each.velocity else []
        found |= {f"{each.short}_new{each.suffix}": each.name, f"velocity_{each.short}{each.suffix}": buffer}
    return [*lines, "optimizer.step()"], found


def _written_out(sgd: SGD, parameters: Sequence[Updated]) -> tuple[list[str], dict[str, str]]:
    """The rule itself."""
    odd = "keeps no velocity without a momentum" if sgd.momentum == 0 else "takes no numbers below 0"
    lines = [f"# torch.optim.SGD {odd}: its rule, written out"]
    if sgd.velocity_form != "gradient":
        lines = [f"# torch.optim.SGD keeps gradients in its velocity, not a {sgd.velocity_form}: the rule, written out"]
    found: dict[str, str] = {}
    for each in parameters:
        new, v = f"{each.short}_new{each.suffix}", f"velocity_{each.short}{each.suffix}"
        gradient = f"{each.name}.grad"
        if sgd.weight_decay:
            gradient += f" + {number(sgd.weight_decay)} * {each.name}"
        momentum, rate = (
            number(sgd.momentum or 0),
            {"gradient": "", "step": "-", "negative-step": ""}[sgd.velocity_form],
        )
        if sgd.velocity_form != "gradient":
            gradient = f"{rate}{number(sgd.lr)} * ({gradient})"
        lines += assigned(v, f"{momentum} * {each.velocity} + {gradient}" if each.velocity else gradient)
        change = f"({gradient} + {momentum} * {v})" if sgd.nesterov else v
        drive = {"gradient": f"- {number(sgd.lr)} * ", "step": "+ ", "negative-step": "- "}[sgd.velocity_form]
        lines += assigned(new, f"{each.name} {drive}{change}")
        found |= {new: new, v: v}
    return lines, found
