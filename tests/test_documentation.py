"""Every block of README.md and docs/ is run, once, and prints what it shows. `pytest --rewrite` writes the outputs anew."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, SAMPLES, Convgrad

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"^\$ (.*\n(?:> .*\n)*)", re.M)
FENCE = re.compile(r"^[\s>*+\d.-]*(?:```|~~~|<pre\b|<code\b)", re.I)
INDENTED = re.compile(r"^(?: {4}| {0,3}\t)")


@dataclass(frozen=True)
class Block:
    """What stands between two fences: on which page, from which line on, of what kind."""

    page: Path
    line: int
    kind: str
    body: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def read(page: Path, text: str) -> Iterator[Block]:
    """The blocks of a page."""
    for match in BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])


def not_run(page: Path, text: str) -> list[str]:
    """The places of a page that a reader takes for something to type, and that no test below runs."""
    found = []
    for block in read(page, text):
        match block.kind:
            case "console":
                run = COMMAND.search(block.body) is not None and block.body.startswith("$ ")
            case "python":
                parts = doctest.DocTestParser().parse(block.body)
                run = any(isinstance(part, doctest.Example) for part in parts) and not any(
                    part.strip() for part in parts if isinstance(part, str)
                )
            case "sh":
                run = page == README
            case _:
                run = False
        if not run:
            found.append(f"{block}: {block.kind}")
    prose = BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text).split("\n")
    for number, line in enumerate(prose, 1):
        if FENCE.match(line) or INDENTED.match(line):
            found.append(f"{page.relative_to(ROOT)}:{number}: {line}")
    return found


BLOCKS = [block for page in PAGES for block in read(page, page.read_text())]


def of_kind(kind: str) -> pytest.MarkDecorator:
    """A case for each block of a kind; one that trains a network in a loop takes its time."""
    blocks = [block for block in BLOCKS if block.kind == kind]
    cases = [pytest.param(each, id=str(each), marks=[pytest.mark.slow] * ("$(seq " in each.body)) for each in blocks]
    return pytest.mark.parametrize("block", cases)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_is_left_that_nobody_runs(page: Path) -> None:
    assert not_run(page, page.read_text()) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Words\n\n```json\n{}\n```\n", 3),
        ("```\n$ convgrad --version\n```\n", 1),
        ("```console title\n$ convgrad --version\n```\n", 1),
        ("~~~console\n$ convgrad --version\n~~~\n", 1),
        ("- a list\n\n  ```console\n  $ convgrad --version\n  ```\n", 3),
        ("> ```console\n> $ convgrad --version\n> ```\n", 1),
        ("1. ```console\n", 1),
        ("```console\n$ convgrad --version\n", 1),
        ("Words:\n\n    $ convgrad --version\n", 3),
        ("Words:\n\n\t$ convgrad --version\n", 3),
        ("<pre>convgrad --version</pre>\n", 1),
        ("```console\n```\n", 1),
        ("```console\nconvgrad 0.1.0\n```\n", 1),
        ("```console\n# first\n$ convgrad --version\n```\n", 1),
        ("```python\nimport convgrad\n```\n", 1),
        ("```python\nimport convgrad\n>>> 1 + 1\n2\n```\n", 1),
        ("```python\n>>> 1 + 1\n2\n\nprint(3)\n```\n", 1),
        ("```sh\nconvgrad --version\n```\n", 1),
        ("```console\n$ true\n```\n\n```text\n```\n", 5),
    ],
)
def test_what_nobody_would_run_is_found(text: str, line: int) -> None:
    page = ROOT / "docs/any.md"
    found = not_run(page, text)
    assert found
    assert found[0].startswith(f"docs/any.md:{line}: ")
    assert not_run(page, "Words, `code`.\n\n```console\n$ true\n```\n\n```python\n>>> 1 + 1\n2\n```\n") == []


def test_no_block_stands_twice() -> None:
    assert len({(block.kind, block.body) for block in BLOCKS}) == len(BLOCKS)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `convgrad` in it, for where the package is on the path and not installed."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "convgrad").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convgrad "$@"\n')
    (folder / "convgrad").chmod(0o755)
    return folder


def run_block(body: str, folder: Path, program: Path) -> str:
    """The commands of a console block, run one by one (``> `` continues one) -> the block as it should stand."""
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{program}:{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    shown, cwd = "", folder
    for match in COMMAND.finditer(body):
        command = match[1].replace("\n> ", "\n")
        shown += match[0]
        if command.startswith("cd "):
            cwd = cwd / command[3:].strip()
        else:
            shown += subprocess.run(
                ["bash", "-c", command],
                cwd=cwd,
                env=env,
                text=True,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ).stdout
    return shown


@of_kind("console")
def test_console_block(block: Block, tmp_path: Path, program: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(SAMPLES, tmp_path / "samples")
    shown = run_block(block.body, tmp_path, program)
    if request.config.getoption("--rewrite"):
        text = block.page.read_text()
        block.page.write_text(text.replace(f"```console\n{block.body}```", f"```console\n{shown}```"))
    else:
        assert shown == block.body


@of_kind("python")
def test_python_block(block: Block) -> None:
    test = doctest.DocTestParser().get_doctest(block.body, {}, str(block), str(block.page), block.line)
    failed, tried = doctest.DocTestRunner(verbose=False).run(test)
    assert tried > 0
    assert failed == 0


def test_ci_runs_the_two_commands_that_lead_the_readme() -> None:
    blocks = [block for block in BLOCKS if block.page == README]
    commands = [block.body.strip() for block in blocks if block.kind == "sh"]
    assert [block.kind for block in blocks[:2]] == ["sh", "sh"]
    assert len(commands) == 2
    assert all("\n" not in command for command in commands)
    taken = subprocess.run(["bash", ".ci/commands"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert taken.splitlines() == commands
    assert 'bash -e "$commands"' in (ROOT / ".ci/run").read_text()


def test_the_readme_is_a_doorstep() -> None:
    assert len(README.read_text().splitlines()) <= 170


def test_the_readme_lists_every_command(convgrad: Convgrad) -> None:
    commands = convgrad("convgrad --help").out.split("\nCommands:\n")[1].split("\n\n")[0]
    names = [line.split()[0] for line in commands.splitlines()]
    rows = "".join(re.findall(r"^\| `.*? \|", README.read_text(), re.M))
    assert re.findall(r"`([\w-]+)`", rows) == names


def test_every_sample_is_shown() -> None:
    text = "".join(page.read_text() for page in PAGES)
    for folder in SAMPLES.iterdir():
        assert f"samples/{folder.name}" in text


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files of the project that a page links to, each with the place in it (``""`` is all of it)."""
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text())):
        if "://" not in target:
            path, _, place = target.partition("#")
            yield (page.parent / path if path else page).resolve(), place


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, place in links(page):
        assert path.exists(), path
        headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", path.read_text()), re.M) if place else []
        assert place in ("", *(re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings))


def test_the_readme_leads_to_every_page() -> None:
    reached = {path for path, _ in links(README)}
    assert {page for page in PAGES if page != README} <= reached


def test_files_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = {each for each in re.findall(r"`([\w./]+(?:\.py|/))(?: .*?)?`", text) if "NAME" not in each}
    assert len(named) > 30
    there = [f"/{path.relative_to(ROOT)}" + "/" * path.is_dir() for path in ROOT.rglob("*") if ".venv" not in str(path)]
    assert [each for each in named if not any(path.endswith(f"/{each}") for path in there)] == []
