"""Every way to confirm an order, on the website and in the backend."""

import pytest

from .browser import (
    MESSAGE,
    WIDE,
    keep_picture,
    keep_pictures,
    log_in,
    open_website,
    pay,
    sign,
)
from .client import Visitor, new_salesperson
from .database import eventually
from .shop import assert_invited, confirm, quote, run_shop

MESSAGE_XPATH = "//*[contains(@class, 'o_portal_account_created')]"


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop with a salesperson."""
    with run_shop(addon_instance, mailbox, "confirmations") as shop:
        shop.sales = new_salesperson(shop.server)
        shop.chair = shop.db.product("Office Chair")
        yield shop


def test_a_wire_transfer_creates_the_account_when_the_order_is_confirmed(shop):
    address = "jane.transfer@example.com"
    page = Visitor(shop.server).buy(shop.chair, address, provider="custom")
    assert not page.xpath(MESSAGE_XPATH)
    assert not shop.db.users(address)
    order_id = shop.db.last_order(address)
    shop.admin("sale.order", "action_confirm", [order_id])
    assert_invited(shop, address, order_id)


def test_a_free_order_creates_the_account(shop):
    address = "jane.free@example.com"
    values = {"name": "Free Sample", "list_price": 0, "is_published": True}
    shop.admin("product.template", "create", values)
    visitor = Visitor(shop.server)
    visitor.check_out(shop.db.product("Free Sample"), address)
    page = visitor.page("/shop/payment/validate")
    assert address in page.xpath(f"string({MESSAGE_XPATH})")
    assert_invited(shop, address, shop.db.last_order(address))


def accept_and_pay(page):
    """Accept a quotation on its page by a payment."""
    page.click("a:has-text('Accept & Pay'):visible")
    pay(page)


@pytest.mark.parametrize("accept", [sign, accept_and_pay], ids=["signed", "paid"])
def test_accepting_a_quotation_in_the_portal_creates_the_account(
    shop, open_page, accept
):
    how = "signed" if accept is sign else "paid"
    address = f"jane.{how}@example.com"
    order_id = quote(
        shop,
        address,
        name=f"Jane {how.title()}",
        require_signature=accept is sign,
        require_payment=accept is not sign,
    )
    page = open_page(shop.server)
    open_website(page, shop.sales("sale.order", "get_portal_url", order_id))
    accept(page)
    message = page.locator(MESSAGE)
    assert address in message.inner_text()
    keep_pictures(page, f"portal-{how}")
    assert_invited(shop, address, order_id)


def test_a_quotation_that_a_salesperson_confirms_shows_no_message(shop):
    order_id = quote(shop, "jane.phones@example.com")
    url = shop.sales("sale.order", "get_portal_url", order_id)
    confirm(shop, order_id)
    page = Visitor(shop.server).page(f"{url}&message=sign_ok")
    assert page.xpath("//*[@id='sidebar_content']")
    assert not page.xpath(MESSAGE_XPATH)
    assert_invited(shop, "jane.phones@example.com", order_id)


def test_ten_orders_are_confirmed_at_once_from_the_list(shop, open_page):
    addresses = [f"jane.{number}@example.com" for number in range(10)]
    order_ids = [
        quote(shop, address, name=f"Jane Ten {number}")
        for number, address in enumerate(addresses)
    ]
    add_confirm_to_list(shop)
    page = open_page(shop.server, WIDE)
    log_in(page, "salesperson@example.com", "salesperson@example.com")
    page.goto("/odoo/sales")
    page.fill(".o_searchview_input", "Jane Ten")
    page.click(".o_searchview_autocomplete :text('Customer')")
    page.wait_for_function("document.querySelectorAll('.o_data_row').length == 10")
    page.check("thead .o_list_record_selector input")
    page.click(".o_cp_action_menus button:has-text('Actions')")
    keep_picture(page, "backend-5-ten-orders")
    page.click(".o_menu_item:has-text('Confirm all')")
    eventually(
        lambda: (
            shop.db.value(
                "SELECT count(*) FROM sale_order WHERE id IN %s AND state = 'sale'",
                tuple(order_ids),
            )
            == 10
        )
    )
    for address, order_id in zip(addresses, order_ids, strict=True):
        assert_invited(shop, address, order_id)


def add_confirm_to_list(shop):
    """Add to the list's menu what Odoo 19 itself has there for one order only."""
    [model] = shop.admin("ir.model", "search", [("model", "=", "sale.order")])
    action = shop.admin(
        "ir.actions.server",
        "create",
        {
            "name": "Confirm all",
            "model_id": model,
            "state": "code",
            "code": "records.action_confirm()",
        },
    )
    shop.admin("ir.actions.server", "create_action", [action])


def test_a_logged_in_customer_gets_no_message_and_no_invitation(shop):
    [(user, address)] = shop.db.sql(
        "SELECT u.id, p.email FROM res_users u "
        "JOIN res_partner p ON p.id = u.partner_id WHERE u.login = 'portal'"
    )
    page = Visitor(shop.server).log_in("portal", "portal").buy(shop.chair)
    order_id = shop.db.last_order(address)
    assert_plain_confirmation(page)
    assert_no_account_made(shop, "portal", order_id, [user])


def test_a_guest_with_a_known_address_gets_no_message_and_no_invitation(shop):
    address = "jane.known@example.com"
    Visitor(shop.server).buy(shop.chair, address)
    users = shop.db.users(address)
    shop.mailbox.wait_for_one(address)
    page = Visitor(shop.server).buy(shop.chair, address.upper())
    assert_plain_confirmation(page)
    assert_no_account_made(shop, address, shop.db.last_order(address.upper()), users)
    shop.sales("sale.order", "action_confirm", [quote(shop, "jane.after@example.com")])
    shop.mailbox.wait("jane.after@example.com")
    assert len(shop.mailbox.invitations(address)) == 1


def assert_no_account_made(shop, address, order_id, users):
    """Check that an order was confirmed and nothing else happened.

    :param users: the ids of the users with the address before
    """
    assert shop.db.sql(
        "SELECT state, user_created FROM sale_order WHERE id = %s", order_id
    ) in (
        [("sale", False)],
        [("sale", None)],
    )
    assert shop.db.users(address) == users
    assert not shop.db.sql(
        "SELECT 1 FROM portal_invitation WHERE order_id = %s", order_id
    )


def assert_plain_confirmation(page):
    """Check that a confirmation page says nothing of an account, not even Sign Up."""
    assert page.xpath("//*[@id='order_name']")
    assert not page.xpath(MESSAGE_XPATH)
    assert not page.xpath("//a[contains(@href, 'signup')]")
