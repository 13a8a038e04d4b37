"""The page of a command: its options under headings, the common ones first, and all of them."""

import re

import click
import pytest
from conftest import Convgrad

from convgrad.cli.app import app, commands
from convgrad.kinds import KINDS


def headings(page: str) -> dict[str, list[str]]:
    """The options under each heading, by their long names."""
    found: dict[str, list[str]] = {}
    for line in page[page.index("\nUsage:") :].splitlines():
        if match := re.fullmatch(r"([A-Z][\w ]+):", line):
            found[match[1]] = []
        elif found and (option := re.match(r"  (?:-\w, )?(--[\w-]+)", line)):
            found[list(found)[-1]].append(option[1])
    return {heading: options for heading, options in found.items() if options}


def test_a_layer_s_options_stand_under_headings_the_common_ones_first(convgrad: Convgrad) -> None:
    page = headings(convgrad("convgrad conv-backward --help").out)
    assert {heading: options[0] for heading, options in page.items()} == {
        "Operands": "--kernel",
        "The layer": "--stride",
        "An activation behind it": "--activation",
        "One step of descent": "--lr",
        "The working": "--steps",
        "Checking": "--check",
        "Writing": "--output-file",
    }
    assert list(page)[-1] == "Writing" and page["Writing"][-1] == "--help"


def pages() -> list[tuple[str, click.Command]]:
    """Every page that shows options, those of a command's own commands included."""
    found: list[tuple[str, click.Command]] = []
    for name in commands():
        command = app.get_command(click.Context(app), name)
        assert command is not None
        if isinstance(command, click.Group):
            context = click.Context(command)
            inner = {each: command.get_command(context, each) for each in command.list_commands(context)}
            found += [(f"{name} {each}", own) for each, own in inner.items() if own is not None]
        else:
            found.append((name, command))
    return found


@pytest.mark.parametrize(("name", "command"), pages())
def test_every_option_is_on_the_page_once(convgrad: Convgrad, name: str, command: click.Command) -> None:
    shown = [option for options in headings(convgrad(f"convgrad {name} --help").out).values() for option in options]
    own = [parameter.opts for parameter in command.params if isinstance(parameter, click.Option)]
    assert sorted(shown) == sorted([*(max(names, key=len) for names in own), "--help"])


@pytest.mark.parametrize("name", [name for kind in KINDS.values() for name in kind.commands])
def test_a_layer_s_page_has_all_its_settings(convgrad: Convgrad, name: str) -> None:
    kind = next(kind for kind in KINDS.values() if name in kind.commands)
    page = convgrad(f"convgrad {name} --help").out
    assert all(setting.option in page for setting in kind.options(kind.commands[name] is kind.backward))
