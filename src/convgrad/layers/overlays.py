"""The working of a layer whose kernel lies on the input: what one overlay adds to output, dW, db and dX.

x (N, C, *sizes); delta and output (N, F, *places); kernel (F, C/groups, *k), the one that lies at the place.
"""

from __future__ import annotations

from convgrad.core.quantity import Array, Factor, Lit, Place, Term, beside, block, everywhere
from convgrad.core.windows import Windows
from convgrad.layers import products


def output_term(windows: Windows, x: Array, kernel: Array, bias: Array | None, at: Place, groups: int = 1) -> Term:
    """The output at the overlay's own place, with the products that it is the sum of."""
    box, seen = tuple((i, i + 1) for i in at[1:]), products.under(windows, x, at)
    each = products.cellwise(seen, kernel, groups)
    factors = [Factor("input", seen, "C*"), Factor("kernel", kernel, "FI*"), Factor("products", each, "FI*")]
    patch = each.sum(axis=tuple(range(1, each.ndim)))
    if bias is not None:
        factors.append(Factor("bias", bias, "F"))
        patch = patch + bias
    patch = beside(patch, len(box))[None]
    return Term(at, box, products.lit(windows, x, at), block(at, box), patch, tuple(factors))


def dW_term(windows: Windows, x: Array, delta: Array, flip: bool, at: Place, groups: int = 1) -> Term:
    """Delta times the input under the kernel, (F, C/groups, *k)."""
    seen, d = products.under(windows, x, at), delta[everywhere(at)]
    patch = products.outer(d, seen, groups)
    patch = products.rotated(patch, len(windows.axes)) if flip else patch
    factors = (Factor("delta", d, "F"), Factor("input", seen, "C*"))
    lit, everything = products.lit(windows, x, at), (slice(None),) * patch.ndim
    return Term(at, windows.box(at[1:]), lit, everything, patch, factors, delta_at(at))


def db_term(windows: Windows, x: Array, delta: Array, at: Place) -> Term:
    """Delta itself, (F,)."""
    d, box = delta[everywhere(at)], windows.box(at[1:])
    lit = products.lit(windows, x, at)
    return Term(at, box, lit, (slice(None),), d, (Factor("delta", d, "F"),), delta_at(at))


def dX_term(windows: Windows, x: Array, delta: Array, kernel: Array, at: Place, groups: int = 1) -> Term:
    """Delta times the kernel, laid on the input where the kernel lies."""
    d, box = delta[everywhere(at)], windows.box(at[1:])
    patch = products.laid(windows, d, kernel, at, groups)
    factors = (Factor("delta", d, "F"), Factor("kernel", kernel, "FI*"))
    return Term(at, box, products.lit(windows, x, at), block(at, box), patch, factors, delta_at(at))


def delta_at(at: Place) -> tuple[Lit, ...]:
    """The delta of every filter at the overlay's own place."""
    return (Lit("delta", block(at, [(i, i + 1) for i in at[1:]]), "NF*"),)
