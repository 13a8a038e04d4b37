"""What a pass through a network has to say: its results by name, and the reports that tables and pages show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convgrad.core.quantity import bare
from convgrad.kinds import KINDS
from convgrad.layers.loss import Loss
from convgrad.problems.forms import worked_out
from convgrad.problems.network import Pass, Stage
from convgrad.problems.report import Facts, Report, titled


def results_of(stages: Sequence[Stage], done: Pass, only: Sequence[str] = ()) -> dict[str, Any]:
    """The results as JSON has them; those on the way through an activation where `only` names them."""
    layers: list[dict[str, Any]] = [
        {"type": stage.type, **{name: quantity.value for name, quantity in layer.items()}}
        for stage, layer in zip(stages, done.layers, strict=True)
    ]
    for k, layer in enumerate(layers):
        for name, quantity in done.inner_of(k).items():
            if f"layers[{k}].{name}" in only:
                layer[name] = quantity.value
    return {"output": done.output, "loss": done.loss, "layers": layers}


def reports_of(stages: Sequence[Stage], done: Pass, kind: str) -> list[Report]:
    """What a table shows: the loss, and the layers from there back."""
    first = done.layers[-1]
    top = {name: first[name] for name in ("output", "delta")} | {"loss": done.loss_quantity}
    given, spatial = _compared(done, kind)
    reports = [Report(f"the loss, {kind}, and what goes back from it", given, spatial, top)]
    for k in reversed(range(len(stages))):
        own = done.working[k]
        first_of_all = ["input"] if k == 0 else []  # of the others it is the output of the layer before
        parameters = [each.name for each in KINDS[stages[k].type].parameters.values()]
        shown = (*first_of_all, *parameters, "z", "derivative", "sensitivity")
        inner: dict[str, Any] = {name: own.operands[name] for name in shown if name in own.operands}
        title = f"layers[{k}]: {titled(stages[k].type, stages[k].settings)}"
        reports.append(Report(title, inner, own.spatial, done.layers[k], working=own.working))
    return reports


def _compared(done: Pass, kind: str) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """The target, and what the loss is worked out by, such as the softmax; and which of their axes are spatial."""
    assert done.target is not None
    given = {"target": done.target, **Loss(kind).shown(done.output, done.target)}
    return given, {name: (array.ndim - 1,) if array.ndim else () for name, array in given.items()}


def figures_of(
    stages: Sequence[Stage], done: Pass, kind: str, only: list[str], wanted: Report, all_forms: bool
) -> list[Report]:
    """What is shown with the working: the loss, and each layer with its overlays.

    only: the results that are shown, all where it names none; wanted: how many overlays, and the elements written out,
    which belong to their layers; all_forms: whether the overlays are shown in all of their forms.
    """
    first = done.layers[-1]
    top = {name: first[name] for name in ("output", "delta")} | {"loss": done.loss_quantity}
    opened = [each for each in wanted.explanations if each.name in top]
    shown = {name: top[name] for name in top if name in (only or top)}
    given, spatial = _compared(done, kind)
    found = [Report(f"the loss, {kind}", given, spatial, shown, explanations=opened, zeros=wanted.zeros)]
    for k in reversed(range(len(stages))):
        path = f"layers[{k}]"
        every = {**done.layers[k], **(done.inner_of(k) if only else {})}
        delta = every.pop("delta").formula  # which is given to the layer
        own = {name: every[name] for name in every if not only or f"{path}.{name}" in only}
        opened = [
            replace(each, name=each.name.removeprefix(f"{path}."))
            for each in wanted.explanations
            if each.name.startswith(f"{path}.")
        ]
        title = f"{path}: {titled(stages[k].type, stages[k].settings)}"
        report = replace(wanted, title=title, results=own, explanations=opened, path=path)
        solution = done.working[k]
        if k + 1 < len(stages):  # the last one's is told with the loss
            made = delta.each_name(lambda part: part._replace(open=True))  # each channel's plane of the channel's
            solution = replace(solution, made={**solution.made, "delta": made})
        found.append(worked_out(report, solution, all_forms=all_forms))
    return [report for report in found if report.results or report.explanations]


def picked_report(title: str, entries: Mapping[str, Any]) -> list[Report]:
    """A report of single results, as a table shows them."""
    arrays = Facts(title, entries).arrays()
    return [Report(title, {}, {}, {name: bare(name, array) for name, array in arrays.items()})]
