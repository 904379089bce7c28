"""The addon comes to a database, is upgraded there, and goes."""

import re

import pytest

from devtools.base import ADDON

from .shop import confirm, press_module_button, quote, state_of

pytestmark = pytest.mark.slow


def test_a_database_with_two_users_of_one_login_gets_the_addon_and_keeps_working(
    new_shop, shop_instance, tmp_path
):
    log = tmp_path / "install.log"
    login = "twice@example.com"

    def prepare(db):
        add_users_with_one_login(db, login)
        db.instance.odoo_command([f"--init={ADDON}"], db=db.name, log=log)

    shop = new_shop("twins", instance=shop_instance, prepare=prepare)
    users = shop.db.users(login)
    assert len(users) == 2
    text = log.read_text(errors="replace")
    assert re.search(r"ERROR .*res_users_login_without_website_uniq", text)
    order_id = quote(shop, login)
    confirm(shop, order_id)
    assert state_of(shop, order_id) == ("sale", False, [])
    assert shop.db.users(login) == users
    new_id = quote(shop, "jane.beside.twins@example.com")
    confirm(shop, new_id)
    assert state_of(shop, new_id)[:2] == ("sale", True)
    shop.mailbox.wait_for_one("jane.beside.twins@example.com")


def add_users_with_one_login(db, login):
    """Add two portal users with one login, as two transactions at once leave them."""
    columns = [
        column
        for [column] in db.sql(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = 'res_users' AND column_name NOT IN %s",
            ("id", "login", "partner_id"),
        )
    ]
    names = ", ".join(f'"{column}"' for column in columns)
    for number in range(2):
        partner = db.value(
            "INSERT INTO res_partner (name, complete_name, active, type, "
            "autopost_bills, email) VALUES (%s, %s, true, 'contact', 'ask', %s) "
            "RETURNING id",
            *[f"Twin {number}"] * 2,
            f"twin{number}@example.com",
        )
        user = db.value(
            f"INSERT INTO res_users (login, partner_id, {names}) "
            f"SELECT %s, %s, {names} FROM res_users WHERE login = 'portal' "
            "RETURNING id",
            login,
            partner,
        )
        for table, mine, other in (
            ("res_groups_users_rel", "uid", "gid"),
            ("res_company_users_rel", "user_id", "cid"),
        ):
            db.sql(
                f"INSERT INTO {table} ({mine}, {other}) SELECT %s, {other} "
                f"FROM {table} JOIN res_users u ON u.id = {mine} "
                "WHERE u.login = 'portal'",
                user,
            )


def test_an_upgrade_keeps_accounts_due_invitations_and_a_changed_mail(new_shop):
    shop = new_shop("upgrade")
    shop.mailbox.stop()
    order_id = quote(shop, "jane.waits@example.com")
    confirm(shop, order_id)
    [template] = shop.admin(
        "mail.template", "search", [("name", "=", "Portal account invitation")]
    )
    shop.admin(
        "mail.template",
        "write",
        [template],
        {
            "subject": "Activate your account, says the owner",
            "email_from": "me@example.com",
        },
    )
    shop.server.stop()
    before = users_and_invitations(shop)
    shop.db.instance.odoo_command([f"--update={ADDON}"], db=shop.db.name)
    assert users_and_invitations(shop) == before
    assert state_of(shop, order_id) == ("sale", True, ["jane.waits@example.com"])
    shop.mailbox.start()
    shop.server.start()
    shop.db.pass_time()
    mail = shop.mailbox.wait_for_one("jane.waits@example.com")
    assert mail.message["Subject"] == "Activate your account, says the owner"
    assert mail.message["From"].addresses[0].addr_spec == "me@example.com"


def users_and_invitations(shop):
    """Return all rows about users and their invitations."""
    return [
        shop.db.sql(f"SELECT * FROM {table} ORDER BY id")
        for table in ("res_users", "portal_invitation")
    ]


# What there is of a database that outlives its rows; each row one thing.
CATALOG = {
    "tables": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "columns": "SELECT table_name, column_name, data_type "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "functions": "SELECT proname FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace",
    "external ids": "SELECT module, name FROM ir_model_data "
    "WHERE module = 'sales_confirm_user_create' "
    "OR name LIKE '%%portal_invitation%%'",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model, name FROM ir_model_fields",
    "constraint records": "SELECT name FROM ir_model_constraint",
    "scheduled actions": "SELECT s.name::text FROM ir_cron c "
    "JOIN ir_act_server s ON s.id = c.ir_actions_server_id",
    "triggers": "SELECT cron_id FROM ir_cron_trigger "
    "WHERE cron_id NOT IN (SELECT id FROM ir_cron)",
    "server actions": "SELECT name::text FROM ir_act_server",
    "window actions": "SELECT name::text FROM ir_act_window",
    "menus": "SELECT name::text FROM ir_ui_menu",
    "mail templates": "SELECT name::text FROM mail_template",
    "views": "SELECT model, name, key FROM ir_ui_view",
    "groups": "SELECT name::text FROM res_groups",
    "access rights": "SELECT name FROM ir_model_access",
    "rules": "SELECT name FROM ir_rule",
    "parameters": "SELECT key FROM ir_config_parameter",
    "attachments": "SELECT name, res_model, res_field FROM ir_attachment "
    "WHERE res_model IN ('res.users', 'ir.module.module') "
    "OR url LIKE '/sales_confirm%%'",
    "filters": "SELECT name FROM ir_filters",
}


def catalog(db):
    """Return all that a database holds beside business data."""
    return {what: set(db.sql(query)) for what, query in CATALOG.items()}


def test_an_uninstalled_addon_leaves_nothing_but_the_accounts(new_shop, shop_instance):
    before = {}

    def prepare(db):
        # loads the same modules, so that only the addon makes a difference
        before.update(catalog(db))
        db.instance.odoo_command([f"--init={ADDON}"], db=db.name)

    shop = new_shop("uninstall", instance=shop_instance, prepare=prepare)
    assert catalog(shop.db) != before
    address = "jane.stays@example.com"
    order_id = quote(shop, address)
    confirm(shop, order_id)
    shop.mailbox.wait_for_one(address)

    press_module_button(shop, "button_immediate_uninstall")
    assert {
        what: (after - before[what], before[what] - after)
        for what, after in catalog(shop.db).items()
        if after != before[what]
    } == {}
    assert len(shop.db.users(address)) == 1
    plain_id = quote(shop, "jane.plain@example.com")
    confirm(shop, plain_id)
    assert (
        shop.db.value("SELECT state FROM sale_order WHERE id = %s", plain_id) == "sale"
    )
    assert not shop.db.users("jane.plain@example.com")

    shop.server.stop()
    shop.db.instance.odoo_command([f"--init={ADDON}"], db=shop.db.name)
    shop.server.start()
    again_id = quote(shop, "jane.again@example.com")
    confirm(shop, again_id)
    assert state_of(shop, again_id) == ("sale", True, ["jane.again@example.com"])
    shop.mailbox.wait_for_one("jane.again@example.com")
    known_id = quote(shop, address)
    confirm(shop, known_id)
    assert state_of(shop, known_id) == ("sale", False, [])
    assert len(shop.mailbox.invitations(address)) == 1
