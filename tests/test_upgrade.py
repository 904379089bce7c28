"""From the first release to this tree and on: a shop keeps all it has.

There is no migration to run yet. `tests/migrations` has one to copy, in the folder of a
version that is far off, and it is tested here as a real one will be: put it into the
addon's own folder `migrations/`, named by the version that needs it.
"""

import ast
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from devtools.base import ADDON, PROJECT
from devtools.instance import Instance

from .database import Database

FIRST = "19.0.1.0.0"
# for clones without the tag
FIRST_COMMIT = "8eadaede06ff823b8928d7cff71a2eb9ace9693a"
MIGRATIONS = Path(__file__).parent / "migrations"
NEXT = "19.0.99.0.0"
FILL = """
env.company.write({"portal_reminder_max": 2, "portal_reminder_days": 5})
template = env.ref("sales_confirm_user_create.mail_template_portal_invitation")
template.subject = "Welcome, says the shop"
env.ref("sales_confirm_user_create.ir_cron_portal_invitation").priority = 7
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
for name in ("first", "second"):
    partner = env["res.partner"].create(
        {"name": name, "email": f"{name}@example.com"}
    )
    order = env["sale.order"].create(
        {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id})]}
    )
    order.action_confirm()
    assert order.user_created
partner.user_ids._update_last_login()
"""
COLUMNS = """
    SELECT table_name, column_name
      FROM information_schema.columns
     WHERE table_name IN ('res_users', 'res_partner', 'res_company', 'sale_order')
       AND (column_name LIKE 'portal\\_%%' OR column_name = 'user_created')
"""


def _version(folder):
    manifest = (folder / ADDON / "__manifest__.py").read_text()
    return ast.literal_eval(manifest)["version"]


@pytest.fixture(scope="module")
def first_release(tmp_path_factory):
    """The addon as first released, from the history of this clone."""
    folder = tmp_path_factory.mktemp("first")
    for name in (FIRST, FIRST_COMMIT):
        archive = subprocess.run(
            ["git", "-C", PROJECT, "archive", name, ADDON],
            check=False,
            capture_output=True,
        )
        if not archive.returncode:
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
                tar.extractall(folder, filter="data")
            assert _version(folder) == FIRST
            return folder
    pytest.skip(f"no {FIRST} in this clone: git fetch --tags --unshallow")


@pytest.fixture(scope="module")
def next_release(tmp_path_factory):
    """The addon of this tree as a later version, with the example migration."""
    folder = tmp_path_factory.mktemp("next")
    shutil.copytree(PROJECT / ADDON, folder / ADDON)
    manifest = folder / ADDON / "__manifest__.py"
    text = manifest.read_text()
    manifest.write_text(text.replace(f'"{_version(PROJECT)}"', f'"{NEXT}"'))
    shutil.copytree(MIGRATIONS, folder / ADDON / "migrations", dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def database(first_release):
    """A database that the first release was installed in and used."""
    with Instance.start("shop", addons=first_release) as instance:
        instance.new_database("first")
        instance.odoo_command([f"--init={ADDON}"], db="first")
        database = Database(instance, "first")
        database.shell(FILL)
        yield database


@pytest.fixture
def shop(database):
    """A copy of that database, for one test."""
    instance = database.instance
    instance.new_database("shop", template="first")
    yield Database(instance, "shop")
    instance.drop_database("shop")


def _update(shop, addons):
    """Update the addon and return what was logged."""
    shop.instance.addons = [addons]
    log = shop.instance.folder / "update.log"
    log.unlink(missing_ok=True)
    shop.instance.odoo_command([f"--update={ADDON}"], db=shop.name, log=log)
    return log.read_text()


def _kept(shop, columns):
    """Return all that the addon, and the shop through it, has put into the database."""
    data = {
        (table, column): shop.sql(f"SELECT id, {column} FROM {table} ORDER BY id")
        for table, column in columns
    }
    data["template"] = shop.sql(
        "SELECT subject FROM mail_template WHERE id = %s",
        _record_id(shop, "mail_template_portal_invitation"),
    )
    data["users"] = shop.sql(
        "SELECT id, login, active, share FROM res_users ORDER BY id"
    )
    data["notes"] = shop.sql("SELECT id, body FROM mail_message ORDER BY id")
    return data


def _record_id(shop, name):
    return shop.value(
        "SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s", ADDON, name
    )


def _cron(shop):
    return shop.sql(
        "SELECT interval_number, interval_type, priority FROM ir_cron WHERE id = %s",
        _record_id(shop, "ir_cron_portal_invitation"),
    )


def _installed_version(shop):
    return shop.value(
        "SELECT latest_version FROM ir_module_module WHERE name = %s", ADDON
    )


@pytest.mark.parametrize("to_next", [False, True], ids=["this tree", "a later version"])
def test_an_update_keeps_all_data(shop, next_release, to_next):
    columns = shop.sql(COLUMNS)
    before = _kept(shop, columns)
    [(subject,)] = before["template"]
    assert subject["en_US"] == "Welcome, says the shop"
    log = _update(shop, next_release if to_next else PROJECT)
    assert " ERROR " not in log and " WARNING " not in log
    assert _installed_version(shop) == (NEXT if to_next else _version(PROJECT))
    assert _kept(shop, columns) == before


def test_a_migration_runs_once_and_keeps_what_the_shop_chose(shop, next_release):
    _update(shop, next_release)
    assert _cron(shop) == [(30, "minutes", 7)]
    shop.sql("UPDATE ir_cron SET interval_number = 1, interval_type = 'hours'")
    _update(shop, next_release)
    assert _cron(shop) == [(1, "hours", 7)]


def test_a_migration_leaves_an_interval_of_the_shop_alone(shop, next_release):
    shop.sql("UPDATE ir_cron SET interval_number = 2, interval_type = 'days'")
    _update(shop, next_release)
    assert _cron(shop) == [(2, "days", 7)]
