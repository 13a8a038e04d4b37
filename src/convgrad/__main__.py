"""``python -m convgrad`` is the program ``convgrad``."""

from convgrad.cli import main

if __name__ == "__main__":
    main()
