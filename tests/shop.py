"""What a test does to a running shop as its administrator, or looks at in it."""

import time

from .client import new_contact, new_quotation


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
