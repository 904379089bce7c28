"""Databases of a size, and jobs that run inside Odoo on them."""

import contextlib
import json
import shutil

from devtools.base import PROJECT, say, step
from devtools.instance import TEMPLATE, Instance, instances_dir
from devtools.recipes import RECIPES, template_folder

SCRIPT = """
import sys
sys.path.insert(0, {project!r})
from benchmarks.inside import main
main(env, {work!r}, {job!r})
"""
# In a new database all scheduled jobs are due, and run with the first one triggered.
NO_JOBS = "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' + interval '1 day'"
# Drawing the PDF asks the same workers for its styles: with all of them drawing, Odoo
# waits for itself until it kills them. So the shop's emails go without one.
NO_PDF = "DELETE FROM mail_template_ir_actions_report_rel"
# The benchmark orders more in an hour than the limit that is meant for bots.
NO_LIMIT = "UPDATE website SET portal_email_limit = 0"


class Site:
    """A PostgreSQL with databases of several sizes; a context manager.

    The databases are kept from run to run; what is measured works on copies.
    """

    def __init__(self, recipe="addon"):
        """:param recipe: name of a recipe of `devtools.recipes`"""
        self.recipe = recipe

    def __enter__(self):
        name = f"bench-{template_folder(RECIPES[self.recipe]).name}"
        for folder in instances_dir().glob(f"bench-{self.recipe}-*"):
            if folder.name != name and not Instance(folder).in_use():
                say(f"   remove {folder.name}")
                shutil.rmtree(folder)
        # Durable: the time of a commit is a part of what is measured.
        self.instance = Instance.start(self.recipe, name, durable=True)
        return self

    def __exit__(self, *exc_info):
        self.instance.close()

    def sql(self, db, statement, **values):
        """Run SQL and return its rows as text, see `Cluster`."""
        return self.instance.cluster.sql(db, statement, **values)

    @contextlib.contextmanager
    def database(self, size):
        """Yield the name of a disposable database with N customers with an account.

        No job is due in it."""
        original, copy = f"size_{size}", f"work_{size}"
        if original not in self.instance.cluster.databases():
            self._fill(original, size)
        self.instance.drop_database(copy)
        with step(f"copy the database with {size:,} customers"):
            self.instance.new_database(copy, original)
            self.sql(copy, f"{NO_PDF}; {NO_JOBS}; CHECKPOINT")
            if self.recipe != "shop":
                self.sql(copy, NO_LIMIT)
        try:
            yield copy
        finally:
            self.instance.drop_database(copy)

    def _fill(self, original, size):
        """Make the database that the copies are made from."""
        building = f"building_{size}"
        self.instance.drop_database(building)
        with step(f"make {size:,} customers with an account"):
            self.instance.new_database(building, TEMPLATE)
            if size:
                self.job(building, "factory.fill", count=size)
            self.sql(building, "VACUUM ANALYZE")
            self.sql("postgres", f"ALTER DATABASE {building} RENAME TO {original}")
            store = self.instance.data / "filestore"
            (store / building).rename(store / original)

    def job(self, db, work, **job):
        """Run a function of `benchmarks.inside` in an Odoo process on a database.

        :param work: a module and a function, such as `confirm.compare`
        :return: what the function returned
        :raise DevtoolsError: it failed; with the end of its output
        """
        script = SCRIPT.format(project=str(PROJECT), work=work, job=job)
        return json.loads(self.instance.shell(db, script).splitlines()[-1])
