"""The screen of ``assay watch``: a table of systems, the seeds of one of them, notes.  Needs the extra ``watch``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, ProgressBar, Static

from ..publish.watched.words import HEAD
from ..visible import plain
from .page import Span, Style
from .watch_lines import cell_rows, footnotes, headline, row, standing

if TYPE_CHECKING:
    from ..publish.watched import Moment, SystemSeen, Watching
    from .page import Line

COLOURS = {
    Style.PLAIN: "",
    Style.STRONG: "bold",
    Style.FAINT: "dim",
    Style.BAD: "red",
    Style.GOOD: "green",
    Style.UNSURE: "yellow",
}
CELLS = ("split", "seed", "replies", "right")


def show(watching: Watching, *, every: float) -> Moment:
    """Show a run until it is sealed or somebody presses q; return what was seen last."""
    screen = WatchScreen(watching, every=every)
    screen.run()
    return screen.moment or watching.look()


class WatchScreen(App[None]):
    """Looks at a run now and then, in a thread: the keys answer while it reads."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "assay watch"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "quit", "quit"),
        Binding("enter", "cells", "seeds", priority=True),
        Binding("l", "light", "light or dark"),
    ]
    CSS = """
    Screen { padding: 0 1; }
    #what { height: auto; padding-top: 1; }
    #far { height: auto; }
    #bar { width: 100%; padding: 0; height: 1; }
    #bar Bar { width: 1fr; }
    #systems { height: auto; max-height: 60%; margin-top: 1; }
    #of { height: auto; margin-top: 1; display: none; }
    #cells { height: auto; max-height: 40%; display: none; }
    #rest { height: 1fr; margin-top: 1; }
    #notes, #foot { height: auto; }
    #notes { color: $warning; }
    #foot { color: $text-muted; }
    """

    def __init__(self, watching: Watching, *, every: float) -> None:
        super().__init__()
        self.moment: Moment | None = None
        self.watching = watching
        self.every = every
        self.rows: dict[str, SystemSeen] = {}
        self.opened = ""

    def compose(self) -> ComposeResult:
        """Lay out what is filled at every look."""
        yield Static(id="what")
        yield Static(id="far")
        yield ProgressBar(total=1.0, show_eta=False, show_percentage=False, id="bar")
        yield DataTable[Text](id="systems", cursor_type="row", zebra_stripes=True)
        yield Static(id="of")
        yield DataTable[Text](id="cells", cursor_type="none")
        with VerticalScroll(id="rest"):
            yield Static(id="notes")
            yield Static(id="foot")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        table = self.query_one("#systems", DataTable)
        for word in HEAD:
            table.add_column(word or "system", key=word or "system")
        cells = self.query_one("#cells", DataTable)
        for word in CELLS:
            cells.add_column(word, key=word)
        table.focus()
        self.look()
        self.set_interval(self.every, self.look)

    def look(self) -> None:
        """Look once more, unless the last look is still under way."""
        if not any(worker.is_running for worker in self.workers):
            self.run_worker(self._look, thread=True)

    def _look(self) -> None:
        moment = self.watching.look()
        if self.is_running:
            self.call_from_thread(self.draw, moment)

    def draw(self, moment: Moment) -> None:
        """Show a moment; end with the run."""
        self.moment = moment
        if not self.query("#what"):
            return  # a look that came back when the screen was gone
        says = [Text(plain(moment.says), style="dim")] if moment.says else []
        self._fill("#what", [_text(headline(moment)), *says])
        far = standing(moment)[1:] if moment.systems else []
        self._fill("#far", [_text(line) for line in far])
        bar = self.query_one("#bar", ProgressBar)
        bar.display = bool(moment.systems)
        bar.update(progress=moment.there / moment.asked if moment.asked else 0.0)
        self._draw_systems(moment)
        self._draw_cells()
        self._fill("#notes", [Text(plain(note)) for note in moment.notes])
        foot = footnotes(moment) if moment.systems else []
        self._fill("#foot", [_text(line) for line in foot])
        if moment.is_over:
            self.exit()

    def _draw_systems(self, moment: Moment) -> None:
        table = self.query_one("#systems", DataTable)
        several = len({one.task for one in moment.systems}) > 1
        self.rows = {f"{one.task}/{one.system}": one for one in moment.systems}
        for key, one in self.rows.items():
            cells = [_text(cell) for cell in row(one, moment.currency)]
            if several:
                cells[0] = Text(plain(f"{one.task}: ")) + cells[0]
            if key not in table.rows:
                table.add_row(*cells, key=key)
                continue
            for word, cell in zip(HEAD, cells, strict=True):
                table.update_cell(key, word or "system", cell, update_width=True)

    def _draw_cells(self) -> None:
        one = self.rows.get(self.opened)
        table, title = self.query_one("#cells", DataTable), self.query_one("#of", Static)
        table.display = title.display = one is not None
        if one is None:
            return
        title.update(Text(plain(f"{one.system} on {one.task}"), style="bold"))
        rows = [[Text(plain(cell)) for cell in cells] for cells in cell_rows(one)]
        if table.row_count != len(rows):
            table.clear()
            for i, cells in enumerate(rows):
                table.add_row(*cells, key=str(i))
            return
        for i, cells in enumerate(rows):
            for word, cell in zip(CELLS, cells, strict=True):
                table.update_cell(str(i), word, cell, update_width=True)

    def action_cells(self) -> None:
        """Show the seeds of the chosen system, or hide them."""
        table = self.query_one("#systems", DataTable)
        if not table.row_count:
            return
        chosen = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or ""
        self.opened = "" if chosen == self.opened else chosen
        self.query_one("#cells", DataTable).clear()
        self._draw_cells()

    def action_light(self) -> None:
        """Change between light and dark."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def _fill(self, name: str, lines: Sequence[Text]) -> None:
        box = self.query_one(name, Static)
        box.display = bool(lines)
        box.update(Text("\n").join(lines))


def _text(line: Line) -> Text:
    """Return a line as text in which nothing is markup and nothing acts."""
    pieces: tuple[str | Span, ...] = line if isinstance(line, tuple) else (line,)
    made = Text()
    for piece in pieces:
        if isinstance(piece, Span):
            made.append(plain(piece.text), style=COLOURS[piece.style])
        else:
            made.append(plain(piece))
    return made
