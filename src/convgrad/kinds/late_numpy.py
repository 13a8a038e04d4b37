"""numpy, imported when it is first needed: rows are written with ``np``, and ``--help``, which reads them, is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["np"]

if TYPE_CHECKING:
    import numpy as np
else:

    class _Late:
        """What stands for numpy until something of it is asked for, and remembers what was."""

        def __getattr__(self, name: str) -> Any:
            import numpy

            found = getattr(numpy, name)
            setattr(self, name, found)
            return found

    np = _Late()
