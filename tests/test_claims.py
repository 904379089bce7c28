"""A returning guest adds orders to the account, in a shop with all related apps."""

import io

import lxml.html
import pytest
from pypdf import PdfReader

from devtools.instance import Instance

from .browser import (
    WIDE,
    check_out,
    follow,
    keep_picture,
    keep_pictures,
    log_in,
    open_website,
    pay,
    wait_until_ready,
)
from .client import Visitor
from .database import eventually
from .shop import run_shop

pytestmark = pytest.mark.slow

ADDRESS = "jane.returns@example.com"
PASSWORD = "correct horse battery"
OFFER = ".o_portal_claim"


@pytest.fixture(scope="module")
def shop(mailbox):
    """A running shop with a warehouse, deliveries, invoices and promotions."""
    with (
        Instance.start("full") as instance,
        run_shop(instance, mailbox, "claims") as shop,
    ):
        shop.chair = shop.db.product("Office Chair")
        yield shop


def test_a_returning_guest_finds_all_orders_in_the_account(shop, open_page):
    first = buy_and_activate(shop, open_page)
    second = buy_again_in_this_browser(shop, open_page)
    third = buy_again_by_transfer(shop)
    picking, invoice = deliver(shop, third), invoice_of(shop, third)
    page = open_page(shop.server)
    claim_from_email(shop, page, third)
    look_at_my_orders(shop, page, first, second, third)
    assert_documents(shop, first, third, picking, invoice)
    pay_invoice(shop, page, invoice)
    order_again(shop, page, third)
    assert_nothing_else_is_open(shop, third)
    look_at_order_forms(shop, open_page, second)


def buy_and_activate(shop, open_page):
    """Buy as a guest, and activate the account by the invitation."""
    page = open_page(shop.server)
    check_out(page, shop.chair[0], ADDRESS, "claims-first")
    order_id = shop.db.last_order(ADDRESS)
    mail = shop.mailbox.wait(ADDRESS)[0]
    page = open_page(shop.server)
    open_website(page, mail.link)
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=confirm_password]", PASSWORD)
    follow(page, ".o_portal_activate_form button[type=submit]", "**/my/orders/**")
    return order_id


def buy_again_in_this_browser(shop, open_page):
    """Buy as a guest, log in as the confirmation page says, and add the order."""
    page = open_page(shop.server)
    check_out(page, shop.chair[0], ADDRESS, "claims-second")
    order_id = shop.db.last_order(ADDRESS)
    assert "Have an account?" in page.locator(OFFER).inner_text()
    keep_pictures(page, "claims-1-log-in")
    follow(page, f"{OFFER} a", "**/web/login**")
    page.fill("#login", ADDRESS)
    page.fill("#password", PASSWORD)
    assert not account_of(shop, order_id)
    follow(page, "button[type=submit]:has-text('Log in')", f"**/my/orders/{order_id}**")
    keep_pictures(page, "claims-2-added")
    assert "is in your account" in page.inner_text(".o_portal_notice")
    assert account_of(shop, order_id) == contact(shop)
    return order_id


def buy_again_by_transfer(shop):
    """Buy as a guest, by a wire transfer that the shop receives."""
    Visitor(shop.server).buy(shop.chair, ADDRESS, provider="custom")
    order_id = shop.db.last_order(ADDRESS)
    shop.admin("sale.order", "action_confirm", [order_id], context={"send_email": True})
    assert not account_of(shop, order_id)
    return order_id


def claim_from_email(shop, page, order_id):
    """Open the order by the email's link, and add it after logging in."""
    name = shop.db.value("SELECT name FROM sale_order WHERE id = %s", order_id)

    def find_link():
        for mail in shop.mailbox.received(ADDRESS, name):
            links = lxml.html.fromstring(mail.html).xpath(
                "//a[contains(@href, 'access_token')]/@href"
            )
            if links:
                return links[0]
        return None

    open_website(page, eventually(find_link))
    page.wait_for_url(f"**/my/orders/{order_id}**")
    keep_pictures(page, "claims-3-email-visitor")
    follow(page, f"{OFFER} a", "**/web/login**")
    keep_pictures(page, "claims-3-login")
    page.fill("#login", ADDRESS)
    page.fill("#password", PASSWORD)
    follow(page, "button[type=submit]:has-text('Log in')", f"**/my/orders/{order_id}**")
    keep_pictures(page, "claims-4-email-added")
    assert not page.locator(OFFER).count()
    assert account_of(shop, order_id) == contact(shop)


def look_at_my_orders(shop, page, *order_ids):
    """See all orders and the invoice, and what to do if one is missing."""
    open_website(page, "/my/orders")
    for order_id in order_ids:
        name = shop.db.value("SELECT name FROM sale_order WHERE id = %s", order_id)
        assert page.locator(f"a:has-text('{name}')").count(), name
    keep_pictures(page, "claims-5-my-orders")
    missing = Visitor(shop.server).buy(shop.chair, ADDRESS)
    assert missing.xpath(f"//*[contains(@class, '{OFFER[1:]}')]")
    order_id = shop.db.last_order(ADDRESS)
    follow(page, ".o_portal_missing a", "**/web/portal/missing")
    keep_pictures(page, "claims-6-missing")
    page.click(".o_portal_missing_orders button")
    page.wait_for_selector(".o_portal_missing_orders [role=status]")
    keep_pictures(page, "claims-7-missing-sent")
    mail = shop.mailbox.wait(ADDRESS, "Find your orders")[0]
    open_website(page, mail.link)
    keep_pictures(page, "claims-8-missing-found")
    assert not account_of(shop, order_id)
    follow(page, ".o_portal_missing_orders button", "**/my/orders")
    assert account_of(shop, order_id) == contact(shop)


def assert_documents(shop, own, claimed, picking, invoice):
    """Check that the account gets all documents of the orders, and no other user."""
    customer = Visitor(shop.server).log_in(ADDRESS, PASSWORD)
    stranger = Visitor(shop.server).log_in("portal", "portal")
    page = customer.page("/my/orders")
    [link] = page.xpath(f"//a[contains(@href, '/my/orders/{claimed}?')]/@href")
    [delivery] = customer.page(link).xpath(
        f"//a[contains(@href, '/my/picking/pdf/{picking}?')]/@href"
    )
    paths = [
        f"/my/orders/{own}?report_type=pdf&download=true",
        f"/my/orders/{claimed}?report_type=pdf&download=true",
        f"/my/invoices/{invoice}?report_type=pdf&download=true",
    ]
    for path in (*paths, delivery):
        answer = customer.get(path)
        assert answer.headers["Content-Type"] == "application/pdf", path
        assert PdfReader(io.BytesIO(answer.content)).pages, path
    for path in (*paths, f"/my/picking/pdf/{picking}"):
        assert stranger.get(path).headers["Content-Type"] != "application/pdf", path


def pay_invoice(shop, page, invoice):
    """Pay the open invoice of a claimed order."""
    open_website(page, "/my/invoices")
    number = shop.db.value("SELECT name FROM account_move WHERE id = %s", invoice)
    keep_pictures(page, "claims-9-my-invoices")
    with page.expect_navigation():
        page.click(f"a:has-text('{number}')")
    wait_until_ready(page)
    page.click("a:has-text('Pay Now'):visible")
    # the page that waits for the payment leads back
    with page.expect_navigation(url=f"**/my/invoices/{invoice}?**"):
        pay(page)
    eventually(
        lambda: (
            shop.db.value(
                "SELECT payment_state FROM account_move WHERE id = %s", invoice
            )
            in ("paid", "in_payment")
        )
    )


def order_again(shop, page, order_id):
    """Put what was ordered into the cart once more."""
    open_website(page, "/my/orders")
    with page.expect_navigation():
        page.click(f"a[href*='/my/orders/{order_id}?']")
    wait_until_ready(page)
    keep_pictures(page, "claims-10-claimed-order")
    follow(page, "#reorder_sidebar_button", "**/shop/cart**")
    page.wait_for_selector(".o_cart_product")
    keep_pictures(page, "claims-11-order-again")


def assert_nothing_else_is_open(shop, order_id):
    """Check that the account sees no address of the guest's contact."""
    guest = shop.db.value("SELECT partner_id FROM sale_order WHERE id = %s", order_id)
    assert guest != contact(shop)
    customer = Visitor(shop.server).log_in(ADDRESS, PASSWORD)
    answer = customer.get(f"/my/address?partner_id={guest}")
    assert answer.status_code == 403


def look_at_order_forms(shop, open_page, claimed):
    """See in whose account an order is, remove it, and add it again."""
    page = open_page(shop.server, WIDE)
    log_in(page, "admin", "admin")
    page.goto(f"/odoo/action-sale.action_orders/{claimed}")
    page.click(".o_notebook_headers a:has-text('Other Info')")
    page.wait_for_selector("button[name=action_unclaim]")
    keep_picture(page, "claims-12-form-claimed", full_page=True)
    page.click("button[name=action_unclaim]")
    page.wait_for_selector("button[name=action_claim_for_account]")
    assert not account_of(shop, claimed)
    keep_picture(page, "claims-13-form-known", full_page=True)
    page.click("button[name=action_claim_for_account]")
    page.wait_for_selector("button[name=action_unclaim]")
    assert account_of(shop, claimed) == contact(shop)


def contact(shop):
    """Return the id of the contact who has the account."""
    return shop.db.value("SELECT partner_id FROM res_users WHERE login = %s", ADDRESS)


def account_of(shop, order_id):
    """Return the id of the contact in whose account an order is, too."""
    return shop.db.value(
        "SELECT portal_partner_id FROM sale_order WHERE id = %s", order_id
    )


def deliver(shop, order_id):
    """Deliver an order and return the id of its transfer."""
    [picking] = shop.admin("stock.picking", "search", [("sale_id", "=", order_id)])
    moves = shop.admin("stock.move", "search", [("picking_id", "=", picking)])
    shop.admin("stock.move", "write", moves, {"quantity": 1, "picked": True})
    # no text message, which would ask a question first
    context = {"skip_sms": True}
    shop.admin("stock.picking", "button_validate", [picking], context=context)
    return picking


def invoice_of(shop, order_id):
    """Invoice an order and return the id of the open invoice."""
    wizard = shop.admin(
        "sale.advance.payment.inv",
        "create",
        {"advance_payment_method": "delivered", "sale_order_ids": [(6, 0, [order_id])]},
    )
    shop.admin("sale.advance.payment.inv", "create_invoices", [wizard])
    [invoice] = shop.admin("sale.order", "read", [order_id], ["invoice_ids"])[0][
        "invoice_ids"
    ]
    shop.admin("account.move", "action_post", [invoice])
    return invoice
