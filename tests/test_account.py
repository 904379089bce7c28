"""What a customer does with the account, with all apps that have to do with it."""

import io

import pytest
from pypdf import PdfReader

from devtools.instance import Instance

from .browser import check_out, choose_password, follow, keep_pictures, open_website
from .client import Visitor, new_contact, new_quotation
from .shop import run_shop

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
ADDRESS = "jane.buyer@example.com"
PRICE = 42.0


@pytest.fixture(scope="module")
def shop(full_instance, mailbox):
    """A running shop with a warehouse, deliveries, purchases and invoices."""
    with run_shop(full_instance, mailbox, "account") as shop:
        shop.chair = shop.db.product("Office Chair")
        yield shop


@pytest.fixture(scope="module")
def full_instance():
    """A PostgreSQL with a template database of a shop with all these apps."""
    with Instance.start("full") as instance:
        yield instance


def test_a_customer_follows_an_order_to_its_invoice_and_orders_again(shop, open_page):
    page = open_page(shop.server)
    check_out(page, shop.chair[0], ADDRESS, "walk")
    order_id = shop.db.last_order(ADDRESS)
    order, partner = shop.db.sql(
        "SELECT name, partner_id FROM sale_order WHERE id = %s", order_id
    )[0]
    page = open_page(shop.server)
    link = shop.mailbox.wait_for_one(ADDRESS).link
    choose_password(page, link, PASSWORD, "walk-account")

    picking_id = deliver(shop, order_id)
    invoice_id = invoice_and_pay(shop, order_id)
    picking, invoice = (
        shop.db.value(f"SELECT name FROM {table} WHERE id = %s", record_id)
        for table, record_id in (
            ("stock_picking", picking_id),
            ("account_move", invoice_id),
        )
    )
    page.goto("/my/orders")
    page.click(f"a:has-text('{order}')")
    page.wait_for_selector(f"text={picking}")
    assert page.locator("text=Shipped").count() or page.locator("text=Done").count()
    assert page.locator(f"a:has-text('{invoice}')").count()
    keep_pictures(page, "walk-account-2-order")
    page.goto("/my/invoices")
    row = page.locator("tr", has_text=invoice)
    assert "Paid" in row.inner_text() or "In Payment" in row.inner_text()
    keep_pictures(page, "walk-account-3-invoices")

    documents = (
        f"/my/orders/{order_id}?report_type=pdf&download=true",
        f"/my/invoices/{invoice_id}?report_type=pdf&download=true",
        f"/my/picking/pdf/{picking_id}",
    )
    customer = Visitor(shop.server).log_in(ADDRESS, PASSWORD)
    stranger = Visitor(shop.server).log_in("portal", "portal")
    for path in documents:
        answer = customer.get(path)
        assert answer.headers["Content-Type"] == "application/pdf", path
        assert PdfReader(io.BytesIO(answer.content)).pages, path
        assert stranger.get(path).headers["Content-Type"] != "application/pdf", path
    for path, name in (("/my/orders", order), ("/my/invoices", invoice)):
        assert name in customer.get(path).text
        assert name not in stranger.get(path).text

    give_own_price(shop, partner)
    order_again(page, order_id)
    assert prices_in_cart(shop, partner) == [PRICE]
    keep_pictures(page, "walk-account-4-again")


def test_a_second_contact_of_the_buyer_has_an_account_of_their_own(shop, open_page):
    company = shop.admin(
        "res.partner", "create", {"name": "Example Ltd", "is_company": True}
    )
    accounts = {}
    for address in ("first@buyer.example.com", "second@buyer.example.com"):
        partner = new_contact(shop.admin, address, address, parent_id=company)
        order_id = new_quotation(shop.admin, partner)
        shop.admin("sale.order", "action_confirm", [order_id])
        accounts[address] = (partner, order_id)
    give_own_price(shop, company)
    for address, (partner, order_id) in accounts.items():
        [user] = shop.db.users(address)
        assert (
            shop.db.value("SELECT partner_id FROM res_users WHERE id = %s", user)
            == partner
        )
        page = open_page(shop.server)
        link = shop.mailbox.wait_for_one(address).link
        choose_password(page, link, PASSWORD, "colleague")
        assert f"/my/orders/{order_id}?access_token=" in page.url
        customer = Visitor(shop.server).log_in(address, PASSWORD)
        pdf = customer.get(f"/my/orders/{order_id}?report_type=pdf&download=true")
        assert pdf.content.startswith(b"%PDF")
        order_again(page, order_id)
        assert prices_in_cart(shop, partner) == [PRICE]


def deliver(shop, order_id):
    """Deliver an order as the warehouse does and return the transfer's id."""
    [picking_id] = shop.admin("stock.picking", "search", [("sale_id", "=", order_id)])
    for move in shop.admin(
        "stock.move",
        "search_read",
        [("picking_id", "=", picking_id)],
        ["product_uom_qty"],
    ):
        shop.admin(
            "stock.move",
            "write",
            [move["id"]],
            {"quantity": move["product_uom_qty"], "picked": True},
        )
    # no text message, which would ask a question first
    context = {"skip_sms": True}
    shop.admin("stock.picking", "button_validate", [picking_id], context=context)
    state = shop.db.value("SELECT state FROM stock_picking WHERE id = %s", picking_id)
    assert state == "done"
    return picking_id


def invoice_and_pay(shop, order_id):
    """Invoice an order, register a payment unless there is one, and return the id."""
    wizard = shop.admin(
        "sale.advance.payment.inv",
        "create",
        {"advance_payment_method": "delivered", "sale_order_ids": [(6, 0, [order_id])]},
    )
    shop.admin("sale.advance.payment.inv", "create_invoices", [wizard])
    [order] = shop.admin("sale.order", "read", [order_id], ["invoice_ids"])
    [invoice_id] = order["invoice_ids"]
    shop.admin("account.move", "action_post", [invoice_id])
    [invoice] = shop.admin("account.move", "read", [invoice_id], ["payment_state"])
    if invoice["payment_state"] not in ("paid", "in_payment"):
        context = {"active_model": "account.move", "active_ids": [invoice_id]}
        register = shop.admin("account.payment.register", "create", {}, context=context)
        shop.admin(
            "account.payment.register",
            "action_create_payments",
            [register],
            context=context,
        )
    return invoice_id


def give_own_price(shop, partner):
    """Give a customer a price list of their own for the chair and the desks."""
    pricelist = shop.admin(
        "product.pricelist",
        "create",
        {
            "name": "Own Prices",
            "selectable": True,
            "item_ids": [
                (
                    0,
                    0,
                    {
                        "applied_on": "3_global",
                        "compute_price": "fixed",
                        "fixed_price": PRICE,
                    },
                )
            ],
        },
    )
    shop.admin(
        "res.partner", "write", [partner], {"property_product_pricelist": pricelist}
    )


def order_again(page, order_id):
    """Order once more from the page of an order, by its button."""
    button = "#reorder_sidebar_button:visible, .o_wsale_reorder_button:visible"
    open_website(page, f"/my/orders/{order_id}")
    follow(page, button, "**/shop/cart**")


def prices_in_cart(shop, partner):
    """Return the prices of a customer's cart, without delivery."""
    return [
        float(price)
        for [price] in shop.db.sql(
            "SELECT l.price_unit * (1 - l.discount / 100) FROM sale_order_line l "
            "JOIN sale_order o ON o.id = l.order_id WHERE o.state = 'draft' "
            "AND o.website_id IS NOT NULL AND o.partner_id = %s "
            "AND NOT coalesce(l.is_delivery, false)",
            partner,
        )
    ]
