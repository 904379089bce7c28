"""Set up what the benchmarks need, and go on in their own Python environment."""

import os
import sys

from devtools.base import PROJECT, DevtoolsError
from devtools.environment import get_odoo, virtualenv

try:
    get_odoo()
    python = virtualenv("bench")
except DevtoolsError as error:
    sys.exit(str(error))
os.chdir(PROJECT)
os.execv(python, [str(python), "-m", "benchmarks.cli", *sys.argv[1:]])
