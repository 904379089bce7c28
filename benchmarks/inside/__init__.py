"""The part of the benchmarks that runs inside an Odoo process."""

import json
from importlib import import_module


def main(env, work, job):
    """Run a function of this package in `odoo shell`, and print its result as JSON.

    :param work: a module and a function, such as `confirm.compare`
    :param job: dict of what the function wants
    """
    # Odoo's own transaction of the shell must not hold anything back.
    env.cr.rollback()
    module, function = work.split(".")
    result = getattr(import_module(f"{__name__}.{module}"), function)(env, job)
    print(f"\n{json.dumps(result)}")
