"""Copies of the tree with something added, to count what an addition touches and to try it as a program."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "convgrad"

Ran = subprocess.CompletedProcess[str]


@dataclass
class House:
    """A copy of the tree below `top`."""

    top: Path

    @classmethod
    def copied(cls, top: Path) -> "House":
        """A copy of today's tree."""
        shutil.copytree(SOURCE, top / "convgrad", ignore=shutil.ignore_patterns("__pycache__"))
        return cls(top)

    def write(self, name: str, text: str) -> None:
        """A new file."""
        (self.top / "convgrad" / name).write_text(text)

    def change(self, name: str, old: str, new: str) -> None:
        """A change of one place, which must be there once."""
        path = self.top / "convgrad" / name
        text = path.read_text()
        assert text.count(old) == 1, (name, old, text.count(old))
        path.write_text(text.replace(old, new))

    def touched(self) -> list[str]:
        """The files that differ from today's tree."""
        found = []
        for path in sorted((self.top / "convgrad").rglob("*.py")):
            name = path.relative_to(self.top / "convgrad")
            own = SOURCE / name
            if not own.exists() or own.read_text() != path.read_text():
                found.append(name.as_posix())
        return found

    def run(self, line: str, stdin: str = "", code: int = 0) -> Ran:
        """A command line as it is typed, in the copy."""
        program, *arguments = shlex.split(line)
        module = ["-m", program] if program == "convgrad" else []
        env = {**os.environ, "PYTHONPATH": str(self.top), "COLUMNS": "200"}
        command = [sys.executable, *module, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, cwd=self.top, check=False)
        assert done.returncode == code, (line, done.stdout, done.stderr)
        return done
