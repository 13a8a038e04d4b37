"""Every block of the README is run, and prints what it shows. `pytest --rewrite` writes the outputs anew."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def run_block(body: str, folder: Path) -> str:
    """The commands of a console block, run one by one (``> `` continues one) -> the block as it should stand."""
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    shown, cwd = "", folder
    for match in re.finditer(r"^\$ (.*\n(?:> .*\n)*)", body, re.M):
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


BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(README.read_text())]


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "console", "python"}


@pytest.mark.parametrize("number", [k for k, (kind, _) in enumerate(BLOCKS) if kind == "console"])
def test_block(number: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    body = BLOCKS[number][1]
    shown = run_block(body, tmp_path)
    if request.config.getoption("--rewrite"):
        README.write_text(README.read_text().replace(f"```console\n{body}```", f"```console\n{shown}```"))
    else:
        assert shown == body


@pytest.mark.parametrize("number", [k for k, (kind, _) in enumerate(BLOCKS) if kind == "python"])
def test_python_block(number: int) -> None:
    test = doctest.DocTestParser().get_doctest(BLOCKS[number][1], {}, "README", None, None)
    failed, tried = doctest.DocTestRunner(verbose=False).run(test)
    assert tried > 0
    assert failed == 0


def test_ci_runs_the_two_commands_that_lead_the_page() -> None:
    commands = [body.strip() for kind, body in BLOCKS if kind == "sh"]
    assert len(commands) == 2
    assert all("\n" not in command for command in commands)
    taken = subprocess.run(["bash", ".ci/commands"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert taken.splitlines() == commands
    assert 'bash -e "$commands"' in (ROOT / ".ci/run").read_text()


def test_every_sample_is_shown() -> None:
    text = README.read_text()
    for folder in (ROOT / "samples").iterdir():
        assert f"samples/{folder.name}" in text
