"""Attacks of visitors and portal users on a customer, with the addon and without it.

Whatever somebody did before, the owner of an address must get into an account of their
own, as Odoo alone has it, and orders must go to that account.
"""

from hashlib import shake_256

import lxml.html
import pytest

from .client import Visitor
from .shop import run_shop

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
STOLEN = "another horse battery"
# What strangers may register; {} is the start of the owner's address.
SPELLINGS = {
    "upper-case": "{}@EXAMPLE.com",
    "spaces": " {}@example.com ",
    "display-name": "Jane <{}@example.com>",
    "semicolon": "{}@example.com;",
    "list": "{}@example.com, thief@example.com",
    "look-alike": "{}@ex\u0430mple.com",
}


@pytest.fixture(scope="module", params=["addon", "odoo"])
def shop(request, mailbox):
    """A running shop with free sign-up, with the addon or without it."""
    is_addon = request.param == "addon"
    instance = request.getfixturevalue(f"{'addon' if is_addon else 'shop'}_instance")
    with run_shop(instance, mailbox, f"attacks_{request.param}") as shop:
        shop.is_addon, shop.chair = is_addon, shop.db.product("Office Chair")
        websites = shop.admin("website", "search", [])
        values = {"auth_signup_uninvited": "b2c"}
        shop.admin("website", "write", websites, values)
        yield shop


def assert_owner_gets_in(shop, address):
    """Check that the owner can sign up or, as that page says, reset the password."""
    if not Visitor(shop.server).sign_up(address, PASSWORD):
        reset_password(shop, address)
    Visitor(shop.server).log_in(address, PASSWORD)


def reset_password(shop, address):
    """Ask for a new password and set it by the email."""
    visitor, path = Visitor(shop.server), "/web/reset_password"
    before = len(shop.mailbox.received(address, path))
    visitor.post(path, {"login": address}, form=path)
    mail = shop.mailbox.wait(address, path, before + 1)[-1]
    [link] = {
        href
        for href in lxml.html.fromstring(mail.html).xpath("//a/@href")
        if path in href
    }
    response = visitor.session.get(link, timeout=120)
    [form] = lxml.html.fromstring(response.content).xpath(
        "//form[contains(@class, 'oe_reset_password_form')]"
    )
    values = dict(form.form_values())
    values |= {"password": PASSWORD, "confirm_password": PASSWORD}
    visitor.session.post(response.url, data=values, timeout=120)


def assert_guest_order_has_one_account(shop, address):
    """Check that a guest with the address can order, and has one account at most."""
    Visitor(shop.server).buy(shop.chair, address)
    order_id = shop.db.last_order(address)
    state = shop.db.value("SELECT state FROM sale_order WHERE id = %s", order_id)
    assert state == "sale"
    if shop.is_addon:
        assert len(shop.db.users(address)) == 1


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_stranger_registers_another_spelling_of_the_address(shop, spelling):
    address = f"{spelling}@example.com"
    Visitor(shop.server).sign_up(SPELLINGS[spelling].format(spelling), STOLEN)
    assert_owner_gets_in(shop, address)
    assert_guest_order_has_one_account(shop, address)


def test_a_portal_user_types_the_address_into_the_own_contact(shop):
    address = "typed@example.com"
    thief = Visitor(shop.server)
    assert thief.sign_up("types@example.com", STOLEN)
    partner = shop.db.value(
        "SELECT partner_id FROM res_users WHERE login = 'types@example.com'"
    )
    thief.give_address(address, "/my/account", "/my", partner_id=partner)
    assert_guest_order_has_one_account(shop, address)
    if shop.is_addon:
        mail = shop.mailbox.wait_for_one(address)
        assert "/my/orders/" in Visitor(shop.server).activate(mail, PASSWORD).url
        assert address not in thief.get("/my/orders").text
    else:
        assert_owner_gets_in(shop, address)
    reset_password(shop, address)
    Visitor(shop.server).log_in("types@example.com", STOLEN)


def test_a_customer_deletes_the_account_and_comes_back(shop):
    address = "comes.back@example.com"
    visitor = Visitor(shop.server)
    assert visitor.sign_up(address, PASSWORD)
    values = {"validation": address, "password": PASSWORD}
    visitor.post("/my/deactivate_account", values, form="/my/security")
    with pytest.raises(AssertionError, match="cannot log in"):
        Visitor(shop.server).log_in(address, PASSWORD)
    assert_owner_gets_in(shop, address)
    assert_guest_order_has_one_account(shop, address)


def test_a_guest_types_an_address_of_three_thousand_characters(shop):
    # which cannot be compressed to fit into an index
    address = f"{shake_256(b'').hexdigest(1500)}@example.com"
    Visitor(shop.server).buy(shop.chair, address)
    assert shop.db.last_order(address)
    assert not shop.db.users(address)
