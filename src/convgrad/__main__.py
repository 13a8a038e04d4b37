"""``python -m convgrad`` is the program ``convgrad``."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Import the program and run it, an interrupt on the way included."""
    # What is imported stays, and a run is short: looking through it for garbage would be a tenth of a start.
    gc.set_threshold(100_000)
    try:
        from convgrad.cli import main as program
    except KeyboardInterrupt:
        sys.exit(130)
    program()


if __name__ == "__main__":
    main()
