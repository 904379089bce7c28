"""What somebody tries over HTTP who wants another customer's account or orders."""

from contextlib import contextmanager

import lxml.html
import requests

from .client import Rpc, RpcError, Visitor
from .shop import confirm, quote

RESET = "/web/reset_password"
STOLEN = "another horse battery"


@contextmanager
def account_policy(shop, policy):
    """Have the shop create accounts by another setting; Odoo alone has none."""
    if not shop.is_addon:
        yield
        return
    companies = shop.admin("res.company", "search", [])

    def write(value):
        shop.admin("res.company", "write", companies, {"portal_account_policy": value})

    write(policy)
    try:
        yield
    finally:
        write("all")


def past_order(shop, address, **values):
    """Return the id of a guest's order that was confirmed and created no account."""
    with account_policy(shop, "never"):
        order_id = quote(shop, address, **values)
        confirm(shop, order_id)
    return order_id


def ask_for_reset(shop, login, reader):
    """Ask Odoo for a new password of a login.

    :return: the link that was mailed to the address `reader`, or None
    """
    before = len(shop.mailbox.received(reader, RESET))
    Visitor(shop.server).post(RESET, {"login": login}, form=RESET)
    # Odoo sends it before it answers.
    mails = shop.mailbox.received(reader, RESET)[before:]
    return next((link for mail in mails for link in links_in(mail, RESET)), None)


def links_in(mail, path):
    """Return the links of an email whose address has a path."""
    hrefs = lxml.html.fromstring(mail.html).xpath("//a/@href")
    return [href for href in hrefs if path in href]


def set_password(shop, link, password=STOLEN):
    """Follow a link of Odoo's and send its form with a password.

    :return: the visitor, and whether the link showed a form
    """
    visitor = Visitor(shop.server)
    response = visitor.session.get(link, timeout=120)
    forms = lxml.html.fromstring(response.content).xpath(
        "//form[contains(@class, 'oe_reset_password_form')][.//input[@type='password']]"
    )
    for form in forms:
        values = dict(form.form_values())
        values |= {"password": password, "confirm_password": password}
        visitor.session.post(response.url, data=values, timeout=120)
    return visitor, bool(forms)


def rpc_of(shop, login, password=STOLEN):
    """Return the RPC client of a login, or None where it is refused."""
    try:
        return Rpc(shop.server, login, password)
    except RpcError:
        return None


def orders_of(shop, login, password=STOLEN):
    """Return the ids of all orders that a login gets to see; none if it is refused."""
    rpc = rpc_of(shop, login, password)
    return set(rpc("sale.order", "search", [])) if rpc else set()


def orders_by_key(shop, key):
    """Return the ids of all orders that an API key gets to see; none if refused."""
    response = requests.post(
        f"{shop.server.url}/json/2/sale.order/search",
        json={"domain": []},
        headers={"Authorization": f"bearer {key}"},
        timeout=120,
    )
    return set(response.json()) if response.ok else set()


def new_api_key(shop, login):
    """Return a new API key of a user, which Odoo creates in the browser."""
    output = shop.db.shell(
        f"""
user = env["res.users"].search([("login", "=", {login!r})])
keys = env["res.users.apikeys"].with_user(user).sudo()
print("KEY", keys._generate("rpc", "planted", False))
"""
    )
    [key] = [line.split()[-1] for line in output.splitlines() if line.startswith("KEY")]
    return key


def merge(shop, source, target):
    """Merge a contact into another one with Odoo's wizard."""
    wizard = shop.admin(
        "base.partner.merge.automatic.wizard",
        "create",
        {"partner_ids": [(6, 0, [source, target])], "dst_partner_id": target},
    )
    shop.admin("base.partner.merge.automatic.wizard", "action_merge", [wizard])


def run_daily_jobs(shop):
    """Run what the addon does every day, and Odoo's own cleaning."""
    jobs = shop.admin(
        "ir.model.data",
        "search_read",
        [
            ("model", "=", "ir.cron"),
            "|",
            ("module", "=", "sales_confirm_user_create"),
            ("name", "=", "autovacuum_job"),
        ],
        ["res_id"],
    )
    for job in jobs:
        shop.admin("ir.cron", "method_direct_trigger", [job["res_id"]])
