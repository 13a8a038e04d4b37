"""The command line: the one place that turns results into bytes on stdout and errors into exit codes.

0 done; 1 the work was compared and differs; 2 it could not be done; 70 a bug; 130 interrupted; 141 the
reader closed the pipe.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import suppress
from typing import NoReturn

import click

from convgrad.cli.app import app
from convgrad.cli.command import HelpShown, Outcome
from convgrad.errors import ConvgradError, FileError


def main() -> NoReturn:
    """Run the program on the process's arguments and leave with its exit code."""
    # Nothing is left to the interpreter's own shutdown, which would flush again and report what we have reported,
    # and look through all that was imported for garbage.
    code = run(sys.argv[1:])
    gc.freeze()
    sys.stdout = sys.stderr = None
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command -> its exit code; results go to stdout, notes and errors to stderr."""
    if "_CONVGRAD_COMPLETE" in os.environ:
        app.main(arguments, prog_name="convgrad")
    try:
        outcome = _invoke(arguments)
        for part in [outcome.data] if isinstance(outcome.data, bytes) else outcome.data:
            _put(part)
        for note in outcome.notes:
            _tell(f"Note: {note}")
        return outcome.code() if callable(outcome.code) else outcome.code
    except ConvgradError as error:
        return _fail(str(_in_options(error)))
    except click.ClickException as error:
        return _fail(_usage(error))
    except MemoryError:
        return _fail("out of memory; the arrays are too large for this machine")
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        _drop_stdout()
        return 141
    except Exception as error:
        if "--debug" in arguments:
            raise
        _tell(
            f"Error: convgrad has a bug ({type(error).__name__}: {' '.join(str(error).split())}); please report it "
            "with the command and its files; --debug shows the traceback"
        )
        return 70


def _invoke(arguments: list[str]) -> Outcome:
    """Parse and run, without click's own handling of errors, whose exit codes are not ours."""
    try:
        with app.make_context("convgrad", list(arguments)) as context:
            result = app.invoke(context)
    except HelpShown as page:
        return Outcome(str(page).encode())
    except click.exceptions.Exit as done:
        return Outcome(code=done.exit_code)
    return result if isinstance(result, Outcome) else Outcome()


def _put(data: bytes) -> None:
    """Write to stdout and make sure that it arrived."""
    if not data:
        return
    if sys.stdout is None:
        raise ConvgradError("it is closed", where="standard output", hint="redirect it to a file, or use -o FILE")
    encoding = (sys.stdout.encoding or "utf-8").lower()
    if encoding not in ("utf-8", "utf8"):
        data = data.decode().translate(_PLAIN).encode(encoding, errors="replace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_stdout()
        raise ConvgradError(f"it cannot be written ({error.strerror})", where="standard output") from None


_PLAIN = {ord(fancy): plain for fancy, plain in zip("─│╭╮╰╯┌┬┐├┼┤└┴┘", "-|+++++++++++++", strict=True)}
"""What stands for the lines of boxes where the terminal cannot show them."""


def _drop_stdout() -> None:
    """Point stdout at nothing, so that the interpreter does not fail on it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(line: str) -> int:
    _tell(f"Error: {line}")
    return 2


def _tell(line: str) -> None:
    line = re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", line
    )  # a file may be so named
    printable = line.encode(getattr(sys.stderr, "encoding", None) or "utf-8", errors="backslashreplace")
    # where stderr cannot be written, the exit code still says how it went
    with suppress(OSError, AttributeError, ValueError):
        sys.stderr.flush()
        sys.stderr.buffer.write(printable + b"\n")
        sys.stderr.buffer.flush()


def _in_options(error: ConvgradError) -> ConvgradError:
    """An error in the words of arguments, as layers raise it, in those of options: `groups`, groups=2 -> --groups 2."""
    if isinstance(error, FileError):
        return error
    from convgrad.kinds import ROLES, SETTINGS

    names = "|".join((*SETTINGS, *ROLES))

    def option(found: re.Match[str]) -> str:
        value = found[3] or ""
        return f"--{(found[1] or found[2]).replace('_', '-')}" + (f" {value}" if value not in ("", "True") else "")

    said = re.compile(rf"`({names})`|(?<![\w.-])({names})=([\w.-]+)")
    error.message, error.hint = (said.sub(option, text) for text in (error.message, error.hint))
    error.where = re.sub(rf"^()({names})(?:=([\w-]+))?$", option, error.where)
    return error


def _usage(error: click.ClickException) -> str:
    """What click found wrong with the command line, as one line with a way out."""
    from convgrad.errors import did_you_mean
    from convgrad.kinds import KINDS

    context = getattr(error, "ctx", None)
    path = context.command_path if context else "convgrad"
    if isinstance(error, click.NoSuchOption) and context:
        options = [name for parameter in context.command.params for name in parameter.opts + parameter.secondary_opts]
        if kind := KINDS.get(error.option_name.strip("-")):
            commands = " and ".join(kind.commands)
            return f"there is no option {error.option_name}: a {kind.title} is a layer of its own, {commands}"
        return f"there is no option {error.option_name}. " + (
            did_you_mean(error.option_name, options) or f"'{path} --help' lists the options"
        )
    said = " ".join(error.format_message().split())
    if said.startswith("Got unexpected extra argument") and context and (named := _named_operands(context.command)):
        taken = [each.make_metavar(context) for each in context.command.params if isinstance(each, click.Argument)]
        return f"{said}: '{path}' takes {' '.join(taken)}; what else it needs follows the name of an option: {named}"
    return f"{said} ('{path} --help' shows how)"


def _named_operands(command: click.Command) -> str:
    """The options of a command that bring arrays: ``-k kernel, -b bias``."""
    from convgrad.cli.options import OPERANDS

    taken = {each.name for each in command.params if isinstance(each, click.Argument)}
    options = [each for each in command.params if getattr(each, "heading", "") == OPERANDS]
    return ", ".join(f"{each.opts[0]} {each.name}" for each in options if f"{each.name}_" not in taken)
