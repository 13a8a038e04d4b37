"""The working as tables: overlay after overlay, what is added and what the sums are by then."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from convgrad.render.planes import Plane, Scene, Scenes
from convgrad.render.terminal.lines import Lines
from convgrad.render.terminal.side_by_side import LIT, NAME, PARTS, QUIET, Block, flow


class Working(Lines):
    """Draws the walks of a report, and its sums of whole arrays."""

    def drawings(self) -> Iterator[RenderableType]:
        """Every walk: what its overlays add, the first of them one by one, and what is left out; then the sums."""
        scenes = Scenes(self.report, self.number)
        for walk in self.report.walks():
            yield self.said(Text(f"\n{scenes.legend(walk)}", style=QUIET))
            for scene in scenes.of(walk):
                yield from self._scene(scene)
            if rest := scenes.rest(walk):
                yield self.said(Text(f"\n{rest}", style=QUIET))
            if silence := scenes.silence(walk):
                yield self.said(Text(f"\n{silence}"))
        for quantity, summands in scenes.sums():
            yield from self._scene(Scene(quantity.name, "the sum of", [summands]))
            if quantity.rule:
                yield self.said(Text(str(quantity.rule), style=QUIET))

    def _scene(self, scene: Scene) -> Iterator[RenderableType]:
        yield Text("")
        yield self.rule(Text.assemble((scene.name, NAME), ("  ", ""), (scene.headline, LIT)))
        groups = [[block for plane in group for block in self._blocks(plane)] for group in scene.groups]
        rows = [[(block.width, block.text()) for block in blocks] for blocks in groups]
        yield Padding(Group(*flow(rows, self.style.width - 1, gap=3)), (0, 0, 0, 1))

    def _blocks(self, plane: Plane) -> list[Block]:
        if plane.numbers is None:
            return [Block(Text(str(plane.label), style=NAME), [Text(plane.note, style=QUIET)])]
        lines = self.lines(str(plane.label), plane.numbers, plane.lit, PARTS[plane.part], plane.pad, plane.blank)
        return [Block(Text(label, style=NAME), texts) for label, texts in lines]
