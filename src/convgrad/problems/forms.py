"""The forms in which a solution's working can be shown."""

from __future__ import annotations

from dataclasses import replace

from convgrad.errors import OptionError
from convgrad.kinds import KINDS, kind_of
from convgrad.kinds.kind import OVERLAY
from convgrad.problems.problem import Solution


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
