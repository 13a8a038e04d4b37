"""Markdown and LaTeX: well formed, with every number in them; LaTeX compiles where there is a TeX."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad.formula import Formula, Named, Over
from convgrad.render.documents.latex import escaped, mathematics
from convgrad.render.number_text import readable

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json -k '[[0.1,0.2],[0.3,0.4]]'"
TWO = "convgrad conv-backward samples/two-filters/problem.json"
X = "'[[1,2,3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]]'"
JOBS = {
    "classic": CLASSIC,
    "classic all": f"{CLASSIC} --steps all --lr 0.1 --weight-decay 0.01 -b 1",
    "rotated": f"{CLASSIC} --form rotated --steps 3",
    "matrix": f"{CLASSIC} --form matrix --steps 2",
    "two filters": f"{TWO} --steps 2",
    "explained": f"{CLASSIC} --explain 'dW[0,1]' --explain dX --explain output --zeros",
    "exact": f"convgrad pool-backward {X} '[[1,2],[3,4]]' --size 2 --kind avg --dtype exact --steps all",
    "thirds": """convgrad conv-forward '["1/3", "-2/7", 1e-9]' -k '[1, 1]' --dtype exact""",
    "small": "convgrad conv-forward '[1e-9, 2e10, -3.25]' -k '[1, 1]'",
    "max": f"convgrad pool-backward {X} '[[1,2],[3,4]]' --size 2 --padding 0:0 --explain dX",
    "padded max": "convgrad pool-forward '[1,2,3]' --size 2 --padding 1 --stride 1",
    "dense": "convgrad dense-backward '[1,2]' '[1,1]' -w '[[1,2],[3,4]]' --activation sigmoid --explain dX --explain output --only dW",
    "softmax": "convgrad activation-backward '[1,2,3]' '[1,0,0]' --activation softmax --explain 'dX[0]'",
    "gelu": "convgrad activation-backward '[1,2,3]' '[1,0,0]' --activation gelu",
    "transposed": "convgrad conv-backward '[[1,2],[3,4]]' 1 -k '[[1,2],[3,4]]' --transposed --stride 2",
    "unshared": f"convgrad conv-backward {X} 1 --unshared --kernel-size 2,2 --stride 2",
    "loss": "convgrad loss '[0.5,1]' 1 --kind cross-entropy --explain loss --explain delta",
    "bce": "convgrad loss '[0.5,0.9]' '[1,0]' --kind bce --explain loss --explain delta",
    "network": "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json",
    "wide": f"convgrad conv-forward {quoted(np.arange(60).reshape(2, 30).tolist())} -k '[[0.123456,1],[2,3]]' --steps 2",
    "shape": "convgrad shape 3x32x32 --kernel-size 3",
}


def written(convgrad: Convgrad, name: str, form: str) -> str:
    ran = convgrad(f"{JOBS[name]} --format {form}")
    assert ran.code == 0, ran.err
    assert ran.out.isascii()
    return ran.out


@pytest.mark.parametrize("name", JOBS)
def test_markdown_is_well_formed(convgrad: Convgrad, name: str) -> None:
    text = written(convgrad, name, "markdown")
    assert text.startswith("# ")
    columns = 0
    for line in text.splitlines():
        count = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (count and columns) or count == columns, line
        columns = count
    assert text.count("```") % 2 == 0


@pytest.mark.parametrize("form", ["markdown", "latex"])
@pytest.mark.parametrize("name", ["classic", "two filters", "matrix", "dense"])
def test_every_number_of_the_results_is_there(convgrad: Convgrad, name: str, form: str) -> None:
    text = written(convgrad, name, form)
    for value in json.loads(convgrad(f"{JOBS[name]} --steps none").out).values():
        if not isinstance(value, dict) and not (isinstance(value, list) and value and isinstance(value[0], dict)):
            for number in np.asarray(value, float).ravel():
                shown = readable(number).replace("e-", r" \cdot 10^{-") if form == "latex" else readable(number)
                assert shown.split("{-0")[0] in text


def test_markdown_shows_the_working(convgrad: Convgrad) -> None:
    text = written(convgrad, "classic", "markdown")
    assert "### overlay (0, 2): delta\\[0,2\\] = 0.0686" in text
    assert "| 0 | 0.51 | 0.9 | **0.88** | **0.84** | 0.05 |" in text
    assert "12 of 16 overlays have delta 0 and add nothing" in text
    assert "`dW[m,n] = sum over i,j of delta[i,j] * input[i+m,j+n]`" in text
    explained = written(convgrad, "explained", "markdown")
    assert "= 0*0.9 + 0*0.88 + 0.0686*0.84" in explained
    assert "## Results" not in explained


def test_files_by_their_suffix(convgrad: Convgrad, tmp_path: Path) -> None:
    for name, start in (("a.md", "# convolution"), ("a.tex", "% Input this file")):
        assert convgrad(f"{CLASSIC} -o {quoted(tmp_path / name)}").code == 0
        assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (
            Formula(
                (Named("dW", (("*0", "m"),)), " = ", Over(letters=("i", "j")), Named("delta", (("", "i,j"),)), " * b")
            ),
            r"\mathrm{dW}_{m} = \sum_{i,j} \mathrm{delta}_{i,j} \cdot b",
        ),
        (
            Formula((Over("f", (), ("i", "m"), ("i+m",), ("x",)), Named("b", (("F", "f"),)))),
            r"\sum_{f,i,m \mid (i+m) = (x)} \mathrm{b}_{f}",
        ),
        (Formula((Over(every=("i", "m"), wanted=("x",)), "1")), r"\sum_{i,m \mid \text{on } (x)} 1"),
        (Formula.of("{W_new} = {W} - 0.1 * {dW}"), r"\mathrm{W\_new} = \mathrm{W} - 0.1 \cdot \mathrm{dW}"),
        (Formula.of("{kernel}^T"), r"\mathrm{kernel}^{\mathsf{T}}"),
        (Formula.of("{delta dilated by 2}"), r"\text{delta dilated by 2}"),
        (Formula.of("log({output[]})").at((0, 1)), r"\mathrm{log}(\mathrm{output}_{0,1})"),
    ],
)
def test_formulas_become_mathematics(formula: Formula, expected: str) -> None:
    assert mathematics(formula) == expected


def test_nothing_is_a_command_by_accident() -> None:
    assert escaped(r"50% of_$x\y{}^~&#") == r"50\% of\_\$x\textbackslash{}y\{\}\textasciicircum{}\textasciitilde{}\&\#"
    assert escaped("naïve ☃") == "na?ve ?"


@pytest.mark.parametrize("name", JOBS)
def test_latex_is_balanced(convgrad: Convgrad, name: str) -> None:
    text = re.sub(r"\\[{}]", "", written(convgrad, name, "latex"))
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    for environment in set(re.findall(r"\\begin\{(\w+\*?)\}", text)):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}")


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no TeX here")
def test_latex_compiles_as_it_stands(convgrad: Convgrad, tmp_path: Path) -> None:
    body: list[Any] = []
    for number, name in enumerate(JOBS):
        (tmp_path / f"part{number}.tex").write_text(written(convgrad, name, "latex"))
        body.append(rf"\input{{part{number}}}\clearpage")
    document = "\n".join(
        [r"\documentclass{article}", r"\usepackage{amsmath}", r"\begin{document}", *body, r"\end{document}"]
    )
    (tmp_path / "all.tex").write_text(document)
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
