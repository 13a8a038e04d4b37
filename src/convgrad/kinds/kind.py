"""A kind of layer as people speak of it: everything but its arithmetic, and no numpy, so that --help stays quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from convgrad.kinds.setting import Setting


class Given(NamedTuple):
    """An array that a layer may be given: a role, and how people bring what plays it.

    entries: the names that a document may use; stead: the entry that stands in for it where one command's results are
    the next one's input; argument: its place on the command line; flags, help: its option; parameter: which of the
    layer's parameters it is (``W``); axes: the letters of its axes, where the layer has no builder of its own to find
    them, the usual ones first; wanting: what to add where it is missing; needed: the forward pass cannot do
    without it; backward: only the backward pass takes it.
    """

    name: str
    entries: tuple[str, ...]
    stead: str = ""
    argument: str = ""
    flags: tuple[str, ...] = ()
    help: str = ""
    parameter: str = ""
    axes: tuple[str, ...] = ()
    wanting: str = ""
    needed: bool = False
    backward: bool = False


class Page(NamedTuple):
    """What is said of one command: its line in the list of commands, an example, and its page."""

    line: str
    example: str
    help: str


class Form(NamedTuple):
    """A derivation that the working may follow: its name, what it does, and what a page says of it."""

    name: str
    words: str
    sentence: str


OVERLAY = Form("overlay", "the kernel laid over the input, place by place", "One place of the kernel after the other.")


@dataclass(frozen=True, eq=False, repr=False)
class Kind:
    """A kind of layer.

    name: in files, and of its commands (conv-forward, conv-backward); title: of outputs; given: its operands, the input
    first; settings: its own; forward_only, backward_only: those that one of the commands has besides; activation,
    descent, common: those of an activation behind it, of a step of descent, and of all layers of its sort.

    gives: results of the forward pass; variants: truth settings that make another layer of it, which the catalogue
    calls by that word, and where its class lives; forms: the derivations that its working may follow, the usual one
    first. forward, backward: its commands (a kind with one has its bare name for it, one with none is met in networks
    alone); in_networks: whether it may stand there.

    layer: its arithmetic, ``module:Class``, with fields named like its settings and operands; home: what builds its
    problems, ``module:function``, where there is more to say than that. Both are imported when they are called.
    """

    name: str
    title: str
    given: tuple[Given, ...]
    settings: tuple[Setting, ...] = ()
    forward_only: tuple[Setting, ...] = ()
    backward_only: tuple[Setting, ...] = ()
    activation: tuple[Setting, ...] = ()
    descent: tuple[Setting, ...] = ()
    common: tuple[Setting, ...] = ()
    gives: tuple[str, ...] = ("output",)
    variants: Mapping[str, str] = field(default_factory=dict)
    forms: tuple[Form, ...] = (OVERLAY,)
    marks: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Entries by which a document is known to be about it, and the values that tell (none: any)."""

    precedence: int = 0
    """Of several kinds whose marks a document has, it is about the one where this is highest."""

    forward: Page | None = None
    backward: Page | None = None
    in_networks: bool = True
    worked_out: tuple[Setting, ...] = ()
    """Settings of the layer that no file and no option says, because a network works them out."""

    layer: str = ""
    home: str = ""
    tasks: Mapping[str, str] = field(default_factory=dict)
    """What it does, in a sentence for a sheet, by its words; a kind that says nothing is called by its title alone."""

    drawn: tuple[Setting, ...] = ()
    """Settings by which an exercise that is drawn is told its sizes."""

    shape: str = "4x3"
    """The shape of the input of such an exercise, for its page."""

    laid_out: str = ""
    """``module:function`` (an input's shape, settings, what chooses) -> the shapes of the operands that are drawn;
    without it they follow from their letters."""

    draw: Callable[..., Any] | None = None
    """(a generator of random numbers, whether it is to be small) -> the arrays and settings of a problem."""

    torch: Callable[..., Any] | None = None
    """(the layer, what its input is called, what its operands are called, by field, all at full rank) -> lines of a
    PyTorch program, the last one an expression of the output; where no writer of the renderer does."""

    @property
    def commands(self) -> dict[str, Page]:
        """Its commands by name, each with what is said of it."""
        said = {"forward": self.forward, "backward": self.backward}
        found = {way: each for way, each in said.items() if each is not None}
        return {self.name if len(found) == 1 else f"{self.name}-{way}": each for way, each in found.items()}

    @property
    def words(self) -> tuple[str, ...]:
        """What the catalogue calls it: its name, and its variants."""
        return (self.name, *self.variants)

    def known_as(self, settings: Mapping[str, Any]) -> str:
        """The one of its words that settings make of it."""
        return next((name for name in self.variants if settings.get(name)), self.name)

    # -- operands ------------------------------------------------------------------------------------------

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of its operands, the input first."""
        return tuple(each.name for each in self.given)

    @property
    def own(self) -> tuple[Given, ...]:
        """The operands that a network's file gives it: neither its input nor its delta, which its neighbours give."""
        return tuple(each for each in self.given[1:] if not each.backward)

    @property
    def parameters(self) -> dict[str, Given]:
        """What it learns, by the short name in dW and W_new."""
        return {each.parameter: each for each in self.given if each.parameter}

    # -- settings ------------------------------------------------------------------------------------------

    def options(self, backward: bool) -> tuple[Setting, ...]:
        """The settings that its command has as options, in the order of its page."""
        if backward:
            return (*self.settings, *self.backward_only, *self.activation, *self.descent, *self.common)
        return (*self.settings, *self.forward_only, *self.activation, *self.common)

    def known(self, backward: bool) -> tuple[Setting, ...]:
        """The settings that its command reads from a document, which may be meant for both passes."""
        return (*self.options(True), *(() if backward else self.forward_only))

    @property
    def fields(self) -> tuple[Setting, ...]:
        """The settings that its layer is told."""
        return (*self.settings, *self.backward_only, *self.worked_out)

    @property
    def in_network(self) -> tuple[Setting, ...]:
        """The settings that a network's file gives it; the step and the dtype are the whole network's."""
        common = (each for each in self.common if each.name != "dtype")
        return (*self.settings, *self.backward_only, *self.activation, *common)

    @property
    def every(self) -> tuple[Setting, ...]:
        """Every setting that it has anywhere, also those that nobody says."""
        return (*self.known(False), *self.worked_out)

    # -- results -------------------------------------------------------------------------------------------

    @property
    def velocities(self) -> tuple[str, ...]:
        """What a step of descent remembers, which is an operand of the next one."""
        return tuple(f"velocity_{name}" for name in self.parameters) if self.descent else ()

    @property
    def stepped(self) -> tuple[str, ...]:
        """The new values of its parameters after a step of descent."""
        return tuple(f"{name}_new" for name in self.parameters) if self.descent else ()
