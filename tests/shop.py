"""What a test does to a running shop as its administrator, or looks at in it."""

import time
from contextlib import contextmanager
from types import SimpleNamespace

from devtools.base import ADDON

from .client import Rpc, RpcError, new_contact, new_quotation
from .database import Database, eventually


@contextmanager
def run_shop(instance, mailbox, name, prepare=None, **options):
    """Run a shop on a new database.

    :param instance: whose template the database is copied from
    :param prepare: is called with the database before the server starts
    :param options: for `Instance.start_server`
    """
    db = Database(instance, instance.new_database(name))
    if prepare:
        prepare(db)
    with instance.start_server(name, smtp_port=mailbox.port, **options) as server:
        admin = Rpc(server, "admin", "admin")
        yield SimpleNamespace(db=db, server=server, mailbox=mailbox, admin=admin)


def press_module_button(shop, button):
    """Upgrade or uninstall the addon in the running server, as the Apps menu does."""
    module = shop.admin("ir.module.module", "search", [("name", "=", ADDON)])

    def done():
        try:
            shop.admin("ir.module.module", button, module)
        except RpcError as error:
            # a scheduled action is running: the dialog says to try again
            assert "try again later" in str(error)
            return False
        return True

    eventually(done, pause=1)


def quote(shop, address, **values):
    """Return the id of a quotation for a new contact."""
    return new_quotation(shop.admin, new_contact(shop.admin, address), **values)


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
