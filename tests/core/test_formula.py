"""Formulas as data: built, renamed, lowered, written."""

from convgrad.formula import NOTHING, Formula, Marked, Named, Over, named, tokens

GRADIENT = Formula(
    (
        Named("dX", (("C", "c"), ("*0", "x"))),
        " = ",
        Over("f", (), ("i", "m"), ("2i+m",), ("x",)),
        Named("delta", (("F", "f"), ("*0", "i"))),
        " * ",
        Named("delta_of_another"),
    )
)


def test_a_formula_is_written_as_text() -> None:
    assert str(GRADIENT) == "dX[c,x] = sum over f and all i,m with (2i+m) = (x) of delta[f,i] * delta_of_another"
    assert str(Over(every=("i", "m"), wanted=("x",))) == "sum over all i,m that lie on (x) of "
    assert str(Over(letters=("m",), word="maximum")) == "maximum over m of "
    assert repr(Formula.of("{dX} = {delta}")) == "'dX = delta'"


def test_a_name_is_renamed_as_a_whole() -> None:
    renamed = GRADIENT.renamed("delta", "sensitivity")
    assert str(renamed).endswith("sensitivity[f,i] * delta_of_another")


def test_indices_that_a_file_leaves_out_are_left_out_and_no_longer_summed_over() -> None:
    plain = GRADIENT.lowered(lambda axes: [axis for axis in axes if axis not in "CF"])
    assert str(plain) == "dX[x] = sum over all i,m with (2i+m) = (x) of delta[i] * delta_of_another"
    last = GRADIENT.lowered(sorted)
    assert str(last).startswith("dX[x,c] = sum over f and all")


def test_templates() -> None:
    formula = Formula.of("max(0, {input}) of the cells {marked}")
    assert [type(part) for part in formula.parts] == [str, Named, str, Marked]
    assert formula.text(marked="in bold") == "max(0, input) of the cells in bold"
    assert str(Formula.of("log({softmax(output)[]})").at((0, 1))) == "log(softmax(output)[0,1])"
    assert str(named("db").at(())) == "db"


def test_nothing_is_false_and_equal_formulas_are_one() -> None:
    assert not NOTHING and GRADIENT and NOTHING + "" == NOTHING
    assert str(NOTHING + ", over all examples") == ", over all examples"
    assert len({Formula.of("{a} = b"), Formula.of("{a} = b"), Formula.of("a = b")}) == 2


def test_axes_one_by_one() -> None:
    assert tokens("NC*", 2) == ["N", "C", "*0", "*1"]
    assert tokens("PFI*", 1) == ["P0", "F", "I", "*0"]
