"""Set up what the benchmarks need, and go on in their own Python environment."""

import os
import sys

from devtools.base import PROJECT, DevtoolsError
from devtools.environment import get_odoo, virtualenv


def main():
    """Replace this process by the benchmarks; return only when that fails."""
    try:
        get_odoo()
        python = virtualenv("bench")
    except DevtoolsError as error:
        print(error, file=sys.stderr)
        return 1
    os.chdir(PROJECT)
    os.execv(python, [str(python), "-m", "benchmarks.cli", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
