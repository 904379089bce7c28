"""The part of the benchmarks that runs inside an Odoo process."""

import json
import sys
from pathlib import Path


def main(env, job_file):
    """Run the job that a file describes; called in `odoo shell`.

    :param job_file: path of a JSON file: `module` of this package, `output`, the file
        that takes the results as JSON, and what the module wants
    """
    from importlib import import_module

    job = json.loads(Path(job_file).read_text())
    # Odoo's own transaction of the shell must not hold anything back.
    env.cr.rollback()
    result = import_module(f"{__name__}.{job['module']}").run(env, job)
    Path(job["output"]).write_text(json.dumps(result))
    sys.stdout.flush()
