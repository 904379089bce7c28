"""Databases of a size, and jobs that run inside Odoo on them."""

import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path

from devtools.base import ADDON, PROJECT, DevtoolsError, cache_dir, say, step
from devtools.instance import TEMPLATE, Instance, instances_dir
from devtools.recipes import RECIPES, addon_digest, template_folder

PREFIX = "bench"
JOB = """
import sys
sys.path.insert(0, {project!r})
from benchmarks.inside import main
main(env, {job!r})
"""


def addon_snapshot():
    """Return a folder with a copy of the addon as it is now.

    A run takes long, and all of it has to measure the same addon.
    """
    folder = cache_dir() / f"{PREFIX}-addon" / addon_digest() / "addons"
    if not folder.exists():
        shutil.rmtree(folder.parents[1], ignore_errors=True)
        shutil.copytree(PROJECT / ADDON, folder / ADDON)
    return folder


class Site:
    """A PostgreSQL with databases of several sizes; a context manager.

    The databases are kept from run to run; what is measured works on copies.
    """

    def __init__(self, recipe, addons):
        """
        :param recipe: name of a recipe of `devtools.recipes`
        :param addons: folder with the addon
        """
        self.recipe, self.addons = recipe, addons

    def __enter__(self):
        folder = template_folder(RECIPES[self.recipe], self.addons)
        name = f"{PREFIX}-{folder.name}"
        _remove_older(f"{PREFIX}-{self.recipe}-", name)
        # Durable: the time of a commit is a part of what is measured.
        self.instance = Instance.start(
            self.recipe, name=name, durable=True, addons=self.addons
        )
        return self

    def __exit__(self, *exc_info):
        self.instance.close()

    @contextlib.contextmanager
    def database(self, count):
        """Yield the name of a database with so many contacts and users, to be used up.

        :param count: contacts with a user each, beside the demo data
        """
        original, copy = f"size_{count}", f"work_{count}"
        if original not in self.instance.cluster.databases():
            self._populate(original, count)
        self.instance.drop_database(copy)
        with step(f"copy the database with {count} customers"):
            self.instance.new_database(copy, original)
            self.instance.cluster.sql(copy, "CHECKPOINT")
        try:
            yield copy
        finally:
            self.instance.drop_database(copy)

    def _populate(self, original, count):
        """Make the database that the copies are made from."""
        building = f"building_{count}"
        self.instance.drop_database(building)
        with step(f"make {count} contacts and users"):
            self.instance.new_database(building, TEMPLATE)
            if count:
                self.job(building, "population", count=count)
            self.instance.cluster.sql(building, "VACUUM ANALYZE")
            self.instance.cluster.sql(
                "postgres", f"ALTER DATABASE {building} RENAME TO {original}"
            )
            store = self.instance.data / "filestore"
            (store / building).rename(store / original)

    def job(self, db, module, **job):
        """Run a module of `benchmarks.inside` in an Odoo process on a database.

        :return: what its `run` returned
        :raise DevtoolsError: it raised; with the end of its output
        """
        process = Job(self, db, module, job)
        return process.result()

    @contextlib.contextmanager
    def background(self, db, module, **job):
        """Run such a job while the block runs, which begins once the job works."""
        flag = self.instance.folder / f"running-{time.time_ns()}"
        process = Job(self, db, module, job | {"while_file": str(flag)})
        try:
            while not flag.exists():
                process.check()
                time.sleep(0.1)
            yield
        finally:
            flag.unlink(missing_ok=True)
        process.result()


class Job:
    """A module of `benchmarks.inside` at work in an Odoo process."""

    def __init__(self, site, db, module, job):
        self.module = module
        work = site.instance.folder / f"job-{time.time_ns()}"
        self._files = [work, work.with_suffix(".out"), work.with_suffix(".log")]
        self._output, self._log = self._files[1:]
        work.write_text(
            json.dumps(job | {"module": module, "output": str(self._output)})
        )
        odoo = site.instance.odoo
        line = odoo.command(
            "shell", *site.instance.options(db), "--no-http", "--log-level=warn"
        )
        script = work.with_suffix(".py")
        script.write_text(JOB.format(project=str(PROJECT), job=str(work)))
        self._files.append(script)
        with open(self._log, "wb") as out, open(script, "rb") as source:
            self._process = subprocess.Popen(
                line,
                stdin=source,
                env=site.instance.environ(),
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def check(self):
        """Check that it has not failed.

        :raise DevtoolsError: it has; with the end of its output
        """
        if self._process.poll():
            said = self._log.read_text(errors="replace")
            raise DevtoolsError(f"{self.module} failed:\n{said[-6000:]}")

    def result(self):
        """Wait for its end and return its result.

        :raise DevtoolsError: it failed
        """
        try:
            self._process.wait()
        except BaseException:
            self._process.terminate()
            raise
        self.check()
        result = json.loads(self._output.read_text())
        for path in self._files:
            path.unlink()
        return result


def _remove_older(prefix, keep):
    """Remove the instances of older versions of the addon."""
    for folder in Path(instances_dir()).glob(f"{prefix}*"):
        if folder.name != keep and not Instance(folder).in_use():
            say(f"   remove {folder.name}")
            shutil.rmtree(folder)
