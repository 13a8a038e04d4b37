"""What is understood by whoever makes none of some mistakes: a few words for each group of everyday rows.

The words are said only of an answer that rules all rows of a group out, so a group holds whatever would make them
untrue. Sums over several things are said together: "summed over the places and the batch".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convgrad.errors import listed
from convgrad.kinds import PARAMETERS
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake


@dataclass(frozen=True)
class Concept:
    """What was done by who makes none of some mistakes: "summed over", "the places".

    rows: their names; about, layers: the results and layers in which it is called so, all where they are empty; plain:
    whether it is so only of a layer that does not flip its kernel.
    """

    verb: str
    what: str
    rows: tuple[str, ...]
    about: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    plain: bool = False

    def concerns(self, case: Case, name: str) -> bool:
        """Whether it is called so in a result."""
        flips = bool(getattr(case.problem.layer, "flip", False))
        return (
            (not self.about or name in self.about)
            and (not self.layers or case.layer in self.layers)
            and not (self.plain and flips)
        )


def _of(verb: str, what: str, rows: str, about: str = "", layers: str = "", plain: bool = False) -> Concept:
    return Concept(verb, what, tuple(rows.split()), tuple(about.split()), tuple(layers.split()), plain)


GRADIENTS = " ".join(f"d{parameter}" for parameter in PARAMETERS)
"""The gradients of what layers learn."""

CONCEPTS = (
    # what backpropagation is
    _of("rotated", "the kernel", "kernel-not-rotated valid-for-full", "dX", "conv unshared", plain=True),
    _of("correlated", "the input with delta", "dW-rotated delta-rotated", "dW", "conv unshared", plain=True),
    _of("laid", "the kernel on the right way round", "kernel-rotated kernel-not-rotated", "output dX"),
    _of("laid", "the delta on the right way round", "dW-rotated delta-rotated", layers="transposed"),
    _of("reached", "the border too", "valid-for-full"),
    _of("multiplied by", "the derivative of the activation", "derivative-missing softmax-diagonal-only"),
    _of("went back through", "the mean", "mean-path-left-out statistics-taken-for-constants"),
    _of("went back through", "the variance", "variance-path-left-out statistics-taken-for-constants"),
    _of("took for constants", "the mean and variance that are given", "given-statistics-not-constant"),
    _of("added", "where overlays overlap", "overlaps-overwrite maximum-assigned output-overlaps-overwrite"),
    _of("sent", "delta to the largest cell alone", "delta-to-every-cell"),
    # sums
    _of(
        "summed over",
        "the places",
        "last-overlay-only averaged-over-overlays averaged-over-batch-and-overlays",
        "dW db",
    ),
    _of(
        "summed over",
        "the batch",
        "one-example-only kept-apart-by-example averaged-over-batch averaged-over-batch-and-overlays",
        GRADIENTS,
    ),
    _of("summed over", "the channels", "one-channel-only channels-kept-apart", "output"),
    _of("summed over", "the nodes", "one-filter-only", "dX", "dense"),
    _of("summed over", "the filters", "one-filter-only", "dX"),
    _of("summed over", "what shares gamma and beta", "parameters-summed-over-other-axes parameters-averaged"),
    _of("did not divide by", "the batch", "averaged-over-batch", "dX"),
    # settings
    _of("used", "the stride", "stride-ignored undilated-delta-fits"),
    _of("used", "the dilation", "dilation-ignored"),
    _of("used", "the padded input", "padding-ignored padding-forgotten"),
    _of("cut off", "the padding", "padding-not-removed not-shifted-back"),
    _of("divided by", "the window", "average-not-shared"),
    _of("did not divide", "the sum", "sum-shared"),
    _of("kept", "the padding out of the maximum", "maximum-padded-with-zeros"),
    _of("told", "filters from channels", "kernel-channels-exchanged"),
    _of("used", "the weight the right way round", "weight-not-transposed"),
    _of("multiplied", "every delta with every input", "element-wise-product"),
    _of("added", "the bias once", "bias-forgotten bias-in-every-product"),
    _of("went through", "the activation", "not-activated"),
    _of("took", "the softmax over the right axis", "softmax-output-over-wrong-axis softmax-of-loss-over-wrong-axis"),
    # normalisation
    _of("took", "mean and variance over the right axes", "statistics-over-other-axes"),
    _of("divided by", "m in the variance", "variance-unbiased"),
    _of("divided by", "the deviation", "divided-by-variance"),
    _of("divided by", "m in the means of dX", "means-over-another-count"),
    _of("multiplied by", "gamma", "gamma-left-out"),
    _of("multiplied by", "xhat", "xhat-not-in-dgamma"),
    _of("told", "dgamma from dbeta", "dgamma-and-dbeta-exchanged"),
    # losses
    _of("stopped at", "the output of the softmax", "softmax-merged"),
    _of("stopped at", "the output of the sigmoid", "sigmoid-merged"),
    _of("took", "the derivative of the softmax once", "derivative-applied-again"),
    _of("subtracted", "the 1 at the true class", "one-hot-forgotten labels-shifted"),
    _of("took", "both terms of the cross-entropy", "bce-second-term-wrong"),
    _of("gave", "the true class its gradient", "true-class-not-counted-back"),
    _of("left out", "the true class", "true-class-counted"),
    _of("kept", "the margin of 1", "margin-left-out"),
    _of("cut off", "the loss at 0", "hinge-not-cut"),
    _of("subtracted", "the target from the output", "target-minus-output"),
    _of("kept", "the minus of the cross-entropy", "cross-entropy-sign-lost"),
    _of("took", "a sum, no mean", "loss-averaged"),
    # steps
    _of("stepped", "downhill", "ascent"),
    _of("used", "the learning rate", "learning-rate-forgotten"),
    _of("used", "the old velocity", "momentum-forgotten"),
    _of("looked ahead", "as it was asked", "nesterov-mistaken"),
    _of("added", "the weight decay", "weight-decay-forgotten bias-not-decayed weight-decay-sign-lost"),
    _of("kept", "the weight decay out of the gradient", "weight-decay-in-gradient"),
    _of("went back through", "the old weights", "updated-weights-used"),
)
"""What may be said, first what says most about understanding; the first words that fit a row are said of it."""

MOST_SAID = 3
"""Concepts that are said of one answer."""


def said(case: Case, name: str, ruled_out: Iterable[Mistake], open_rows: Iterable[Mistake]) -> tuple[str, ...]:
    """What an answer to a result shows that was done: "rotated the kernel", "summed over the places and the batch".

    open_rows: rows that can be made here, and that the answer does not rule out.
    """
    out, still, spoken = {row.name for row in ruled_out}, {row.name for row in open_rows}, set[str]()
    own = {row.name for row in ruled_out if name in row.about}  # of a step before of the gradient that it takes
    found: list[Concept] = []
    for each in CONCEPTS:
        new = out & set(each.rows) - spoken
        if new and each.concerns(case, name) and not still & set(each.rows):
            found.append(each)
            spoken |= new
    found.sort(key=lambda each: not own & set(each.rows))
    return _together(found[:MOST_SAID])


def _together(concepts: Sequence[Concept]) -> tuple[str, ...]:
    """Concepts in words, those of one verb together."""
    whats: dict[str, list[str]] = {}
    for each in concepts:
        whats.setdefault(each.verb, []).append(each.what)
    return tuple(f"{verb} {listed(what)}" for verb, what in whats.items())
