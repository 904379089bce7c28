"""An Odoo with a PostgreSQL of its own, for one run or kept under a name."""

import functools
import os
import shutil
import time
import zlib
from pathlib import Path

from .base import ADDONS, PROJECT, DevtoolsError, cache_dir, make_once, run, step
from .environment import get_odoo
from .postgres import ROLE, Cluster
from .recipes import RECIPES, SCRIPTS, as_list, template_folder
from .server import Server
from .system import free_port

TEMPLATE = "template"
CONFIG = PROJECT / "odoo.conf"


class Instance:
    """A PostgreSQL with Odoo databases and their files; a context manager."""

    def __init__(self, folder, addons=PROJECT, *, keep=True):
        """
        :param folder: holds `pgdata` and Odoo's `data`
        :param addons: the folder with the addon, or a list of such folders
        """
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.addons = as_list(addons)
        self.cluster = Cluster(self.folder / "pgdata")
        self._keep = keep
        self._servers = []

    @classmethod
    def start(cls, recipe="addon", name=None, *, durable=False, addons=PROJECT):
        """Start an instance made from a template, which is built where missing.

        :param recipe: a name of `RECIPES`, or a `Recipe`
        :param name: keep the instance under this name, and start that one when it
            exists; without a name it is removed when it stops
        :param durable: keep what is committed even when the machine crashes
        """
        set_dates(addons)
        folder = instances_dir() / (name or f"tmp-{os.getpid()}-{time.time_ns():x}")
        if not folder.exists():
            template = get_template(recipe, addons)
            # Those of processes that were killed are of no use any more.
            for old in instances_dir().glob("tmp-*"):
                if not Path("/proc", old.name.split("-")[1]).exists():
                    shutil.rmtree(old, ignore_errors=True)
            copy_tree(template, folder)
        instance = cls(folder, addons, keep=bool(name))
        instance.cluster.start(durable)
        return instance

    @functools.cached_property
    def odoo(self):
        """The Odoo that runs on the databases."""
        return get_odoo()

    def in_use(self):
        """Return whether another process runs this instance."""
        return self.cluster.attach()

    def close(self):
        """Stop all that was started here; remove the folder unless it is kept."""
        for server in self._servers:
            server.stop()
        self.cluster.stop()
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def dsn(self, db):
        """Return the connection string of the database `db` for psycopg2."""
        return f"host={self.cluster.socket} user={ROLE} dbname={db}"

    def new_database(self, db, template=TEMPLATE):
        """Make the database `db` as a copy of another one with its files."""
        store = self.data / "filestore"
        # the files first: an interrupted copy leaves no database without files
        shutil.rmtree(store / db, ignore_errors=True)
        if (store / template).exists():
            copy_tree(store / template, store / db, "--link")  # Odoo never edits them
        self.cluster.create(db, template)
        return db

    def drop_database(self, db):
        """Remove the database `db` and its files."""
        self.cluster.drop(db)
        shutil.rmtree(self.data / "filestore" / db, ignore_errors=True)

    def options(self, db):
        """Return the options that point an Odoo command at the database `db`."""
        return [f"--config={CONFIG}", f"--database={db}"]

    def environ(self):
        """Return the environment for Odoo and for programs that import it."""
        return self.odoo.environ() | {
            "PGHOST": str(self.cluster.socket),
            "PGUSER": ROLE,
            "ODOO_DATA_DIR": str(self.data),
            "ODOO_ADDONS_PATH": ",".join(map(str, [*self.addons, *self.odoo.addons])),
            "ODOO_HTTP_INTERFACE": "127.0.0.1",
            "ODOO_HTTP_PORT": str(free_port()),
            "ODOO_GEVENT_PORT": str(free_port()),
        }

    def odoo_command(self, args, *, db=TEMPLATE, log=None):
        """Run `odoo server` to its end, without serving, with options like `-i crm`."""
        options = [*self.options(db), "--no-http", "--stop-after-init", *args]
        return run(self.odoo.command("server", *options), env=self.environ(), log=log)

    def install(self, modules, *args, db=TEMPLATE, log=None):
        """Install modules.

        :raise DevtoolsError: Odoo does not know one, which it only logs
        """
        self.odoo_command([f"--init={','.join(modules)}", *args], db=db, log=log)
        query = "SELECT name FROM ir_module_module WHERE state = 'installed'"
        installed = self.cluster.sql(db, query).splitlines()
        if missing := set(modules) - set(installed):
            raise DevtoolsError(f"Not installed: {', '.join(missing)}. See {log}")

    def shell(self, db, script):
        """Run a script in `odoo shell` and return its output; it commits by itself."""
        line = self.odoo.command("shell", *self.options(db), "--no-http")
        return run(line, env=self.environ(), input=script)

    def start_server(self, db, **options):
        """Start an Odoo server on `db`, a `Server` with its options; wait for it."""
        server = Server(self, db, **options)
        self._servers.append(server)
        server.start()
        return server


def set_dates(addons):
    """Date static files by what is in them, as Odoo names bundles by their dates."""
    for root in as_list(addons):
        for name in ADDONS:
            for path in Path(root, name, "static").rglob("*.*"):
                date = 10**9 + zlib.crc32(path.read_bytes()) % 10**8  # from 2001
                os.utime(path, (date, date))


def get_template(recipe, addons=PROJECT):
    """Return the folder of a recipe's template, which is built where missing."""
    recipe = RECIPES[recipe] if isinstance(recipe, str) else recipe
    return make_once(template_folder(recipe, addons), _build, recipe, addons)


def _build(folder, recipe, addons):
    """Build the template of a recipe in an empty folder."""
    log = folder.with_name(f"{recipe.name}.log")
    log.unlink(missing_ok=True)
    instance = Instance(folder, addons)
    if recipe.parent:
        parent = get_template(recipe.parent, addons)
        folder.rmdir()
        copy_tree(parent, folder)
    else:
        instance.cluster.init()
    title = f"build the database '{recipe.name}', some minutes (log: {log})"
    with step(title), instance:
        instance.cluster.start()
        if not recipe.parent:
            instance.cluster.create(TEMPLATE)
        languages = f"--load-language={','.join(recipe.languages or ['en_US'])}"
        instance.install(recipe.modules, "--with-demo", languages, log=log)
        for name in recipe.scripts:
            instance.shell(TEMPLATE, (SCRIPTS / name).read_text())
    # of this recipe's templates, one older is kept, for another clone
    old = folder.parent.glob(f"{recipe.name}-{'?' * 12}")
    for path in sorted(old, key=lambda path: path.stat().st_mtime)[:-1]:
        shutil.rmtree(path)


def instances_dir():
    """Return the folder that holds all instances."""
    return cache_dir() / "instances"


def copy_tree(source, target, *options):
    """Copy a folder with its owners; whole or not at all."""
    temp = target.with_name(f".{target.name}.part")
    shutil.rmtree(temp, ignore_errors=True)
    temp.parent.mkdir(parents=True, exist_ok=True)
    # a link to a folder would be copied as one, and the copy would be the original
    run(["cp", "-a", "--reflink=auto", *options, source.resolve(), temp])
    temp.rename(target)
