"""Imports run one way, as the rooms of the house are built; heavy ones wait until they are needed."""

import ast
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

ALLOWED_SIDEWAYS = {("render", "files"), ("checking", "files"), ("problems", "files")}

ALLOWED_UPWARDS = {("core", "render"), ("problems", "render")}
"""A notebook asks the value itself how it looks (``_repr_html_``), and only rendering knows; imported when asked."""


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
    for arguments, unwanted in (
        (["--help"], {"numpy", "rich"}),
        (["--version"], {"numpy", "rich"}),
        (["conv-backward", "--help"], {"numpy", "rich"}),
        (["conv-backward", "[1,2,3]", "[1,2]"], {"rich", "importlib.metadata", "asyncio", "csv", "zipfile"}),
    ):
        program = (
            "import sys; from convgrad.cli import run; code = run(sys.argv[1:]); "
            f"print(sorted({unwanted!r} & set(sys.modules)), code, file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        assert done.stderr.splitlines()[-1] == "[] 0", (arguments, done.stderr)


WRONG_ON_PURPOSE = {
    "mistakes/rows/padding.py": "sizes by the formulas that people remember wrongly",
    "mistakes/rows/sizes.py": "a kernel as large as the rows that the stride leaves over make it",
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
