"""What a test does to a running shop as its administrator, or looks at in it."""

import time
from contextlib import contextmanager
from types import SimpleNamespace

from devtools.base import ADDON

from .client import Rpc, RpcError, new_contact, new_quotation
from .database import Database, eventually
from .mailbox import token_in


@contextmanager
def run_shop(instance, mailbox, name, prepare=None, **options):
    """Run a shop on a new database.

    :param instance: whose template the database is copied from
    :param prepare: is called with the database before the server starts
    :param options: for `Instance.start_server`
    """
    db = Database(instance, instance.new_database(name))
    # When the template is a day old, all of Odoo's daily jobs would run at once.
    db.sql(
        "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' + interval '1 day' "
        "WHERE interval_type IN ('days', 'weeks', 'months')"
    )
    if prepare:
        prepare(db)
    with instance.start_server(name, smtp_port=mailbox.port, **options) as server:
        admin = Rpc(server, "admin", "admin")
        yield SimpleNamespace(
            db=db, server=server, mailbox=mailbox, admin=admin, sales=admin
        )
    # pytest may come back to the file, and ask for the shop again
    db.drop()


def press_module_button(shop, button, name=ADDON):
    """Upgrade or uninstall an addon in the running server, as the Apps menu does."""
    module = shop.admin("ir.module.module", "search", [("name", "=", name)])

    def done():
        try:
            shop.admin("ir.module.module", button, module)
        except RpcError as error:
            # a scheduled action is running: the dialog says to try again
            assert "try again later" in str(error)
            return False
        return True

    eventually(done, pause=1)


def quote(shop, address, name="Jane Doe", **values):
    """Return the id of the salesperson's quotation for a new contact."""
    return new_quotation(shop.sales, new_contact(shop.admin, address, name), **values)


def confirm(shop, *order_ids):
    """Confirm orders as administrator, and return how many seconds that took."""
    start = time.monotonic()
    shop.admin("sale.order", "action_confirm", list(order_ids))
    return time.monotonic() - start


def state_of(shop, order_id):
    """Return an order's state, its flag, and the logins of its customer's users."""
    [(state, flag, partner)] = shop.db.sql(
        "SELECT state, coalesce(user_created, false), partner_id FROM sale_order "
        "WHERE id = %s",
        order_id,
    )
    logins = shop.db.sql("SELECT login FROM res_users WHERE partner_id = %s", partner)
    return state, flag, [login for [login] in logins]


@contextmanager
def expire_links(shop):
    """Have the links that are emailed by then be expired on arrival."""
    key = "auth_signup.signup.validity.hours"
    shop.admin("ir.config_parameter", "set_param", key, "-1")
    try:
        yield
    finally:
        shop.admin("ir.config_parameter", "set_param", key, "144")


def assert_invited(shop, address, order_id):
    """Check that an order created its customer's account, and that the email is here.

    :return: the email
    """
    [user] = shop.db.users(address)
    [(share, partner, flag, state, customer)] = shop.db.sql(
        "SELECT u.share, u.partner_id, o.user_created, o.state, o.partner_id "
        "FROM res_users u, sale_order o WHERE u.id = %s AND o.id = %s",
        user,
        order_id,
    )
    assert (share, flag, state) == (True, True, "sale")
    assert partner == customer
    return shop.mailbox.wait_for_one(address)


def assert_token_is_nowhere(shop, mail, visits):
    """Check that an email's token is in no table, no file of the database and no
    session, and that the log has it as often as its link was followed.

    Odoo logs the address of each request, of its own links, too.
    """
    token = token_in(mail.link)
    assert len(token) > 40
    log = shop.server.log.read_text(errors="replace").splitlines()
    lines = [line for line in log if token in line]
    assert len(lines) == visits
    assert all('"GET /web/portal/activate?token=' in line for line in lines)
    tables = shop.db.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 100
    assert not [
        table
        for [table] in tables
        if shop.db.sql(
            f'SELECT 1 FROM "{table}" t WHERE strpos(t::text, %s) > 0 LIMIT 1', token
        )
    ]
    data = shop.db.instance.data
    assert not [
        file
        for folder in (data / "filestore" / shop.db.name, data / "sessions")
        for file in folder.rglob("*")
        if file.is_file() and token.encode() in file.read_bytes()
    ]
