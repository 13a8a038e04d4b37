"""The door from what is said to bytes: a table of formats, and what a new one takes."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Convgrad, quoted

from convgrad.errors import OptionError
from convgrad.kinds.formats import FORMATS, NAMES, SUFFIXES, format_of, telling
from convgrad.problems.report import Facts
from convgrad.render import write

SOURCE = ROOT / "src" / "convgrad"

LINE = '    Format("lines", "convgrad.render.data.lines:Lines", (".lines",), "a number a line", steps=SOME_STEPS),\n'

MODULE = '''"""A number a line."""

from convgrad.problems.report import Report
from convgrad.render.number_text import exact
from convgrad.render.writer import Writer


class Lines(Writer):
    """The results of a report, a number a line, and how many overlays there are to be seen."""

    def report(self, report: Report) -> str:
        """All of them."""
        numbers = [exact(n, self.style.precision) for q in report.results.values() for n in q.value.ravel()]
        return "\\n".join([*numbers, f"{report.steps} steps"]) + "\\n"
'''


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with one more format: a module, and a line of the table."""
    copy = tmp_path_factory.mktemp("house") / "convgrad"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "render" / "data" / "lines.py").write_text(MODULE)
    table = copy / "kinds" / "formats.py"
    head, foot = table.read_text().split(")\n\nFORMATS = {")
    table.write_text(head + LINE + ")\n\nFORMATS = {" + foot)
    return copy


def run(house: Path, line: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(house.parent), "COLUMNS": "200"}
    program = [sys.executable, "-m", *shlex.split(line)]
    return subprocess.run(program, capture_output=True, text=True, env=environment, check=False, cwd=house.parent)


def test_a_new_format_is_a_module_and_a_line(house: Path) -> None:
    old, new = (
        {p.relative_to(top): p.read_bytes() for p in top.rglob("*.*") if p.suffix != ".pyc"} for top in (SOURCE, house)
    )
    assert [*map(str, new.keys() - old.keys())] == [os.path.join("render", "data", "lines.py")]
    (changed,) = (path for path in old if old[path] != new[path])
    assert new[changed].decode() == old[changed].decode().replace(")\n\nFORMATS", LINE + ")\n\nFORMATS")

    job = "convgrad conv-backward '[[1,2],[3,4]]' 1 -k '[[1]]' --only dW,dX"
    assert run(house, f"{job} --format lines").stdout == "10.0\n1.0\n1.0\n1.0\n1.0\n16 steps\n"
    assert run(house, f"{job} --format lines --steps 2 --precision 1").stdout.endswith("1.0\n2 steps\n")
    assert run(house, f"{job} -o found.lines").returncode == 0
    assert (house.parent / "found.lines").read_text() == "10.0\n1.0\n1.0\n1.0\n1.0\n16 steps\n"
    page = " ".join(run(house, "convgrad conv-backward --help").stdout.split())
    assert "torch (a PyTorch program of the same) or lines (a number a line)." in page and ".py .lines." in page
    refused = run(house, """convgrad conv-backward '[1,2]' '[1,2]' -k '[1]' --check '{"dX": [1, 2]}' --format lines""")
    assert refused.returncode == 2
    assert (
        refused.stderr
        == "Error: --format: verdicts are written as table, json, csv, html, markdown or latex, not as lines\n"
    )
    near = run(house, f"{job} --format line")
    assert "Did you mean 'lines'?" in near.stderr


def test_what_a_format_cannot_say_is_said_alike(convgrad: Convgrad) -> None:
    conv = "convgrad conv-backward '[1,2]' '[1,2]' -k '[1]'"
    for noun, said, job in (
        ("verdicts", "verdicts are", conv + """ --check '{"dX": [1, 2]}'"""),
        ("gradcheck", "a comparison is", f"{conv} --gradcheck"),
        ("catalogue", "the catalogue is", "convgrad mistakes"),
        ("mistake", "a mistake is", "convgrad mistakes kernel-not-rotated"),
    ):
        for form in NAMES[1:]:
            if noun in FORMATS[form].tells:
                continue
            ran = convgrad(f"{job} --format {form}")
            assert (ran.code, ran.out) == (2, "")
            assert ran.err == f"Error: --format: {said} written as {telling(noun)}, not as {form}\n"
        assert convgrad(f"{job} --format json").out.startswith(("{", "["))


def test_every_format_writes_reports_and_facts(convgrad: Convgrad, tmp_path: Path) -> None:
    for suffix, name in SUFFIXES.items():
        assert format_of(f"a.b{suffix.upper()}") == name
        if "report" not in FORMATS[name].tells:
            continue
        target = tmp_path / f"report{suffix}"
        assert convgrad(f"convgrad conv-forward '[[1,2],[3,4]]' -k '[[0.5]]' -o {quoted(target)}").code == 0
        direct = convgrad(f"convgrad conv-forward '[[1,2],[3,4]]' -k '[[0.5]]' --format {name}")
        assert direct.code == (0 if name in NAMES else 2)
        assert not direct.out or direct.out.encode() == target.read_bytes()
        if name != "torch":
            assert write(Facts("facts", {"size": [1, 2]}), name)
    with pytest.raises(OptionError, match="no PyTorch program"):
        write(Facts("facts", {"size": [1, 2]}), "torch")
    assert json.loads(write(Facts("", {"a": 1}), "json")) == {"a": 1}
