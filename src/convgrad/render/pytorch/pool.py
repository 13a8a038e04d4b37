"""Pooling as statements: PyTorch's own layers where they do the same, windows written out where they do not."""

from __future__ import annotations

from convgrad.layers.pool import Pool
from convgrad.problems import Problem
from convgrad.render.pytorch.literals import assigned, call, number, per_axis
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.pooling import Pooling
from convgrad.render.pytorch.windows import exact_pads, padded, pads_of


def pool(problem: Problem, names: Names) -> list[str]:
    """A pooling layer; the places of its maxima, where they are asked for, have the name `indices`."""
    layer, indices = problem.layer, "indices" in names.asked
    assert isinstance(layer, Pool)
    pooling = Pooling.of(problem, names)
    if layer.kind == "max":
        return _chosen(pooling, indices) if layer.ties in ("first", "last") or indices else _shared(pooling)
    return {"avg": _average, "sum": _sum, "lp": _norm}[layer.kind](pooling)


def _chosen(p: Pooling, indices: bool) -> list[str]:
    """max_pool takes the first of equal maxima; on the input turned round, that is the last."""
    last = p.layer.ties == "last"
    own = not last and p.own_padding
    pads = exact_pads(p.windows) if last or (p.layer.ceil and not own) else pads_of(p.windows)
    pads = [(0, 0)] * p.d if own or p.spread else pads
    lines, x = p.padded(pads, "-torch.inf")
    turn, remark = "", ""
    if last:
        turn = f".flip({p.dims.strip('()')})"
        remark = "max_pool takes the first of equal maxima: of the input turned round, the last"
    more = {"return_indices": True} if indices else {}
    if p.spread:
        size = "1" if p.layer.whole else per_axis(p.windows.places)
        made = call(f"F.adaptive_max_pool{p.d}d", x + turn, size, **more)
    else:
        made = p.layered("max_pool", x + turn, own, dilation=p.dilation, **more)
    if not indices:
        return [*lines, *p.output(made, turn, remark)]
    output, home = p.names.output, turn + p.home
    lines += assigned(f"{output}, indices", made, remark)
    if home:
        lines += assigned(output, output + home)
    return [*lines, *_position(p, turn, pads)]


def _position(p: Pooling, turn: str, pads: list[tuple[int, int]]) -> list[str]:
    """From the position in the plane that was pooled to that in the unpadded plane."""
    sizes = p.windows.sizes
    plane = [before + size + after for size, (before, after) in zip(sizes, pads, strict=True)]
    total = 1
    for size in plane:
        total *= size
    position = f"{total - 1} - indices{turn}" if turn else "indices"
    if plane[1:] == list(sizes[1:]) and not any(before for before, _ in pads):
        if turn and p.home:
            position = f"({position})"
        return assigned("indices", position + p.home) if position + p.home != "indices" else []
    if p.d == 1:
        position = f"{position} - {pads[0][0]}"
        return assigned("indices", f"({position}){p.home}" if p.home else position)
    at = ["planes", "rows", "columns"][-p.d :]
    lines = assigned(", ".join(at), call("torch.unravel_index", position, str(tuple(plane))))
    inside = [name if not before else f"({name} - {before})" for name, (before, _) in zip(at, pads, strict=True)]
    flat = inside[0]
    for number_, (name, size) in enumerate(zip(inside[1:], sizes[1:], strict=True), 1):
        flat = f"{flat} * {size} + {name}"
        flat = f"({flat})" if number_ < p.d - 1 or p.home else flat
    return [*lines, *assigned("indices", flat + p.home, "counted in the unpadded plane")]


def _shared(p: Pooling) -> list[str]:
    """Amax shares its gradient equally among equal maxima; times their number, each gets the whole."""
    p = p.bare()
    lines, cells, keep = p.gathered("-torch.inf")
    amax = call(f"{cells}.amax", p.dims, **keep)
    if p.layer.ties == "split":
        return [*lines, *p.output(amax, remark="amax shares its gradient equally among equal maxima")]
    shared, ties = p.names.own("shared"), p.names.own("ties")
    beside = "" if keep else f"[..., {', '.join(['None'] * p.d)}]"
    remark = "amax shares its gradient equally among equal maxima; times their number, each gets the whole"
    lines += assigned(shared, amax, remark)
    lines += assigned(ties, call(f"({cells} == {shared}{beside}).sum", p.dims, **keep))
    return [*lines, *p.computed(f"{shared} + ({ties} - 1) * ({shared} - {shared}.detach())")]


def _average(p: Pooling) -> list[str]:
    """avg_pool where it has the padding; else the mean of the padded windows, over the share of cells that count."""
    layer = p.layer
    if layer.divisor is not None:
        return _sum(p, layer.divisor)
    if layer.whole:
        p = p.bare()
        return p.output(call(f"{p.x}.mean", p.dims, keepdim=True))
    if layer.adaptive is not None:
        return p.output(call(f"F.adaptive_avg_pool{p.d}d", p.x, per_axis(p.windows.places)))
    if p.own_padding and p.dense:
        without = False if p.pads and not layer.count_include_pad else None
        return p.output(p.layered("avg_pool", p.x, True, count_include_pad=without))
    p = p if p.dense else p.bare()
    pads = exact_pads(p.windows) if layer.ceil else pads_of(p.windows)
    lines, x = p.padded(pads)
    means = [p.mean(x, p.lead)]
    if ones := _counted(p, pads):
        name = p.names.own("counted")
        lines += assigned(name, ones, "which cells count in a window's divisor")
        means.append(p.mean(name, int(p.dense)))
    return [*lines, *p.computed(" / ".join(means), loose=len(means) > 1)]


def _counted(p: Pooling, pads: list[tuple[int, int]]) -> str:
    """Ones where cells count, laid out like the padded input; the empty string where all do."""
    sizes, around = list(p.windows.sizes), pads
    if p.layer.count_include_pad:  # all but what hangs over the padding
        extents = [before + size + after for size, (before, after) in zip(sizes, pads, strict=True)]
        sizes = [min(n, axis.padded) for n, axis in zip(extents, p.windows.axes, strict=True)]
        around = [(0, extent - size) for extent, size in zip(extents, sizes, strict=True)]
    if not any(n > 0 for pair in around for n in pair):
        return ""
    lead = (1,) if p.dense else ()  # avg_pool wants an axis of channels
    return padded(f"torch.ones({', '.join(map(str, [*lead, *sizes]))})", around)


def _sum(p: Pooling, divisor: float | None = None) -> list[str]:
    """avg_pool with a divisor of its own (1 for a sum), or the sum of windows written out."""
    whole = divisor is None or divisor == int(divisor)
    if not p.spread and p.own_padding and p.dense and p.d > 1 and whole:
        return p.output(p.layered("avg_pool", p.x, True, divisor_override=int(divisor or 1)))
    p = p.bare()
    lines, cells, keep = p.gathered()
    total = call(f"{cells}.sum", p.dims, **keep)
    if divisor is None:
        return [*lines, *p.output(total)]
    return [*lines, *p.computed(f"{total} / {number(divisor)}")]


def _norm(p: Pooling) -> list[str]:
    """lp_pool where every input is positive, as its formula wants it; else the norm of windows written out."""
    power = number(int(p.layer.p) if p.layer.p == int(p.layer.p) else p.layer.p)
    plain = p.dense and not (p.spread or p.pads or p.layer.ceil)
    if plain and p.least > 0:
        return p.output(call(f"F.lp_pool{p.d}d", p.x, power, per_axis(p.windows.kernel), p.stride))
    p = p.bare()
    lines, cells, keep = p.gathered()
    made = call("torch.linalg.vector_norm", cells, power, p.dims, **keep)
    odd = "F.lp_pool takes x, not |x|, to its power: the norm of each window" if plain and p.least < 0 else ""
    return [*lines, *p.output(made, remark=odd)]
