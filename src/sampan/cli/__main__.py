"""`python -m sampan.cli`: the same as the command `sampan`."""

import sys

from sampan.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
