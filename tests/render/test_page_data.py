"""The page's data: the numbers of the JSON, the cells of every overlay and sum, and what it says where it is cut."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad import Conv, Pool, Unshared
from convgrad.problems import Operand
from convgrad.problems.conv import conv_problem
from convgrad.problems.report import Facts, Report
from convgrad.problems.solve import solve
from convgrad.render import write

X = "[[1,2,3],[4,5,6],[7,8,9]]"
K = "[[1,0],[2,-3]]"
CLASSIC = f"convgrad conv-backward samples/classic/input.json samples/classic/delta.json -k '{K}'"
JOBS = {
    "classic": CLASSIC,
    "two-filters": "convgrad conv-backward samples/two-filters/problem.json",
    "forward": f"convgrad conv-forward '{X}' -k '{K}' -b 0.5",
    "batch": f"convgrad conv-backward {quoted([[[[1, 2], [3, 4]]] * 2] * 3)} 1 -k '[[[[1]],[[2]]]]'",
    "channels-last": f"convgrad conv-backward '[{X},{X},{X}]' 1 -k '[[[[1,2],[0,1],[3,1]]]]' --layout channels-last",
    "1-d": "convgrad conv-backward '[1,2,3]' '[-0.1,0.2]' -k '[0.3,0.5]' -b 0 --lr 0.1",
    "3-d": f"convgrad conv-backward '[{X},{X}]' 1 -k '[{K},{K}]' --dims 3",
    "activated": f"convgrad conv-backward '{X}' 1 -k '{K}' --activation sigmoid",
    "stride": f"convgrad conv-backward '{X}' 1 -k '{K}' --stride 2 --padding 1 --dilation 2",
    "groups": f"convgrad conv-backward '[{X},{X}]' 1 -k '[[{K}],[{K}]]' --groups 2 --pad-mode reflect --padding 1",
    "transposed": f"convgrad conv-backward '{X}' 1 -k '{K}' --transposed --stride 2 -b 3",
    "transposed-forward": f"convgrad conv-forward '{X}' -k '{K}' --transposed -b 3",
    "unshared": f"convgrad conv-backward '{X}' 1 --unshared -k '[[{K},{K}],[{K},{K}]]'",
    "max": f"convgrad pool-backward '{X}' 1 --size 2 --stride 1",
    "average": f"convgrad pool-forward '{X}' --kind avg --size 2 --padding 1",
    "indices": f"convgrad pool-forward '{X}' --size 2 --indices",
    "dense": "convgrad dense-backward '[[1,2],[3,4]]' '[[1],[2]]' -w '[[0.3,0.4]]' -b 1 --activation tanh",
    "relu": "convgrad activation-backward '[[1,-2],[3,0]]' 1 --activation relu",
    "softmax": "convgrad activation-backward '[1,-2,3]' '[1,0,2]' --activation softmax",
    "loss": "convgrad loss '[1,2,0.5]' 2 --kind cross-entropy",
    "float32": f"{CLASSIC} --dtype float32",
}  # fmt: skip


def data_of(page: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


class Read:
    """A figure, read as the page's script reads it."""

    def __init__(self, page: str, number: int = 0) -> None:
        data = data_of(page)
        self.figure = data["figures"][number]
        self.exact = [text.split("|")[0] for text in data["numbers"].split(" ")]
        self.arrays = {array["name"]: array for array in self.figure["arrays"]}
        self.at = {}
        self.name = {}
        for array in self.figure["arrays"]:
            place = array["start"]
            for plane in array["planes"]:
                for r in range(plane["rows"]):
                    for c in range(plane["columns"]):
                        called = plane["cell"].replace("%r", str(r)).replace("%c", str(c))
                        self.at[called], self.name[place] = place, called
                        place += 1

    def value(self, place: int) -> Any:
        array = self.arrays[self.name[place].split("[")[0]]
        return self.number(array["numbers"][place - array["start"]])

    def number(self, k: int) -> Any:
        return json.loads(self.exact[k])

    def places(self, runs: list[int]) -> list[int]:
        return [
            place for start, count in zip(runs[::2], runs[1::2], strict=True) for place in range(start, start + count)
        ]

    def factor(self, code: int) -> tuple[str, Any]:
        if code >= 0:
            return self.name[code], self.value(code)
        label, number, _ = self.figure["factors"][-1 - code]
        return label, self.number(number)


def written(said: Report | Facts) -> str:
    return write(said, "html").decode()


def page_of(convgrad: Convgrad, line: str) -> str:
    ran = convgrad(f"{line} --format html")
    assert ran.code == 0, ran.err
    return ran.out


def cell_of(name: str, at: Any) -> str:
    return f"{name}[{','.join(map(str, at))}]" if len(at) else name


@pytest.mark.parametrize("job", JOBS)
def test_numbers_are_those_of_the_json(convgrad: Convgrad, job: str) -> None:
    """Each result, and each sum and contribution of each overlay, of every form."""
    read = Read(page_of(convgrad, JOBS[job]))
    for form in read.figure["forms"]:
        options = "" if job == "loss" else f"--form {form['name']} --steps all"
        found = json.loads(convgrad(f"{JOBS[job]} {options}").out)
        results = {name: np.array(each) for name, each in found.items() if name not in ("steps", "form", "arrays")}
        for name, result in results.items():
            for at in np.ndindex(result.shape):
                assert read.value(read.at[cell_of(name, at)]) == result[at], (name, at)
        for walk in form["walks"]:
            assert walk["total"] == len(walk["steps"])
            for part, name in enumerate(walk["names"]):
                steps = found["steps"][name]
                assert len(steps) == walk["total"]
                for k, (own, other) in enumerate(zip(walk["steps"], steps, strict=True), start=1):
                    assert own["at"] == f"({', '.join(map(str, other['at']))})" or not other["at"]
                    runs, added, after = own["parts"][part]
                    sums, patch = np.array(other["sum"]), np.array(other["contribution"])
                    for place, number in zip(read.places(runs), after, strict=True):
                        at = tuple(map(int, re.findall(r"\d+", read.name[place].partition("[")[2])))
                        assert read.number(number) == sums[at] or k == walk["total"]
                    kept = sorted(read.number(number) for number in added)
                    assert [n for n in kept if n] == sorted(n for n in patch.ravel().tolist() if n)


@pytest.mark.parametrize("job", JOBS)
def test_sums_are_those_of_explain(convgrad: Convgrad, job: str) -> None:
    """Every product of every element, by name and number; what lights up is where the factors stand."""
    read = Read(page_of(convgrad, JOBS[job]))
    checked = 0
    for name, own in read.figure["sums"].items():
        assert not own["left"]
        for place, (terms, products, zeros, value, *_) in list(own["cells"].items())[:6]:
            element = read.name[int(place)]
            assert element.split("[")[0] == name
            (found,) = json.loads(convgrad(f"{JOBS[job]} --explain {quoted(element)}").out)["explain"]
            assert found["formula"] == own["formula"] and found["zero_terms"] == zeros
            assert found["value"] == (read.value(int(place)) if value < 0 else read.number(value))
            assert [term["product"] for term in found["terms"]] == [read.number(k) for k in products]
            assert [[tuple(each) for each in term["factors"]] for term in found["terms"]] == [
                [read.factor(code) for code in term] for term in terms
            ]
            checked += 1
    assert checked


def lit(read: Read, step: Any) -> list[str]:
    return [read.name[place] for place in read.places(step["lit"])]


def test_what_lights_up(convgrad: Convgrad) -> None:
    """The window, the delta, the node's weights, a place's own kernel, a matrix's column."""
    read = Read(page_of(convgrad, CLASSIC))
    overlay, _, matrix = read.figure["forms"]
    window = [f"input[{r},{c}]" for r in (0, 1) for c in (2, 3)]
    assert lit(read, overlay["walks"][0]["steps"][0]) == [*window, "delta[0,2]"]
    found = lit(read, matrix["walks"][0]["steps"][0])
    assert {*window, "delta[0,2]", "delta as a matrix[0,2]", *(f"patches[{k},2]" for k in range(4))} <= {*found}
    read = Read(page_of(convgrad, JOBS["dense"]))
    step = read.figure["forms"][0]["walks"][0]["steps"][1]
    assert lit(read, step) == ["input[1,0]", "input[1,1]", "weight[0,0]", "weight[0,1]", "sensitivity[1,0]"]
    read = Read(page_of(convgrad, JOBS["unshared"]))
    step = read.figure["forms"][0]["walks"][0]["steps"][1]
    assert [name for name in lit(read, step) if name.startswith("kernel")] == [
        f"kernel[0,1,{r},{c}]" for r in (0, 1) for c in (0, 1)
    ]
    read = Read(page_of(convgrad, JOBS["transposed"]))
    step = read.figure["forms"][0]["walks"][0]["steps"][1]
    assert lit(read, step) == ["input[0,1]", *(f"delta[{r},{c}]" for r in (0, 1) for c in (2, 3))]
    read = Read(page_of(convgrad, JOBS["stride"]))  # what lies in the padding, or between the kernel's cells, is dark
    step = read.figure["forms"][0]["walks"][0]["steps"][0]
    assert lit(read, step) == ["input[1,1]", "delta[0,0]"]


def test_the_page_draws_the_padding_under_the_window(convgrad: Convgrad) -> None:
    """Each step tells the cells of the padding, by plane, row and column, and what they hold; planes leave them room."""
    job = "convgrad conv-forward '[[1,2],[4,5]]' -k '[[1,1],[2,2]]' --padding 1 --pad-mode reflect"
    read = Read(page_of(convgrad, job))
    walk = read.figure["forms"][0]["walks"][0]
    assert walk["padding"] == "Cells in parentheses lie in the padding, which holds what reflect lends it."
    name, *cells = walk["steps"][0]["pad"]
    assert (name, [(p, r, c, read.number(k)) for p, r, c, k in cells]) == (
        "input",
        [(0, -1, -1, 5.0), (0, -1, 0, 4.0), (0, 0, -1, 2.0)],
    )
    assert "pad" not in walk["steps"][4]
    assert read.arrays["input"]["planes"][0]["margin"] == [1, 1, 1, 1]
    read = Read(page_of(convgrad, JOBS["stride"]))
    walk = read.figure["forms"][0]["walks"][0]
    assert [(r, c) for _, r, c, _ in walk["steps"][0]["pad"][1:]] == [(-1, -1), (-1, 1), (1, -1)]
    assert not any(form["walks"] and form["walks"][0]["padding"] for form in read.figure["forms"][1:])
    assert not Read(page_of(convgrad, CLASSIC)).figure["forms"][0]["walks"][0]["padding"]


def test_options_rule_the_page(convgrad: Convgrad) -> None:
    walk = Read(page_of(convgrad, f"{CLASSIC} --steps 2")).figure["forms"][0]["walks"][0]
    assert (len(walk["steps"]), walk["total"]) == (2, 4)
    assert not Read(page_of(convgrad, f"{CLASSIC} --steps none")).figure["forms"][0]["walks"]
    read = Read(page_of(convgrad, f"{CLASSIC} --only db --form rotated --precision 2"))
    assert [read.figure["arrays"][k]["name"] for k in read.figure["results"]] == ["db"]
    assert read.figure["forms"][read.figure["form"]]["name"] == "rotated"
    assert read.value(read.at["db"]) == 0.08
    asked = Read(page_of(convgrad, f"{CLASSIC} --explain 'dW[0,1]' --explain dX --zeros")).figure["opened"]
    assert [each[0] for each in asked] == ["dW[0,1]", "dX[1,3]"]
    assert len(asked[0][3][0]) == 16


def test_networks_and_shapes_have_pages(convgrad: Convgrad) -> None:
    network = "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json"
    page = page_of(convgrad, f"{network} --lr 0.5")
    titles = [figure["title"] for figure in data_of(page)["figures"]]
    assert titles == ["the loss, mse", "layers[1]: dense, activation sigmoid", "layers[0]: dense, activation sigmoid"]
    found = json.loads(convgrad(f"{network} --lr 0.5").out)
    for k, layer in ((1, found["layers"][1]), (2, found["layers"][0])):
        read = Read(page, k)
        assert read.value(read.at["dW[0,1]"]) == layer["dW"][0][1]
        assert read.value(read.at["delta[1]"]) == layer["delta"][1]
        assert len(read.figure["forms"][0]["walks"][0]["steps"]) == 2
    only = data_of(page_of(convgrad, f"{network} --only 'layers[0].db'"))["figures"]
    assert [figure["title"] for figure in only] == [titles[2]]
    page = page_of(convgrad, "convgrad shape 3x3 --kernel-size 2")
    assert "<th scope=row>parameters, unshared</th><td>16</td>" in page


def test_a_page_is_whole_and_safe(convgrad: Convgrad, tmp_path: Path) -> None:
    """Nothing is fetched, and no title, name or note is markup."""
    nasty = '</script><b>"&\u2028{{js}}'
    operands = {"input": Operand(np.ones((3, 3)), nasty), "kernel": Operand(np.ones((2, 2)), nasty)}
    solution = solve(conv_problem(operands, {}, False))
    report = Report(
        nasty, {**solution.operands, nasty: np.ones(2)}, solution.spatial, solution.quantities, None, [nasty]
    )
    for page in (written(report), written(Facts(nasty, {nasty: nasty}))):
        assert "<b>" not in page and page.count("</script>") in (0, 2)
        assert f"<title>{html.escape(nasty)}</title>" in page and f"<h1>{html.escape(nasty)}</h1>" in page
        assert "default-src 'none'" in page
        assert not re.search(r"(https?:)?//[\w.]+/|@import|url\(|<link (?!rel=\"icon\" href=\"data:,\")", page)
    assert data_of(written(report))["figures"][0]["notes"] == [nasty]
    target = tmp_path / "</script><b>.html".replace("/", "")
    assert convgrad(f"{CLASSIC} -o {quoted(target)}").code == 0
    assert target.read_text() == page_of(convgrad, CLASSIC)
    assert data_of(written(replace(report, operands={nasty: np.ones(2)})))["figures"][0]["arrays"]


@pytest.mark.slow
def test_a_large_page_is_cut_and_says_so(convgrad: Convgrad, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.random((1, 28, 28)), rng.random((8, 1, 3, 3))
    np.savez(tmp_path / "eight.npz", input=x, kernel=kernel, delta=rng.random((8, 26, 26)))
    page = page_of(convgrad, f"convgrad conv-backward {quoted(tmp_path)}/eight.npz")
    assert len(page) < 3_000_000
    read = Read(page)
    assert all(not array["left"] for array in read.arrays.values())  # every number of it is there
    walk = read.figure["forms"][0]["walks"][0]
    assert 100 <= len(walk["steps"]) < walk["total"] == 676
    assert re.fullmatch(r"the first \d+ of 5408", read.figure["sums"]["output"]["left"])
    terms, products, zeros, _, more, runs = read.figure["sums"]["dW"]["cells"][str(read.at["dW[0,0,0,0]"])]
    assert len(terms) == len(products) == 40 and zeros == 0 and more == 676 - 40
    assert len(read.places(runs)) == 2 * 676

    np.savez(tmp_path / "wide.npz", input=rng.random((512, 512)), kernel=kernel[0, 0], delta=rng.random((510, 510)))
    page = page_of(convgrad, f"convgrad conv-backward {quoted(tmp_path)}/wide.npz")
    assert len(page) < 3_000_000
    read = Read(page)
    assert read.arrays["dX"]["left"] == "the first 15 of 512 rows"
    assert [form["name"] for form in read.figure["forms"]] == ["overlay"]
    assert "input[0,511]" in read.at and "input[15,0]" not in read.at


def lenet(size: int, kind: str, activation: str) -> dict[str, Any]:
    """A network of LeNet's sizes: conv 6@5x5, pool, conv 16@5x5, pool, dense 120, 84, 10; numbers with all digits."""
    rng = np.random.default_rng(0)

    def layer(type_: str, *shape: int) -> dict[str, Any]:
        name = "kernel" if type_ == "conv" else "weight"
        numbers = rng.normal(0, 0.3, shape), rng.normal(0, 0.3, shape[0])
        return {"type": type_, name: numbers[0].tolist(), "bias": numbers[1].tolist(), "activation": activation}

    pool = {"type": "pool", "kind": kind, "size": 2}
    convs = [{**layer("conv", 6, 1, 5, 5), "padding": (32 - size) // 2}, pool, layer("conv", 16, 6, 5, 5), pool]
    dense = [layer("dense", 120, 400), layer("dense", 84, 120), {**layer("dense", 10, 84), "activation": "identity"}]
    return {"layers": [*convs, {"type": "flatten"}, *dense], "loss": "mse"}


@pytest.mark.parametrize(("size", "kind", "activation"), [(32, "avg", "tanh"), (28, "max", "relu")])
def test_a_network_of_the_size_of_lenet_fits(
    convgrad: Convgrad, tmp_path: Path, size: int, kind: str, activation: str
) -> None:
    (tmp_path / "network.json").write_text(json.dumps(lenet(size, kind, activation)))
    np.save(tmp_path / "x.npy", np.random.default_rng(1).random((1, size, size)))
    page = page_of(
        convgrad, f"convgrad backprop {quoted(tmp_path)}/network.json {quoted(tmp_path)}/x.npy {quoted([0.0] * 10)}"
    )
    assert len(page.encode()) < 3_000_000
    figures = data_of(page)["figures"]
    assert len(figures) == 9
    for figure in figures:
        for array in figure["arrays"]:
            rows = [plane["rows"] for plane in array["planes"]]
            assert array["left"] or sum(p["rows"] * p["columns"] for p in array["planes"]) == len(array["numbers"])
            assert min(rows) >= 4 or not array["left"], array["name"]  # what is cut can still be followed
        assert all(walk["steps"] for form in figure["forms"] for walk in form["walks"])
    whole = {array["name"] for figure in figures for array in figure["arrays"] if not array["left"]}
    assert {"input", "kernel", "bias", "dW", "db", "dX"} <= whole


def test_a_large_layer_with_all_its_digits_fits(convgrad: Convgrad, tmp_path: Path) -> None:
    """Arrays and overlays share the page: neither may fill it alone."""
    rng = np.random.default_rng(1)
    x, kernel, delta = (rng.normal(size=shape) for shape in ((3, 48, 48), (16, 3, 3, 3), (16, 46, 46)))
    np.savez(tmp_path / "large.npz", input=x, kernel=kernel, delta=delta)
    page = page_of(convgrad, f"convgrad conv-backward {quoted(tmp_path)}/large.npz --activation tanh")
    assert len(page.encode()) < 3_000_000
    read = Read(page)
    assert all(len(form["walks"][0]["steps"]) > 1 for form in read.figure["forms"])
    assert "the first" in read.arrays["output"]["left"] and not read.arrays["kernel"]["left"]


def test_notebooks() -> None:
    """What IPython asks for: the numbers, the formula, a label a plane; nothing is markup that should not be."""
    x = np.arange(18.0).reshape(1, 2, 3, 3) - 4
    quantity = Conv(kernel=np.ones((1, 2, 2, 2)) / 3).forward(x)
    shown = quantity._repr_html_()
    for number in quantity.value.ravel():
        assert f">{number:.8g}</td>" in shown and f"title='{float(number) + 0.0!r}'" in shown
    assert "sum over c,m,n of input[c,i+m,j+n]" in shown and "<script" not in shown
    dX = Pool("max", size=2, stride=1).backward(x, np.ones((1, 2, 2, 2)))[0]._repr_html_()
    assert "dX[0,0]" in dX and "dX[0,1]" in dX and dX.count("<table") == 2
    assert "rgba(232,135,30,0.55)" in dX and "rgba(58,134,212" not in dX
    unshared = Unshared(np.ones((2, 2, 1, 1, 2, 2))).backward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))
    assert all("<td" in each._repr_html_() for each in unshared)
    assert "the first" in Conv(np.ones((1, 1, 2, 2))).forward(np.ones((1, 1, 99, 99)))._repr_html_()


def test_a_report_in_a_notebook_is_its_page() -> None:
    operands = {"input": Operand(np.ones((3, 3)), "x"), "kernel": Operand(np.ones((2, 2)), "k")}
    solution = solve(conv_problem(operands, {}, False))
    report = Report("<i>", solution.operands, solution.spatial, solution.quantities, None, working=solution.working)
    shown = report._repr_html_()
    assert shown.startswith('<iframe title="&lt;i&gt;" srcdoc="&lt;!doctype html&gt;')
    (inside,) = re.findall(r'srcdoc="([^"]*)"', shown)
    assert html.unescape(inside) == written(report)


def test_fractions_are_what_they_are(convgrad: Convgrad) -> None:
    job = "convgrad pool-backward '[[0.1,0.2,0.3],[1,2,3],[4,5,6]]' '[[0.1]]' --kind avg --size 3 --dtype exact"
    read = Read(page_of(convgrad, job))
    array = read.arrays["dX"]
    assert [read.exact[k] for k in array["numbers"]] == ["1/90"] * 9
    (step,) = read.figure["forms"][0]["walks"][0]["steps"]
    assert [read.exact[k] for k in step["parts"][0][2]] == ["1/90"] * 9
    ((terms, products, *_),) = [read.figure["sums"]["dX"]["cells"][str(read.at["dX[1,1]"])]]
    assert [read.exact[k] for k in products] == ["1/90"] and len(terms) == 1


def test_an_element_of_a_network_is_open_at_first(convgrad: Convgrad) -> None:
    network = "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json"
    page = page_of(convgrad, f"{network} --explain 'layers[0].dW[0,1]' --explain loss --explain 'layers[0].delta'")
    assert [[each[0] for each in figure["opened"]] for figure in data_of(page)["figures"]] == [
        ["loss"],
        [],
        ["dW[0,1]", "delta[1]"],
    ]
    read = Read(page, 2)
    dW, delta = read.figure["opened"]
    assert dW[2] == read.at["dW[0,1]"] and delta[2] == read.at["delta[1]"]
    assert all(code >= 0 for term in dW[3][0] for code in term)
    assert all(code < 0 for term in delta[3][0] for code in term)  # products of the layer behind: no cells of this one
