"""Imports run one way, as the rooms of the house are built; heavy ones wait until they are needed."""

import ast
import shlex
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "convgrad"

FLOORS = [
    {"errors"},
    {"numerals", "formula"},
    {"kinds"},
    {"core"},
    {"layers", "files"},
    {"problems"},
    {"mistakes"},
    {"checking"},
    {"teaching"},
    {"render"},
    {"cli"},
]
"""What may be imported: rooms of lower floors, and one's own."""

ONLY = {"rich": {"render"}, "click": {"cli"}}
"""Libraries that live in one room."""

ALLOWED_SIDEWAYS = {("teaching", "files"), ("render", "files"), ("checking", "files"), ("problems", "files")}

ALLOWED_UPWARDS = {("core", "render"), ("problems", "render"), ("checking", "render")}
"""A value is asked itself how it looks (``_repr_html_``, ``str``), and only rendering knows; imported when asked."""


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | (
                {f"convgrad.{alias.name}" for alias in node.names} if node.module == "convgrad" else set()
            )
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_imports_run_one_way() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    for path in SOURCE.rglob("*.py"):
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if room in ("__init__", "__main__"):
            continue
        assert room in floor, f"{room} stands on no floor"
        for name in imports(path):
            library, _, rest = name.partition(".")
            assert room in ONLY.get(library, {room}), f"{path} imports {name}"
            other = rest.split(".")[0]
            if library == "convgrad" and other in floor and other != room:
                allowed = floor[other] < floor[room] or (room, other) in ALLOWED_UPWARDS
                assert allowed, f"{path} imports {name}"
                if other == "files":
                    assert room == "cli" or (room, other) in ALLOWED_SIDEWAYS, f"{path} imports {name}"


def test_nothing_heavy_is_imported_for_help_and_version() -> None:
    for line, unwanted in (
        ("convgrad --help", {"numpy", "rich"}),
        ("convgrad --version", {"numpy", "rich"}),
        ("convgrad conv-backward --help", {"numpy", "rich"}),
        ("convgrad conv-backward '[1,2,3]' '[1,2]'", {"rich", "importlib.metadata", "asyncio", "csv", "zipfile"}),
    ):
        program = (
            "import sys; from convgrad.cli import run; code = run(sys.argv[1:]); "
            f"print(sorted({unwanted!r} & set(sys.modules)), code, file=sys.stderr)"
        )
        command = [sys.executable, "-c", program, *shlex.split(line)[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr.splitlines()[-1] == "[] 0", (line, done.stderr)


WRONG_ON_PURPOSE = {
    "mistakes/rows/padding.py": "sizes by the formulas that people remember wrongly",
    "mistakes/rows/stride_dilation.py": "a stride or dilation taken twice",
}
"""Files that may compute with a stride or dilation though geometry is core/axis.py's and core/windows.py's alone."""


def _steps(node: ast.AST) -> bool:
    """Whether a name or a field called stride or dilation stands in an expression."""
    names = {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Name | ast.Attribute)
    }
    return bool(names & {"stride", "dilation"})


def test_strides_and_dilations_are_arithmetic_in_one_place() -> None:
    found = {}
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        products = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mult | ast.FloorDiv | ast.Mod)
            and (_steps(node.left) or _steps(node.right))
        ]
        if products and name not in ("core/axis.py", "core/windows.py"):
            found[name] = products
    assert found.keys() == WRONG_ON_PURPOSE.keys(), found


def modules() -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(("convgrad", *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of convgrad that a file imports anywhere, but for types alone."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for each in node.orelse:
                visit(each)
            return
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return found & known.keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one node, or of one that points at itself (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1 or node in graph[node]:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return found


NOTEBOOK = "convgrad.render.page.notebook"
"""Imported upwards, when a notebook asks a value how it looks (ALLOWED_UPWARDS)."""


def test_no_two_files_import_each_other_however_far_around() -> None:
    known = modules()
    graph = {name: imported(path, known) - {NOTEBOOK} for name, path in known.items()}
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]
    assert not circles(graph)


LONGER = {
    "core/windows.py": "unfold, fold and the meetings of places and cells are one thing, read together",
}
"""Files that may have more than 300 lines, and why."""


def test_files_are_short_enough_to_be_read_in_one_go() -> None:
    long = {
        path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if len(path.read_text().splitlines()) > 300
    }
    assert long == LONGER.keys()
