"""What people see, at fixed widths. `pytest --rewrite` writes the screens anew; look at them before committing."""

import pytest
from conftest import ROOT, Convgrad
from screens import picture

SCREENS = ROOT / "tests" / "screens"

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json -k '[[0.1, 0.2], [0.3, 0.4]]'"
JOBS = {
    "classic": CLASSIC,
    "layer-1d": "convgrad conv-backward samples/layer-1d/input.json samples/layer-1d/delta.json -k samples/layer-1d/kernel.json --lr 0.1",
    "layer-1d-forward": "convgrad conv-forward samples/layer-1d/input.json -k samples/layer-1d/kernel.json",
    "two-filters": "convgrad conv-backward samples/two-filters/problem.json --steps 2",
    "norm-backward": "convgrad norm-backward samples/normalisation/problem.json",
    "max-pool": "convgrad pool-backward samples/pooling/input.json samples/pooling/delta.json --size 2",
    "average-pool-forward": "convgrad pool-forward samples/pooling/input.json --kind avg --size 2 --steps 1",
    "shape": "convgrad shape 3x32x32 --kernel-size 3 --filters 16 --padding same",
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", JOBS)
def test_screen(convgrad: Convgrad, request: pytest.FixtureRequest, name: str, width: int) -> None:
    ran = convgrad(JOBS[name], tty=True, COLUMNS=str(width), NO_COLOR="1")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= width
    golden = SCREENS / f"{name}-{width}.txt"
    if request.config.getoption("--rewrite"):
        golden.write_text(ran.out)
    assert ran.out == golden.read_text()


def test_the_picture_that_opens_the_readme_is_current(request: pytest.FixtureRequest) -> None:
    now = picture.draw()
    if request.config.getoption("--rewrite"):
        picture.PICTURE.write_text(now)
    assert picture.words(now) == picture.words(picture.PICTURE.read_text())
    assert f"]({picture.PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text().split("```")[0]


def test_every_number_of_the_paper_is_on_the_screen(convgrad: Convgrad) -> None:
    """The classic sample worked by hand: each product, each running sum."""
    out = convgrad(CLASSIC, tty=True, NO_COLOR="1").out
    window = (
        [[0.88, 0.84], [0.22, 0.59]],
        [[0.62, 0.22], [0.2, 0.74]],
        [[0.2, 0.74], [0.01, 0.85]],
        [[0.7, 0.09], [0.17, 0.57]],
    )
    totals = [0.0] * 4
    for delta, cells in zip((0.0686, 0.0364, 0.0467, -0.0681), window, strict=True):
        products = [round(delta * cell, 6) for row in cells for cell in row]
        totals = [round(total + product, 6) for total, product in zip(totals, products, strict=True)]
        for number in (delta, *products, *totals, *(round(delta * w, 6) for w in (0.1, 0.2, 0.3, 0.4))):
            assert f"{number:g}" in out


def drawn(convgrad: Convgrad, line: str, **more: str) -> str:
    ran = convgrad(f"{line} --format table", NO_COLOR="1", COLUMNS="80", **more)
    assert ran.code == 0, ran.err
    return ran.out


def scene(out: str, number: int = 0) -> list[str]:
    """The lines of one overlay, its heading left out."""
    return out.split("\noverlay ")[1 + number].splitlines()[1:]


def test_overlays_draw_the_padding(convgrad: Convgrad) -> None:
    """At a corner the window is as large as the kernel, with the padding's cells in parentheses."""
    three = "'[[1,2,3],[4,5,6],[7,8,9]]'"
    out = drawn(convgrad, f"convgrad conv-forward {three} -k {three} --padding 1 --steps 9")
    assert "Cells in parentheses lie in the padding." in " ".join(out.split())
    assert [line.split("   0")[0].rstrip() for line in scene(out)[:5]] == [
        " input                products    output so far",
        " [(0)  (0)  (0)]",
        " [(0)   1    2 ] 3",
        " [(0)   4    5 ] 6",
        "        7    8   9",
    ]
    for number in (0, 1, 2, 3, 5, 6, 7, 8):
        window = [
            line.partition("[")[2].partition("]")[0].split() for line in scene(out, number)[1:5] if "[" in line[:9]
        ]
        assert [len(row) for row in window] == [3, 3, 3]
    assert "(" not in "".join(scene(out, 4)).split("products")[0]  # the middle one covers none
    assert "parentheses" not in drawn(convgrad, f"convgrad conv-forward {three} -k {three} --steps 1")


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("reflect", ["[(5)  (4)]", "[(2)   1 ] 2"]),
        ("replicate", ["[(1)  (1)]", "[(1)   1 ] 2"]),
        ("circular", ["[(5)  (4)]", "[(2)   1 ] 2"]),
    ],
)
def test_the_padding_shows_what_it_holds(convgrad: Convgrad, mode: str, rows: list[str]) -> None:
    job = f"convgrad conv-forward '[[1,2],[4,5]]' -k '[[1,1],[2,2]]' --padding 1 --pad-mode {mode} --steps 1"
    out = drawn(convgrad, job)
    assert [line.split("     ")[0][1 : 1 + len(row)] for line, row in zip(scene(out)[1:], rows, strict=False)] == rows
    assert f"which holds what {mode} lends it." in " ".join(out.split())
    row = "|  | **(5)** | **(4)** |  |" if mode != "replicate" else "|  | **(1)** | **(1)** |  |"
    assert row in convgrad(f"{job} --format markdown").out
    assert r"\mathbf{(5)} & \mathbf{(4)} & " in convgrad(f"{job} --format latex").out or mode == "replicate"


def test_pools_unshared_and_other_ranks_draw_the_padding_too(convgrad: Convgrad) -> None:
    out = drawn(convgrad, "convgrad pool-forward '[[1,2],[3,4]]' --size 2 --padding 1 --steps 1")
    assert scene(out)[1].startswith(" [(pad)  (pad)]") and scene(out)[2].startswith(" [(pad)     1 ] 2")
    out = drawn(
        convgrad, "convgrad pool-backward '[[1,2,3]]' 1 --size 2 --ceil --dims 1 --steps 2 --kind avg --dtype exact"
    )
    assert scene(out, 1)[1].startswith("  1  2 [3  (0)]")
    kernels = [[[[1, 2], [3, 4]]] * 3] * 3
    out = drawn(
        convgrad, f"convgrad conv-backward '[[1,2],[3,4]]' 1 --unshared -k '{kernels}' --padding 1 --dims 2 --steps 1"
    )
    assert scene(out)[1].startswith(" [(0)  (0)]")
    out = drawn(convgrad, "convgrad conv-forward '[1,2,3]' -k '[1,2,3]' --padding 2 --steps 1")
    assert scene(out)[1].startswith(" [(0)  (0)  1] 2  3")
    out = drawn(convgrad, "convgrad conv-forward '[[[1]]]' -k '[[[1,1]],[[1,1]]]' --dims 3 --padding 1,0,1 --steps 1")
    assert "input[-1]" in out and "input[0]" in out


def test_large_paddings_do_not_blow_the_table(convgrad: Convgrad) -> None:
    out = drawn(convgrad, "convgrad conv-forward '[[1,2],[3,4]]' -k '[[1,1],[1,1]]' --padding 30 --steps 2")
    assert [line[:32].rstrip() for line in scene(out)[:3]] == [
        " input    under the kernel   pro",
        "  1  2    (0)  (0)           0",
        "  3  4    (0)  (0)           0",
    ]
    big = [[r * 30 + c for c in range(30)] for r in range(30)]
    out = drawn(convgrad, f"convgrad conv-forward '{big}' -k '[[1,1,1],[1,1,1],[1,1,1]]' --padding 2 --steps 1")
    assert scene(out)[0].startswith(" input[-2:1, -2:1]") and scene(out)[4] == ""


def test_what_a_transposed_convolution_crops_is_drawn(convgrad: Convgrad) -> None:
    """Its kernel lies on the delta, whose window is as large as the kernel at a corner too."""
    job = "'[[1,2],[4,5]]' -k '[[1,1,1],[2,2,1],[1,3,1]]' --transposed --stride 2 --padding 1 --steps 1"
    out = drawn(convgrad, f"convgrad conv-backward {job}".replace(" -k", " 1 -k"))
    assert "Cells in parentheses are cropped, and count as 0." in " ".join(out.split())
    assert scene(out)[1].startswith(" [1] 2    [(0)  (0)  (0)]")
    assert scene(out)[2].startswith("  4  5    [(0)   1    1 ] 1")
    assert "parentheses" not in drawn(convgrad, f"convgrad conv-forward {job}")
