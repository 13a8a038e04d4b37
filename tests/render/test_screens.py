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


def test_overlays_that_hang_over_the_border_show_what_lies_under_the_kernel(convgrad: Convgrad) -> None:
    out = convgrad("convgrad conv-forward '[[1,2],[3,4]]' -k '[[1,1],[1,1]]' --padding 1", tty=True, NO_COLOR="1").out
    assert "under the kernel" in out
    assert "[1] 2" in out
