"""Set up what the benchmarks need, and go on in their own Python environment."""

import os
import sys

from devtools.base import PROJECT, DevtoolsError
from devtools.odoo import get_odoo, virtualenv
from devtools.system import install_packages


def main():
    """Replace this process by the benchmarks; return only when that fails."""
    try:
        install_packages()
        get_odoo()
        python = virtualenv("bench")
    except DevtoolsError as error:
        print(error, file=sys.stderr)
        return 1
    os.chdir(PROJECT)
    os.execv(python, [str(python), "-m", "benchmarks.cli", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
