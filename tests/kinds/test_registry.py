"""Kinds of layers, settings and results are listed in the registry, and nowhere else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convgrad.kinds import ADDED_BY, KINDS, NAMES, RESULTS, ROLES, SETTINGS, kind_of
from convgrad.kinds.pool import POOLINGS
from convgrad.kinds.setting import listed_names
from convgrad.layers import Parameter
from convgrad.layers.conv import Conv
from convgrad.layers.dense import Dense
from convgrad.layers.flatten import Flatten
from convgrad.layers.norm import Norm
from convgrad.layers.pool import Pool
from convgrad.layers.pool_kinds import POOL_KINDS
from convgrad.layers.transposed import Transposed
from convgrad.layers.unshared import Unshared
from convgrad.render.pytorch.layers import WRITERS
from convgrad.teaching.draws import DRAWERS

SOURCE = Path(__file__).parents[2] / "src" / "convgrad"
WORDS = {word for kind in KINDS.values() for word in kind.words}

EXCUSED = {
    "mistakes/rows": "a row of the catalogue says in which layers and results it is made",
    "render/pytorch": "writers and bounds by layer, one each; a test below holds that there is one for every layer",
    "teaching/draws.py": "drawers by layer, one each, and what they draw; a test below holds that there are no more",
    "checking/network.py": "the three results that join one layer to the next",
}
"""Files that name three layers, settings or results side by side, and why."""


def names_side_by_side(path: Path) -> Iterator[set[str]]:
    """The texts of every tuple, list, set, table and string of words."""
    for node in ast.walk(ast.parse(path.read_text())):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            found = [*node.elts]
        elif isinstance(node, ast.Dict):
            found = node.keys
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) < 10:
            yield set(node.value.split())
        yield {each.value for each in found if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_no_list_of_layers_settings_or_results_stands_outside_the_registry() -> None:
    lists: dict[str, list[set[str]]] = {}
    for path in SOURCE.rglob("*.py"):
        where = path.relative_to(SOURCE).as_posix()
        if not where.startswith("kinds/"):
            for names in names_side_by_side(path):
                if any(len(names & known) >= 3 for known in (WORDS, {*SETTINGS}, {*RESULTS})):
                    lists.setdefault(where, []).append(names)
    outside = {where: found for where, found in lists.items() if not where.startswith(tuple(EXCUSED))}
    assert not outside, outside
    idle = [each for each in EXCUSED if not any(where.startswith(each) for where in lists)]
    assert not idle, f"{idle} need no excuse any more"


@pytest.mark.parametrize("layer", [Conv, Transposed, Unshared, Pool, Dense, Flatten, Norm])
def test_what_a_layer_learns_is_what_its_kind_says(layer: type) -> None:
    made = layer()
    parameters: dict[str, Parameter] = made.parameters
    kind = kind_of(made.known_as)
    assert {name: parameter.field for name, parameter in parameters.items()} == {
        name: given.name for name, given in kind.parameters.items()
    }


def test_writers_and_drawers_are_of_layers_that_there_are() -> None:
    for word in WORDS - {"loss"}:
        assert (word in WRITERS) != (kind_of(word).torch is not None), word
    for word in (word for kind in KINDS.values() if kind.commands for word in kind.words):
        assert (word in DRAWERS) != (kind_of(word).draw is not None), word
    assert {*WRITERS, *DRAWERS} <= WORDS


def test_results_and_names_follow_from_what_kinds_say() -> None:
    assert RESULTS[:4] == ("output", "indices", "loss", "delta")
    assert {"dW", "db", "dX", "W_new", "b_new", "velocity_W", "velocity_b"} <= {*RESULTS}
    assert RESULTS.index("dX") < RESULTS.index("W_new") < RESULTS.index("velocity_W")
    assert ADDED_BY["W_new"] == "--lr" and ADDED_BY["indices"] == "--indices of pool-forward"
    other = {"pad"}  # a setting under another of its names
    assert {*RESULTS, *SETTINGS, *other, *(name for names in ROLES.values() for name in names)} == NAMES


def test_settings_that_belong_to_another_name_one_of_their_kind() -> None:
    for kind in KINDS.values():
        table = {setting.name: setting for setting in kind.every}
        for setting in table.values():
            assert {*setting.rivals} <= {*table}, setting.name
            if setting.belongs is not None:
                owner, values = setting.belongs
                assert all(table[owner].value(value) == value for value in listed_names(values)), setting.name


def test_poolings_are_those_that_are_worked_out() -> None:
    assert tuple(POOL_KINDS) == POOLINGS


def test_kinds_need_no_numpy() -> None:
    program = "import convgrad.kinds.sizes, sys; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
