"""Problems drawn at random: of every layer of the catalogue, solved, and the same from the same numbers."""

import numpy as np
import pytest

from convgrad.kinds import WORDS, kind_of
from convgrad.teaching.draws import DRAWERS, drawn


def test_every_layer_of_the_catalogue_is_drawn_once() -> None:
    said = {word for word in WORDS if kind_of(word).draw is not None}
    assert said.isdisjoint(DRAWERS)
    assert said | DRAWERS.keys() == {*WORDS}


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("word", WORDS)
def test_what_is_drawn_is_a_problem_of_that_layer(word: str, small: bool) -> None:
    cases = [drawn(word, np.random.default_rng(seed), small) for seed in range(40)]
    fitting = [case for case in cases if case is not None]
    assert len(fitting) >= 20
    assert {case.layer for case in fitting} == {word}
    for case in fitting:
        assert {"dX", "delta"} & {*case.solution.quantities}
    again = next(case for case in fitting if case.operands)
    seed = cases.index(again)
    same = drawn(word, np.random.default_rng(seed), small)
    assert same is not None and same.settings == again.settings
    for name, operand in again.operands.items():
        np.testing.assert_array_equal(operand.array, same.operands[name].array)
