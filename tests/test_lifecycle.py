"""The addons come to a database, are upgraded there, and go."""

import re

import pytest

from devtools.base import ADDON, ADDONS, PROJECT

from .attacker import STOLEN, orders_of, rpc_of
from .client import Rpc, Visitor, new_contact, new_quotation
from .shop import confirm, press_module_button, quote, state_of

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"


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
    f"WHERE module IN {ADDONS} OR name LIKE '%%portal_invitation%%'",
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
    "parameters": "SELECT key FROM ir_config_parameter "
    "WHERE key != 'base.partially_updated_database'",
    "attachments": "SELECT name, res_model, res_field FROM ir_attachment "
    "WHERE res_model IN ('res.users', 'ir.module.module') "
    f"OR split_part(url, '/', 2) IN {ADDONS}",
    "filters": "SELECT name FROM ir_filters",
}


def catalog(db):
    """Return all that a database holds beside business data."""
    return {what: set(db.sql(query)) for what, query in CATALOG.items()}


@pytest.mark.parametrize("name", ADDONS)
def test_a_removed_addon_leaves_nothing_and_shows_nobody_more(
    new_shop, shop_instance, tmp_path, name
):
    # companions need the first two, and not each other
    removed = {name} if name in ADDONS[2:] else ADDONS[ADDONS.index(name) :]
    kept = tuple(addon for addon in ADDONS if addon not in removed)
    before = {}

    def prepare(db):
        """Install the addons that are kept, with no other to find, then all."""
        for addon in kept:
            (tmp_path / addon).symlink_to(PROJECT / addon)
        install(db, kept, [tmp_path])
        before.update(catalog(db))
        install(db, ADDONS, [PROJECT])

    shop = new_shop(f"without_{name}", instance=shop_instance, prepare=prepare)
    assert installed(shop.db) == set(ADDONS)
    assert catalog(shop.db) != before
    domain = f"{name.replace('_', '-')}.example.com"
    guest, employee = f"jane@{domain}", f"john@{domain}"
    own, claimed, colleague = order_twice_and_for_a_company(shop, guest, employee)
    assert seen(shop, guest) == {own, claimed}
    assert colleague not in seen(shop, employee)

    press_module_button(shop, "button_immediate_uninstall", name)
    assert installed(shop.db) == set(kept)
    assert {
        what: (after - before[what], before[what] - after)
        for what, after in catalog(shop.db).items()
        if after != before[what]
    } == {}
    is_claimed = "sale_portal_claim" in kept
    assert seen(shop, guest) == ({own, claimed} if is_claimed else {own})
    # as after Odoo's "Grant portal access", once nothing limits it
    assert (colleague in seen(shop, employee)) == (name == "portal_own_documents")
    new_id = quote(shop, f"new@{domain}")
    confirm(shop, new_id)
    state = shop.db.value("SELECT state FROM sale_order WHERE id = %s", new_id)
    assert (state, len(shop.db.users(f"new@{domain}"))) == ("sale", ADDON in kept)

    shop.server.stop()
    install(shop.db, ADDONS, [PROJECT])
    shop.server.start()
    again_id = quote(shop, f"again@{domain}")
    confirm(shop, again_id)
    assert state_of(shop, again_id) == ("sale", True, [f"again@{domain}"])
    shop.mailbox.wait_for_one(f"again@{domain}")
    known_id = quote(shop, guest)
    confirm(shop, known_id)
    assert state_of(shop, known_id) == ("sale", False, [])
    assert len(shop.mailbox.invitations(guest)) == 1


def test_claims_go_and_show_nobody_more_than_before(new_shop):
    shop = new_shop("claims_go")
    login, stranger = "jane.claims@example.com", "stranger.claims@example.com"
    own, other = quote(shop, login), quote(shop, stranger)
    confirm(shop, own, other)
    for address in (login, stranger):
        Visitor(shop.server).activate(shop.mailbox.wait_for_one(address), STOLEN)
    guest, free = quote(shop, login), quote(shop, login)
    confirm(shop, guest, free)
    invoice = invoice_of(shop, guest)
    shop.admin("sale.order", "action_claim_for_account", [guest])
    assert orders_of(shop, login) == {own, guest}
    assert invoices_of(shop, login) == [invoice]
    assert orders_of(shop, stranger) == {other}

    press_module_button(shop, "button_immediate_uninstall", "sale_portal_claim")
    assert orders_of(shop, login) == {own}
    assert not invoices_of(shop, login)
    assert orders_of(shop, stranger) == {other}
    link = shop.admin("sale.order", "get_portal_url", [guest])
    assert not Visitor(shop.server).page(link).find_class("o_portal_claim")
    for model in ("sale.order", "res.config.settings", "portal.adoption.report"):
        views = shop.admin(model, "get_views", [[False, "form"], [False, "list"]])
        assert "claim" not in str(views).lower(), model
    left = "SELECT name FROM ir_model_data WHERE module = 'sale_portal_claim'"
    assert not shop.db.sql(left)

    shop.server.stop()
    shop.db.instance.odoo_command([f"--update={ADDON}"], db=shop.db.name)
    state = "SELECT state FROM ir_module_module WHERE name = 'sale_portal_claim'"
    assert shop.db.value(state) == "uninstalled"
    shop.db.instance.odoo_command(["--init=sale_portal_claim"], db=shop.db.name)
    shop.server.start()
    # Nobody knows any more where they were mailed.
    assert orders_of(shop, login) == {own}
    shop.admin("sale.order", "action_claim_for_account", [guest])
    assert orders_of(shop, login) == {own, guest}


def invoices_of(shop, login):
    """Return the ids of all invoices that a customer gets to see."""
    return rpc_of(shop, login, STOLEN)("account.move", "search", [])


def invoice_of(shop, order_id):
    """Invoice an order, and return the id of the posted invoice."""
    wizard = shop.admin(
        "sale.advance.payment.inv",
        "create",
        {
            "advance_payment_method": "fixed",
            "fixed_amount": 1,
            "sale_order_ids": [(6, 0, [order_id])],
        },
    )
    shop.admin("sale.advance.payment.inv", "create_invoices", [wizard])
    [order] = shop.admin("sale.order", "read", [order_id], ["invoice_ids"])
    shop.admin("account.move", "action_post", order["invoice_ids"])
    return order["invoice_ids"][0]


def install(db, names, addons):
    """Install some of the addons, where Odoo finds only those in `addons`."""
    db.instance.addons = addons
    if names:
        db.instance.odoo_command([f"--init={','.join(names)}"], db=db.name)


def installed(db):
    """Return the names of our addons that are installed."""
    query = "SELECT name FROM ir_module_module WHERE state = 'installed'"
    return {name for [name] in db.sql(query)}.intersection(ADDONS)


def order_twice_and_for_a_company(shop, guest, employee):
    """Have a guest order with two contacts, and two people of a company once each.

    :return: the ids of the guest's orders and of the colleague's
    """
    own, claimed = quote(shop, guest), quote(shop, guest)
    company = new_contact(shop.admin, False, "Company", is_company=True)
    contacts = [
        new_contact(shop.admin, address, parent_id=company)
        for address in (employee, f"colleague.of.{employee}")
    ]
    bought, colleague = (new_quotation(shop.sales, contact) for contact in contacts)
    for order_id in (own, claimed, bought, colleague):
        confirm(shop, order_id)
    for address in (guest, employee):
        Visitor(shop.server).activate(shop.mailbox.wait_for_one(address), PASSWORD)
    return own, claimed, colleague


def seen(shop, login):
    """Return the ids of the orders that the portal shows to a user."""
    return set(Rpc(shop.server, login, PASSWORD)("sale.order", "search", []))
