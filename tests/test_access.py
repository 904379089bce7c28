"""Customers are asked whether they want an account, and can decline one."""

import lxml.html
import pytest

from .browser import (
    MESSAGE,
    SCREENS,
    assert_accessible,
    check_out,
    choose_password,
    keep_picture,
    open_website,
)
from .shop import assert_invited, confirm, quote, run_shop

OFFER = ".o_portal_account_offered"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop."""
    with run_shop(addon_instance, mailbox, "access") as shop:
        yield shop


def set_policy(shop, policy):
    """Choose when the shop creates accounts."""
    companies = shop.admin("res.company", "search", [])
    shop.admin("res.company", "write", companies, {"portal_account_policy": policy})


def look_at(page, picture, part="#wrap"):
    """Check a part of a page on a computer and a phone, and keep pictures of it."""
    before = page.viewport_size
    for screen, size in SCREENS.items():
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        keep_picture(page, f"access-{picture}-{screen}")
        assert_accessible(page, part)
    page.set_viewport_size(before)


def press(page, selector):
    """Press a button that sends a form and wait for the next page."""
    with page.expect_navigation():
        page.click(selector)


def test_a_guest_is_asked_and_creates_the_account(shop, open_page):
    address = "asked@example.com"
    set_policy(shop, "ask")
    page = open_page(shop.server)
    check_out(page, shop.db.product("Office Chair")[0], address, "access-ask")
    order_id = shop.db.last_order(address)
    assert not shop.db.users(address)
    look_at(page, "ask-1-offer", OFFER)
    press(page, f"{OFFER} button")
    page.wait_for_selector(MESSAGE)
    assert not page.locator(OFFER).count()
    look_at(page, "ask-2-created", MESSAGE)
    mail = assert_invited(shop, address, order_id)
    page.reload()
    assert len(shop.db.users(address)) == 1
    choose_password(open_page(shop.server), mail.link, PASSWORD, "access-ask-3")
    assert len(shop.mailbox.invitations(address)) == 1


@pytest.mark.parametrize(
    "lang",
    [
        pytest.param("en_US", marks=pytest.mark.slow),
        "fr_FR",
        pytest.param("ar_001", marks=pytest.mark.slow),
    ],
)
def test_a_customer_declines_the_account(shop, open_page, lang):
    address = f"{lang.lower()}@example.com"
    set_policy(shop, "all")
    order_id = quote(shop, address)
    [customer] = shop.admin("sale.order", "read", [order_id], ["partner_id"])
    customer_id = customer["partner_id"][0]
    shop.admin("res.partner", "write", [customer_id], {"lang": lang})
    confirm(shop, order_id)
    mail = assert_invited(shop, address, order_id)
    [link] = lxml.html.fromstring(mail.html).xpath("//a[contains(@href, 'decline')]")
    page = open_page(shop.server)
    open_website(page, link.get("href"))
    assert "token" not in page.url
    assert page.get_attribute("html", "lang").startswith(lang[:2])
    look_at(page, f"decline-1-{lang}")
    assert shop.db.users(address), "opening the link changes nothing"
    press(page, ".o_portal_decline form button")
    look_at(page, f"decline-2-{lang}")
    assert not shop.db.users(address)
    again = quote(shop, address)
    confirm(shop, again)
    issues = shop.admin(
        "sale.order", "read", [order_id, again], ["portal_account_issue"]
    )
    assert [issue["portal_account_issue"] for issue in issues] == ["declined"] * 2
    assert not shop.db.users(address)
    assert len(shop.mailbox.invitations(address)) == 1
    open_website(page, link.get("href"))
    look_at(page, f"decline-3-{lang}")
    press(page, ".o_portal_decline form button")
    look_at(page, f"decline-4-{lang}")
    confirm(shop, quote(shop, address))
    assert shop.db.users(address)
