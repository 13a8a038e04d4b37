"""The forms in which a solution's working can be shown, and its report in them."""

from __future__ import annotations

from dataclasses import replace

from convgrad.errors import OptionError
from convgrad.kinds import KINDS, USUAL_FORMS, kind_of
from convgrad.kinds.kind import OVERLAY
from convgrad.problems.problem import Solution
from convgrad.problems.report import Report

MOST_IN_ALL_FORMS = 50_000
"""Numbers in the operands beyond which a format that shows all forms shows one: a matrix of patches is many times as
large."""


def forms_of(solution: Solution) -> list[str]:
    """The forms in which a solution's working can be shown, the usual one first."""
    several = any(quantity.has_forms for quantity in solution.working.values())
    forms = kind_of(solution.problem.layer.known_as).forms or (OVERLAY,)
    return [form.name for form in (forms if several else forms[:1])]


def in_form(solution: Solution, form: str) -> Solution:
    """A solution with the working of another form, one of kinds.FORMS by name, and the arrays that form works on.

    OptionError where the layer has no other form.
    """
    usual, *others = forms_of(solution)
    if form not in (usual, *others):
        owners = " and ".join(f"{kind.title}s" for kind in KINDS.values() if form in [each.name for each in kind.forms])
        raise OptionError(f"there is no {form} form of this layer", where="--form", hint=f"it belongs to {owners}")
    working, spatial = dict(solution.working), dict(solution.spatial)
    arrays, made = dict(solution.arrays), dict(solution.made)
    for name, quantity in solution.working.items():
        derived = quantity.in_form(form)
        if derived is not None:
            working[name] = derived.quantity
            arrays |= {each.name: each.value for each in derived.arrays if each.name not in solution.operands}
            made |= {each.name: each.formula for each in derived.arrays if each.formula}
            spatial |= {each.name: axes for each, axes in zip(derived.arrays, derived.spatial, strict=True)}
        elif form != usual and not quantity.has_forms:  # such as db, the same sum in every form
            working[name] = replace(quantity, window_axes="")
    return replace(solution, working=working, arrays=arrays, spatial=spatial, made=made)


def worked_out(report: Report, solution: Solution, form: str | None = None, all_forms: bool = False) -> Report:
    """A report of a solution's results with the operands, and the working that it has room for.

    form: that of the working, the usual one where None; all_forms: whether the others are shown with it, where the
    operands are not too large. OptionError where the layer has no such form.
    """
    forms = forms_of(solution)
    chosen = form or forms[0]
    in_form(solution, chosen)  # which says why there is none

    def each(name: str) -> Report:
        shown = report.steps != 0 or (report.explanations and name in USUAL_FORMS)
        own = in_form(solution, name) if shown else solution
        return replace(
            report,
            operands=own.operands,
            spatial=own.spatial,
            working=own.working,
            form=name,
            arrays=own.arrays,
            made=own.made,
            problem=solution.problem,
        )

    if all_forms and sum(array.size for array in solution.operands.values()) <= MOST_IN_ALL_FORMS:
        return replace(each(chosen), forms={name: each(name) for name in forms})
    return each(chosen)
