"""Databases that are built once and copied for every run."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from .base import ADDON, PROJECT, DevtoolsError, cache_dir, digest, lock, say, step
from .instance import TEMPLATE, Instance, copy_tree
from .odoo import get_odoo, requirements_digest
from .postgres import server_version

# Raise it when the way templates are built changes.
REVISION = 1
KEEP = 2


@dataclass(frozen=True)
class Recipe:
    """How to build a template: the parent's database, more modules, then scripts."""

    name: str
    modules: tuple
    parent: str | None = None
    demo: bool = True
    languages: tuple = ()
    scripts: tuple = ()

    def own_digest(self, addon):
        """Return a hash of what this recipe, without its parent, depends on."""
        parts = [self.name, self.modules, self.demo, self.languages]
        parts += map(_script, self.scripts)
        if ADDON in self.modules:
            parts.append(addon_digest(addon))
        return digest(*parts)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "shop",
            (
                "website_sale",
                "sale_management",
                "payment_demo",
                "payment_custom",
                "contacts",
            ),
            languages=("en_US", "fr_FR"),
            scripts=("shop.py", "assets.py"),
        ),
        Recipe("addon", (ADDON,), parent="shop", scripts=("assets.py",)),
        # What the addon depends on, and nothing else.
        Recipe("bare", ("website_sale",)),
        # The addon last: a change of it does not build the rest again.
        Recipe("warehouse", ("stock", "delivery", "purchase"), parent="shop"),
        Recipe("full", (ADDON,), parent="warehouse", scripts=("assets.py",)),
    )
}


def addon_digest(addons=PROJECT):
    """Return a hash of the addon's files that make a difference in a database."""
    root = _addon_root(addons)
    skipped = {"tests", "static", "readme", "__pycache__"}
    return digest(
        *(
            part
            for path in sorted(root.rglob("*"))
            if path.is_file()
            and not skipped & set(path.relative_to(root).parts)
            and path.suffix not in (".md", ".rst", ".pyc")
            for part in (path.relative_to(root), path.read_bytes())
        )
    )


def get_template(recipe, addons=PROJECT):
    """Return the folder of a recipe's template, built with its parents where missing.

    :param recipe: a name of `RECIPES`, or a `Recipe`
    :param addons: the folder with the addon, or a list of such folders
    """
    recipe = RECIPES[recipe] if isinstance(recipe, str) else recipe
    folder = template_folder(recipe, addons)
    if folder.exists():
        return folder
    with lock(f"template-{recipe.name}"):
        if not folder.exists():
            parent = recipe.parent and get_template(recipe.parent, addons)
            _build(recipe, folder, parent, addons)
            _remove_old(recipe)
    return folder


def template_folder(recipe, addons=PROJECT):
    """Return where the template of a recipe is, or will be once it is built."""
    pins = requirements_digest("odoo")
    parts = [REVISION, get_odoo().version, pins, server_version()]
    parent = recipe
    while parent:
        parts.append(parent.own_digest(addons))
        parent = RECIPES[parent.parent] if parent.parent else None
    return cache_dir() / "templates" / f"{recipe.name}-{digest(*parts)}"


def _build(recipe, folder, parent, addons):
    """Build the template `folder`; nothing is left behind when that fails."""
    work = folder.with_name(f".{folder.name}.build")
    log = folder.with_name(f"{recipe.name}.log")
    shutil.rmtree(work, ignore_errors=True)
    log.unlink(missing_ok=True)
    try:
        with step(f"build the database '{recipe.name}' (log: {log})"):
            instance = Instance(work, addons)
            if parent:
                copy_tree(parent, work)
            else:
                work.mkdir(parents=True)
                instance.cluster.init()
            with instance:
                instance.open()
                if not parent:
                    instance.cluster.create(TEMPLATE)
                _install(instance, recipe, log)
            for leftover in ("lock", "postgres.log"):
                (work / leftover).unlink(missing_ok=True)
            shutil.rmtree(work / "data/sessions", ignore_errors=True)
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _install(instance, recipe, log):
    """Install a recipe's modules and run its scripts."""
    args = [f"--init={','.join(recipe.modules)}"]
    args += ["--with-demo" if recipe.demo else "--without-demo"]
    if recipe.languages:
        args.append(f"--load-language={','.join(recipe.languages)}")
    instance.odoo_command(args, log=log)
    for name in recipe.scripts:
        instance.shell(TEMPLATE, _script(name))
    _check_installed(instance, recipe, log)


def _check_installed(instance, recipe, log):
    """Check that the modules got installed, as Odoo only logs unknown ones.

    :raise DevtoolsError: one is not
    """
    installed = instance.cluster.sql(
        TEMPLATE, "SELECT name FROM ir_module_module WHERE state = 'installed'"
    ).splitlines()
    if missing := set(recipe.modules) - set(installed):
        raise DevtoolsError(f"Not installed: {', '.join(missing)}. See {log}")


def _remove_old(recipe):
    """Remove older templates of a recipe but the newest."""
    found = [
        path
        for path in (cache_dir() / "templates").glob(f"{recipe.name}-*")
        # the hash has no dash, so another recipe's longer name does not match
        if path.name.rpartition("-")[0] == recipe.name
    ]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEEP:]:
        say(f"   remove the old {path.name}")
        shutil.rmtree(path)


def _addon_root(addons):
    """Return the addon's folder within one of the addons folders."""
    folders = [addons] if isinstance(addons, str | Path) else addons
    roots = [Path(folder) / ADDON for folder in folders]
    return next((root for root in roots if root.exists()), roots[0])


def _script(name):
    return (Path(__file__).parent / "scripts" / name).read_text()
