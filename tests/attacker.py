"""What somebody tries over HTTP who wants another customer's account or orders."""

from contextlib import contextmanager

import lxml.html
import requests

from .client import Rpc, RpcError, Visitor
from .shop import confirm, quote, run_shop

RESET = "/web/reset_password"
PASSWORD = "correct horse battery"
STOLEN = "another horse battery"
HIDDEN = "77 Hidden Lane"  # where an owner lives, as nobody else knows


@contextmanager
def run_attacked_shop(request, mailbox, name):
    """Run a shop with free sign-up for a fixture whose parameter is "addon" or "odoo".

    `shop.is_addon` is whether it has the addon.
    """
    is_addon = request.param == "addon"
    instance = request.getfixturevalue(f"{'addon' if is_addon else 'shop'}_instance")
    with run_shop(instance, mailbox, f"{name}_{request.param}") as shop:
        shop.is_addon, shop.chair = is_addon, shop.db.product("Office Chair")
        websites = shop.admin("website", "search", [])
        values = {"auth_signup_uninvited": "b2c"}
        shop.admin("website", "write", websites, values)
        # Odoo refuses all logins of an address on the network after some wrong ones.
        key = "base.login_cooldown_after"
        shop.admin("ir.config_parameter", "set_param", key, "0")
        yield shop


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
    """Ask Odoo for a new password of a login, and have staff send a link, too: where
    nobody has used the account, the page sends our invitation.

    :return: the link that was mailed to the address `reader`, or None
    """
    before = len(shop.mailbox.received(reader, RESET))
    Visitor(shop.server).post(RESET, {"login": login}, form=RESET)
    users = shop.admin("res.users", "search", [("login", "=", login)])
    if users and not shop.mailbox.received(reader, RESET)[before:]:
        shop.admin("res.users", "action_reset_password", users)
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


def reset_password(shop, address):
    """Ask for a new password and set it by the email."""
    link = ask_for_reset(shop, address, address)
    assert link
    _visitor, has_form = set_password(shop, link, PASSWORD)
    assert has_form


def delete_account(customer, address, **values):
    """Delete the own account in the portal."""
    values |= {"validation": address, "password": PASSWORD}
    response = customer.post("/my/deactivate_account", values, form="/my/security")
    assert "/web/login" in response.url


def delete_account_for_good(shop, customer, address):
    """Delete the own account, and let the night pass."""
    [[user]] = shop.db.sql("SELECT id FROM res_users WHERE login = %s", address)
    delete_account(customer, address)
    domain = [("name", "=", "ir_cron_res_users_deletion")]
    [job] = shop.admin("ir.model.data", "search_read", domain, ["res_id"])
    shop.admin("ir.cron", "method_direct_trigger", [job["res_id"]])
    assert not shop.db.sql("SELECT 1 FROM res_users WHERE id = %s", user)


def submit_forms(visitor, link, action):
    """Open a link and send the first form for an address, as the page has filled it."""
    response = visitor.session.get(link, timeout=120)
    page = lxml.html.fromstring(response.content)
    forms = [
        form
        for form in page.xpath("//form[.//input[@name='csrf_token']]")
        if action in (form.get("action") or response.url)
    ]
    assert forms, f"no form at {link}"
    url = forms[0].get("action") or response.url
    url = url if url.startswith("http") else visitor.url + url
    return visitor.session.post(url, data=dict(forms[0].form_values()), timeout=120)


def missing_orders_link(shop, customer, address):
    """Have the link to missing orders mailed to the login, and return it."""
    path = "/web/portal/missing"
    customer.post(path, {}, form=path)
    [link] = links_in(shop.mailbox.wait(address, path)[-1], path)[:1]
    return link


def newest_order(shop):
    """Return the id of the order that was created last."""
    return shop.db.value("SELECT max(id) FROM sale_order")


def customer_of(shop, order_id):
    """Return the id of an order's customer."""
    return shop.db.value("SELECT partner_id FROM sale_order WHERE id = %s", order_id)


def in_accounts(shop, *order_ids):
    """Return the ids of those of some orders that were added to an account."""
    rows = shop.db.sql(
        "SELECT id FROM sale_order WHERE portal_partner_id IS NOT NULL AND id IN %s",
        order_ids,
    )
    return [order_id for [order_id] in rows]


def join(shop, address):
    """Return the owner of an address, logged in, with an address nobody else knows.

    The account is that of an order or, in Odoo alone, one that she registers.
    """
    customer = Visitor(shop.server)
    if shop.is_addon:
        customer.activate(shop.mailbox.wait_for_one(address), PASSWORD)
    else:
        assert customer.sign_up(address, PASSWORD)
    move(shop, customer, address)
    return customer


def prove(shop, address):
    """Return the owner of an address, who gets into an account that somebody else made,
    looks for missing orders, and gives an address nobody else knows."""
    reset_password(shop, address)
    customer = Visitor(shop.server).log_in(address, PASSWORD)
    if shop.is_addon:
        link = missing_orders_link(shop, customer, address)
        submit_forms(customer, link, "missing")
    move(shop, customer, address)
    return customer


def move(shop, visitor, address, street=HIDDEN):
    """Type another address for an account."""
    partner = contact_of(shop, address)
    visitor.give_address(
        address, "/my/account", "/my", partner_id=partner, street=street
    )


def contact_of(shop, login):
    """Return the id of the contact of a login."""
    return shop.db.value("SELECT partner_id FROM res_users WHERE login = %s", login)


def signup_links(visitor):
    """Return the links to sign up on the page that thanks for an order."""
    links = visitor.page("/shop/confirmation").xpath("//a/@href")
    return {link for link in links if "/web/signup?" in link and "token=" in link}


def sign_up_by(shop, link, login):
    """Sign up with a link and another login, and return the visitor."""
    visitor = Visitor(shop.server)
    path = link.removeprefix(shop.server.url)
    for form in visitor.page(path).xpath("//form[contains(@class, 'oe_signup_form')]"):
        values = {"login": login, "name": "Thief", "password": STOLEN}
        values |= {"confirm_password": STOLEN}
        visitor.post("/web/signup", dict(form.form_values()) | values)
    return visitor


def email_of(shop, partner):
    """Return the email of a contact."""
    return shop.db.value(
        "SELECT (SELECT email FROM res_partner WHERE id = %s)", partner
    )
