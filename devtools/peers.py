"""`make test-peers`: Odoo's own tests, with the addon and without it."""

import re
import subprocess

from .base import say, step
from .instance import Instance, free_port

MODULES = ("sale", "website_sale", "portal", "auth_signup", "payment")
_FAILED = re.compile(r"odoo\.addons\.(\w+)\S*: (?:FAIL|ERROR): (\S+)")
_TOTAL = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")


def test_peers(modules):
    """Run the post-install tests of Odoo's modules on both databases.

    :param modules: names of modules; without any, those that the addon extends
    :return: the exit status, 0 when the addon makes no difference
    """
    modules = modules or MODULES
    results = {recipe: _run(recipe, modules) for recipe in ("shop", "addon")}
    for recipe, (failed, total) in results.items():
        say(f"{recipe}: {total} tests, {len(failed)} failed")
    without, with_addon = (failed for failed, _total in results.values())
    for name in sorted(with_addon - without):
        say(f"fails with the addon only: {name}")
    for name in sorted(without - with_addon):
        say(f"fails without the addon only: {name}")
    return int(bool(with_addon - without))


def _run(recipe, modules):
    """Return the names of the tests that fail, and how many ran."""
    tags = ",".join(f"post_install/{module}" for module in modules)
    with (
        Instance.start(recipe) as instance,
        step(f"tests of {', '.join(modules)} on {recipe}"),
    ):
        command = instance.odoo.command(
            "server",
            *instance.options(instance.new_database("peers")),
            "--http-interface=127.0.0.1",
            f"--http-port={free_port()}",
            f"--gevent-port={free_port()}",
            f"--test-tags={tags}",
            "--stop-after-init",
        )
        log = subprocess.run(
            command,
            env=instance.odoo.environ(),
            cwd=instance.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        ).stdout
    (instance.folder.parent / f"peers-{recipe}.log").write_text(log)
    totals = _TOTAL.findall(log)
    if not totals:
        raise RuntimeError(f"Odoo ran no tests:\n{log[-2000:]}")
    failed = {f"{module}: {test}" for module, test in _FAILED.findall(log)}
    return failed, int(totals[-1][2])
