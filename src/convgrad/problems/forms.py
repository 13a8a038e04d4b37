"""The forms in which a solution's working can be shown."""

from __future__ import annotations

from dataclasses import replace

from convgrad.errors import OptionError
from convgrad.kinds import FORMS
from convgrad.problems.problem import Solution


def forms_of(solution: Solution) -> list[str]:
    """The forms in which a solution's working can be shown."""
    more = any(quantity.has_forms for quantity in solution.working.values())
    return list(FORMS) if more else ["overlay"]


def in_form(solution: Solution, form: str) -> Solution:
    """A solution with the working of another form, one of kinds.FORMS, and the arrays that form works on.

    OptionError where the layer has no other form.
    """
    if form == "overlay":
        return solution
    if form not in forms_of(solution):
        raise OptionError(f"there is no {form} form of this layer", where="--form", hint="it belongs to convolutions")
    working, arrays, spatial = dict(solution.working), dict(solution.arrays), dict(solution.spatial)
    for name, quantity in solution.working.items():
        derived = quantity.in_form(form)
        if derived is not None:
            working[name] = derived.quantity
            arrays |= {each.name: each.value for each in derived.arrays if each.name not in solution.operands}
            spatial |= {each.name: axes for each, axes in zip(derived.arrays, derived.spatial, strict=True)}
    if "db" in working:  # which is the same sum in every form
        working["db"] = replace(working["db"], window_axes="")
    return replace(solution, working=working, arrays=arrays, spatial=spatial)
