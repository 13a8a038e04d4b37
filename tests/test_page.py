"""The page in a real browser: stepping, forms, sums, keys, narrow screens, dark mode. Skipped where there is none."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Convgrad, quoted

sync = pytest.importorskip("playwright.sync_api", reason="no driver: pip install '.[browser]'")

pytestmark = pytest.mark.slow

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json -k '[[0.1,0.2],[0.3,0.4]]'"
TWO = "convgrad conv-backward samples/two-filters/problem.json"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, convgrad: Convgrad, tmp_path: Path) -> Iterator[Open]:
    """Write a page and open it; what the console says, or what is fetched, fails the test."""
    said: list[str] = []
    opened: list[Any] = []

    def call(line: str, width: int = 1280, height: int = 800, name: str = "page.html", **options: Any) -> Any:
        ran = convgrad(f"{line} -o {quoted(tmp_path / name)}")
        assert ran.code == 0, ran.err
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: said.append(request.url) if request.url[:5] not in ("file:", "data:") else None
        )
        page.goto((tmp_path / name).as_uri())
        opened.append(page)
        return page

    yield call
    for page in opened:
        page.close()
    assert not said


def cells(page: Any, name: str, lit: bool = False) -> dict[str, str]:
    """The cells of an array by name (or those of them that are lit), as they read."""
    found: dict[str, str] = page.evaluate(
        """([name, lit]) => Object.fromEntries([...document.querySelectorAll("td[role=gridcell]")]
          .filter((td) => td.called.split("[")[0] === name && (!lit || td.classList.contains("lit")))
          .map((td) => [td.called, td.lastChild.textContent]))""",
        [name, lit],
    )
    return found


def heading(page: Any) -> str:
    return str(page.inner_text("#words h2"))


def click(page: Any, called: str) -> None:
    page.evaluate_handle(
        "(name) => [...document.querySelectorAll('td[role=gridcell]')].find((td) => td.called === name)", called
    ).click()


def number(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def test_steps_by_button_key_and_slider(open_page: Open) -> None:
    page = open_page(CLASSIC)
    assert heading(page) == "Overlay (0, 2)1 of 4"
    assert set(cells(page, "input", lit=True)) == {"input[0,2]", "input[0,3]", "input[1,2]", "input[1,3]"}
    assert cells(page, "delta", lit=True) == {"delta[0,2]": "0.0686"}
    assert cells(page, "dW")["dW[0,0]"] == "0.060368"
    page.click("#next")
    assert heading(page) == "Overlay (1, 1)2 of 4" and cells(page, "dW")["dW[0,0]"] == "0.082936"
    assert set(cells(page, "dX", lit=True)) == {"dX[1,1]", "dX[1,2]", "dX[2,1]", "dX[2,2]"}
    page.keyboard.press("ArrowRight")
    assert heading(page).startswith("Overlay (2, 1)")
    page.locator("body").press("Space")
    assert heading(page).startswith("Overlay (3, 3)")
    page.keyboard.press("ArrowRight")  # there is no further one
    assert heading(page) == "Overlay (3, 3)4 of 4"
    for key, place in (("Home", "(0, 2)"), ("End", "(3, 3)"), ("ArrowLeft", "(2, 1)")):
        page.keyboard.press(key)
        assert place in heading(page)
    page.locator("#slider").fill("2")
    assert heading(page).startswith("Overlay (1, 1)")
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert heading(page).startswith("Overlay (3, 3)")
    sync.expect(page.locator("#live")).to_contain_text("4 of 4")
    page.click("#back")
    assert page.get_attribute("#slider", "aria-valuetext") == "overlay 3 of 4, (2, 1)"


def test_the_padding_is_drawn_step_by_step(open_page: Open) -> None:
    """As large as the kernel at a corner; in parentheses and dashed; gone where the window lies on the input."""
    page = open_page("convgrad conv-forward '[[1,2],[4,5]]' -k '[[1,1],[2,2]]' --padding 1 --pad-mode reflect")
    pads = "[...document.querySelectorAll('td.pad')].map((td) => td.textContent)"
    assert page.evaluate(pads) == ["(5)", "(4)", "(2)"]
    assert set(cells(page, "input", lit=True)) == {"input[0,0]"}
    style = "getComputedStyle(document.querySelector('td.pad')).borderTopStyle"
    assert page.evaluate(style) == "dashed"
    assert "Cells in parentheses lie in the padding" in page.inner_text("#words")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(pads) == []
    page.keyboard.press("End")
    assert page.evaluate(pads) == ["(4)", "(2)", "(1)"]
    page.get_by_role("button", name="matrix").click()
    assert page.evaluate(pads) == []


@pytest.mark.parametrize("job", [CLASSIC, TWO], ids=["classic", "two-filters"])
def test_numbers_are_those_of_the_json(open_page: Open, convgrad: Convgrad, job: str) -> None:
    """Every result at the end of every form, and every running sum on the way, as the JSON has them."""
    results = json.loads(convgrad(f"{job} --steps all").out)
    steps = results.pop("steps")
    page = open_page(job)

    def agree(name: str, expected: Any) -> None:
        flat = json.dumps(expected).replace("[", " ").replace("]", " ").replace(",", " ").split()
        shown = [number(text) for text in cells(page, name).values()]
        assert shown == [float(f"{float(text):.8g}") for text in flat], name

    for k, step in enumerate(steps["dW"]):
        agree("dW", step["sum"])
        agree("dX", steps["dX"][k]["sum"])
        page.keyboard.press("ArrowRight")
    for form in ("overlay", "rotated", "matrix"):
        page.get_by_role("button", name=form).click()
        page.keyboard.press("End")
        for name, result in results.items():
            if name != "dX" or form != "rotated":  # which is added up after dW there
                agree(name, result)


def test_forms_are_switched(open_page: Open) -> None:
    page = open_page(TWO)
    assert page.get_by_role("button", name="overlay").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="matrix").click()
    assert "patches" in page.inner_text("#figure")
    page.keyboard.press("ArrowRight")  # the button has the focus, and the arrow steps on all the same
    assert heading(page) == "Overlay (0, 1)2 of 9"
    assert len(cells(page, "patches", lit=True)) == 27
    page.get_by_role("button", name="rotated").click()
    assert "kernel rotated" in page.inner_text("#figure") and "patches" not in page.inner_text("#figure")
    page.get_by_role("button", name="dX", exact=True).click()
    assert heading(page).startswith("Cell (0, 0)")
    assert len(cells(page, "kernel", lit=True)) == 0


def test_a_cell_is_written_out(open_page: Open) -> None:
    page = open_page(CLASSIC)
    click(page, "dW[0,1]")
    assert heading(page) == "dW[0,1] = 0.094061"
    rows = [row.inner_text().split() for row in page.query_selector_all(".sum tr")]
    assert rows[0] == ["delta[0,2]", "\u00d7", "input[0,3]", "0.0686", "\u00d7", "0.84", "0.057624"]
    assert rows[3][-4:] == ["(\u22120.0681)", "\u00d7", "0.09", "\u22120.006129"]
    assert rows[-1] == ["dW[0,1]", "0.094061"]
    assert "12 products are 0" in page.inner_text("#words")
    assert set(cells(page, "delta", lit=True)) == {"delta[0,2]", "delta[1,1]", "delta[2,1]", "delta[3,3]"}
    assert set(cells(page, "input", lit=True)) == {"input[0,3]", "input[1,2]", "input[2,2]", "input[3,4]"}
    page.hover(".sum tr >> nth=1")
    paired = page.evaluate("[...document.querySelectorAll('.pair')].map((td) => td.called)")
    assert sorted(paired) == ["delta[1,1]", "input[1,2]"]
    page.keyboard.press("Escape")
    assert heading(page) == "Overlay (0, 2)1 of 4"
    click(page, "dX[0,0]")
    assert "there is no other" in page.inner_text("#words")
    page.click("#next")
    assert heading(page) == "Overlay (1, 1)2 of 4"


def test_cells_are_reached_by_keyboard(open_page: Open) -> None:
    page = open_page(CLASSIC)
    page.evaluate("document.querySelector('table[aria-label=dW] td[role=gridcell]').focus()")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate_handle("document.activeElement").as_element()
    assert focused.get_attribute("aria-label") == "dW[0,1]: 0.057624"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert heading(page).startswith("dW[0,1]") and focused.get_attribute("aria-selected") == "true"
    sync.expect(page.locator("#live")).to_contain_text("dW[0,1] = 0.057624 + 0.008008")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    assert heading(page).startswith("dW[1,1]")
    page.keyboard.press("Escape")
    assert heading(page).startswith("Overlay") and page.evaluate("document.activeElement.called") == "dW[1,1]"
    # every control is reached by Tab, and says what it is
    page.evaluate("document.activeElement.blur()")
    found = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        found.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert {"digits", "theme", "next", "last", "slider", "rotated"} <= found
    for control in page.query_selector_all("button, input, select, table"):
        named = control.get_attribute("aria-label") or control.inner_text() or control.get_attribute("id")
        assert named and named.strip()


@pytest.mark.parametrize("job", [CLASSIC, TWO], ids=["classic", "two-filters"])
def test_phones(open_page: Open, job: str) -> None:
    """At 360 pixels the page does not scroll sideways, whatever is open; the controls stay in sight."""
    page = open_page(job, width=360, height=740, has_touch=True)
    for form in ("overlay", "rotated", "matrix"):
        page.get_by_role("button", name=form).click()
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        page.click("#next")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        box = page.locator("#next").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 740 and box["height"] >= 36
    page.get_by_role("button", name="overlay").click()
    page.evaluate(
        "[...document.querySelectorAll('td[role=gridcell]')].find((td) => td.called.startsWith('dX[')).click()"
    )
    assert "dX" in heading(page) and page.evaluate("document.documentElement.scrollWidth") <= 360


def test_dark_and_light(open_page: Open) -> None:
    """The theme is the system's, until the button says otherwise; numbers stand out from their cells in both."""
    page = open_page(CLASSIC, color_scheme="dark", reduced_motion="reduce")

    def grounds() -> list[float]:
        found: list[float] = page.evaluate(
            """() => {
              const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
              const luminance = (colour) => {
                canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((each) => each / 255)
                  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              return [document.body, ...document.querySelectorAll("td.lit, td[role=gridcell]:not(.dims td)")].flatMap((node) => {
                const { color, backgroundColor } = getComputedStyle(node);
                const [a, b] = [luminance(color), luminance(backgroundColor)];
                return node === document.body ? [b] : [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
              });
            }"""
        )
        return found

    body, *contrasts = grounds()
    assert body < 0.05 and min(contrasts) > 4.5
    for theme, dark in (("light", False), ("dark", True), ("auto", True)):
        page.click("#theme")
        assert page.inner_text("#theme") == f"theme: {theme}"
        body, *contrasts = grounds()
        assert (body < 0.05) == dark and min(contrasts) > 4.5
    assert page.evaluate("getComputedStyle(document.querySelector('td[role=gridcell]')).transitionDuration") == "0s"


def test_elements_asked_for_are_open_at_first(open_page: Open) -> None:
    page = open_page(f"{CLASSIC} --explain 'dX[1,2]' --explain db")
    assert heading(page) == "dX[1,2] = 0.02786"
    page.get_by_role("button", name="db").click()
    assert heading(page) == "db = 0.0836" and len(cells(page, "delta", lit=True)) == 4
    assert page.evaluate("[...document.querySelectorAll('td.asked')].map((td) => td.called).sort()") == [
        "dX[1,2]",
        "db",
    ]


def test_digits_and_names(open_page: Open) -> None:
    page = open_page(CLASSIC)
    page.keyboard.press("End")
    page.select_option("#digits", "few")
    assert cells(page, "dW")["dW[0,1]"] == "0.0941"
    page.select_option("#digits", "all")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("End")
    page.evaluate("[...document.querySelectorAll('td[role=gridcell]')].find((td) => td.called === 'dW[0,1]').focus()")
    assert re.fullmatch(r"dW\[0,1\] = 0\.0940609?\d*", page.evaluate("document.activeElement.title"))


def test_networks_layer_by_layer(open_page: Open) -> None:
    page = open_page(
        "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json --lr 0.5"
    )
    page.get_by_role("button", name="layers[1]").click()
    assert heading(page) == "Node (0)1 of 2"
    click(page, "W_new[0,0]")
    assert heading(page) == "W_new[0,0] = 0.35891648"
    assert set(cells(page, "weight", lit=True)) == {"weight[0,0]"}


def test_a_nasty_name_and_a_batch(open_page: Open) -> None:
    batch = [[[[1, 2, 0], [3, 4, 1], [2, 0, 1]], [[0, 1, 1], [1, 0, 2], [5, 1, 1]]]] * 2
    page = open_page(
        f"convgrad conv-backward {quoted(batch)} 1 -k '[[[[1,0],[0,1]],[[1,1],[0,0]]]]'", name="<b>&'\".html", width=360
    )
    assert len(page.query_selector_all("figure:has(> figcaption b:text-is('input')) table")) == 4
    assert page.locator("table[aria-label='input[1,0]']").count() == 1
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert heading(page) == "Overlay (1, 0, 0)5 of 8"
    assert {name[:7] for name in cells(page, "input", lit=True)} == {"input[1"}


def test_a_large_page_still_moves(open_page: Open, tmp_path: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "wide.npz", input=rng.random((512, 512)), kernel=rng.random((3, 3)), delta=rng.random((510, 510))
    )
    page = open_page(f"convgrad conv-backward {quoted(tmp_path)}/wide.npz")
    page.locator("body").press("End")
    assert re.fullmatch(r"Overlay \(0, \d+\)\d+ of \d+", heading(page))
    assert "of 260100 overlays" in page.inner_text("#words")
    left = "new Promise((tell) => setTimeout(() => tell(document.querySelector('.scroll').scrollLeft), 300))"
    assert page.evaluate(left) > 0  # the window is in sight
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
