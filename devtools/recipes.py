"""What is in the databases that are built once and copied for every run."""

from dataclasses import dataclass
from pathlib import Path

from .base import ADDONS, PROJECT, cache_dir, digest, run
from .environment import get_odoo
from .system import postgres_bin

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Recipe:
    """How to build a template: the parent's database, more modules, then scripts."""

    name: str
    modules: tuple
    parent: str | None = None
    languages: tuple = ()
    scripts: tuple = ()


SHOP = ("website_sale", "sale_management", "payment_demo", "payment_custom", "contacts")
RELATED = ("stock", "delivery", "purchase", "sale_loyalty")
LANGUAGES = ("en_US", "fr_FR", "ar_001")
_RECIPES = (
    Recipe("shop", SHOP, None, LANGUAGES, ("shop.py", "assets.py")),
    Recipe("addon", ADDONS, parent="shop", scripts=("assets.py",)),
    # What the addons depend on, and nothing else.
    Recipe("bare", ("website_sale",)),
    # The addons last: a change of them does not build the rest again.
    Recipe("warehouse", RELATED, parent="shop"),
    Recipe("full", ADDONS, parent="warehouse", scripts=("assets.py",)),
)
RECIPES = {recipe.name: recipe for recipe in _RECIPES}


def template_folder(recipe, addons=PROJECT):
    """Return where the template of a recipe is, or will be once it is built."""
    odoo = get_odoo()
    postgres = run([postgres_bin() / "postgres", "--version"])
    parts = [odoo.version, odoo.python.parents[1].name, postgres]
    parent = recipe
    while parent:
        files = addon_digest(addons) if set(ADDONS) & set(parent.modules) else ""
        scripts = [(SCRIPTS / name).read_text() for name in parent.scripts]
        parts += [parent, *scripts, files]
        parent = RECIPES.get(parent.parent)
    return cache_dir() / "templates" / f"{recipe.name}-{digest(*parts)}"


def addon_digest(addons=PROJECT):
    """Return a hash of the addons' files that make a difference in a database."""
    skipped = {"tests", "static", "readme", "README.rst", "__pycache__"}
    parts = []
    for root in as_list(addons):
        paths = [path for name in ADDONS for path in Path(root, name).rglob("*.*")]
        for path in sorted(paths):
            name = path.relative_to(root)
            if path.is_file() and not skipped & set(name.parts):
                parts += [name, path.read_bytes()]
    return digest(*parts)


def as_list(addons):
    """Return a list of folders with addons, from one folder or several."""
    return [addons] if isinstance(addons, str | Path) else list(addons)
