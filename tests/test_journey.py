"""The whole journey in a shop that runs as its owner runs it."""

import io
import re

import pytest
from pypdf import PdfReader

from devtools.base import ADDON, lock

from .browser import (
    MESSAGE,
    SCREENS,
    WIDE,
    check_out,
    choose_password,
    keep_picture,
    keep_pictures,
    log_in,
    new_page,
)
from .client import RpcError, Visitor, new_salesperson
from .mailbox import token_in
from .shop import assert_invited, assert_token_is_nowhere, quote, run_shop

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def shop(shop_instance, mailbox, browser):
    """A running shop whose owner has installed the addon from the Apps menu."""
    with run_shop(shop_instance, mailbox, "journey") as shop:
        install_from_apps_menu(browser, shop.server)
        shop.sales = new_salesperson(shop.server)
        shop.chair = shop.db.product("Office Chair")
        yield shop


def install_from_apps_menu(browser, server):
    """Install the addon as an administrator does, who has just copied it there."""
    with lock("browser"):
        install_in_page(new_page(browser.new_context, server))


def install_in_page(page):
    """Install the addon in a page that nobody has logged in to."""
    log_in(page, "admin", "admin")
    page.goto("/odoo/apps?debug=1")
    page.click(".o_menu_sections >> text=Update Apps List")
    page.click(".modal button:has-text('Update')")
    page.wait_for_selector(".modal", state="detached")
    card = find_app(page)
    keep_picture(page, "install-1-apps")
    # not a navigation: Odoo changes the address before it loads the page again
    with page.expect_event("load", timeout=120_000):
        card.get_by_role("button", name="Activate").click()
    card = find_app(page)
    assert not card.get_by_role("button", name="Activate").count()
    keep_picture(page, "install-2-done")
    page.context.close()


def find_app(page):
    """Search for the addon in the Apps menu and return its card."""
    page.goto("/odoo/apps")
    search(page, "Portal Account")
    page.wait_for_selector(".o_pager_limit:text-is('1')")
    return page.locator(".o_kanban_record:not(.o_kanban_ghost)")


def search(page, text):
    """Search for a text in a list of the backend."""
    page.fill(".o_searchview_input", text)
    page.wait_for_selector(".o_searchview_autocomplete")
    page.press(".o_searchview_input", "Enter")
    page.wait_for_selector(f".o_facet_value:text-is('{text}')")


def render(open_page, mail, width, name):
    """Keep a picture of a mail, and check that nothing is wider than the window."""
    page = open_page(None, {"width": width, "height": 900})
    page.set_content(mail.html)
    greeting = page.get_by_text("Jane Doe").locator("..")
    is_rtl = greeting.evaluate("(text) => getComputedStyle(text).direction") == "rtl"
    assert is_rtl == name.startswith("mail-ar")
    keep_picture(page, f"{name}-{width}", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_owner_installs_the_app_from_the_apps_menu(shop):
    state = shop.db.value("SELECT state FROM ir_module_module WHERE name = %s", ADDON)
    assert state == "installed"
    log = shop.server.log.read_text(errors="replace")
    # Odoo logs a conflict of two transactions so, and then tries again
    assert not re.findall(r".* (?:ERROR|CRITICAL) (?!.*sql_db: bad query).*", log)


def test_a_salesperson_confirms_and_the_customer_is_invited(shop, open_page):
    address = "jane.quoted@example.com"
    order_id = quote(shop, f'"Jane Quoted" <{address.upper()}>')
    with pytest.raises(RpcError, match="AccessError"):
        shop.sales("res.users", "create", {"name": "X", "login": "x@example.com"})

    page = open_page(shop.server, WIDE)
    log_in(page, "salesperson@example.com", "salesperson@example.com")
    page.goto(f"/odoo/sales/{order_id}")
    confirm = page.locator(".o_statusbar_buttons button[name=action_confirm]:visible")
    confirm.wait_for()
    keep_picture(page, "backend-1-quotation")
    confirm.click()
    page.wait_for_selector(".o_arrow_button_current:has-text('Sales Order')")
    note = page.locator(".o-mail-Message", has_text="Portal account")
    note.first.wait_for()
    keep_picture(page, "backend-2-confirmed")
    page.click(".o_notebook a:has-text('Other Info')")
    assert page.locator(".o_field_widget[name=user_created] input").is_checked()
    keep_picture(page, "backend-3-user-created")

    mail = assert_invited(shop, address, order_id)
    # it names the contact by a link
    [note] = [text for text in shop.db.notes(order_id) if "Portal account" in text]
    assert 'data-oe-model="res.partner"' in note
    assert address not in note
    assert_token_is_nowhere(shop, mail, visits=0)


def test_the_order_list_filters_and_groups_by_user_created(shop, open_page):
    address = "jane.listed@example.com"
    order_id = quote(shop, address, name="Jane Listed")
    plain_id = quote(shop, False, name="Jim Without Address")
    shop.sales("sale.order", "action_confirm", [order_id, plain_id])
    page = open_page(shop.server, WIDE)
    log_in(page, "salesperson@example.com", "salesperson@example.com")
    page.goto("/odoo/orders")
    page.click(".o_searchview_dropdown_toggler")
    page.click(".o_filter_menu .o_menu_item:text-is('Not Activated')")
    page.click(".o_group_by_menu .o_menu_item:text-is('Account Created')")
    page.click(".o_searchview_dropdown_toggler")
    page.wait_for_selector(".o_group_header:has-text('Yes')")
    keep_picture(page, "backend-4-list")
    page.click(".o_group_header:has-text('Yes')")
    page.wait_for_selector(".o_data_row:has-text('Jane Listed')")
    assert not page.locator(".o_data_row", has_text="Jim Without Address").count()


@pytest.mark.parametrize(
    ("lang", "screen"),
    [
        ("en", "phone"),
        ("fr", "desktop"),
        pytest.param("ar", "phone", marks=pytest.mark.slow),
    ],
)
def test_a_guest_pays_reads_the_message_and_activates_the_account(
    shop, open_page, lang, screen
):
    name = f"{lang}-{screen}"
    address = f"jane.{name}@example.com"
    allow_signup(shop)
    page = open_page(shop.server, SCREENS[screen])
    check_out(page, shop.chair[0], address, f"guest-{name}", lang)
    order_id = shop.db.last_order(address)

    assert address in page.locator(MESSAGE).inner_text()
    assert "signup" not in page.content()
    assert "token=" not in page.content()
    keep_pictures(page, f"guest-{name}-4-confirmation")

    mail = assert_invited(shop, address, order_id)
    for width in (320, 600):
        render(open_page, mail, width, f"mail-{name}")
    assert_token_is_nowhere(shop, mail, visits=0)
    activate(open_page(shop.server, SCREENS[screen]), mail, order_id, name)
    assert_token_is_nowhere(shop, mail, visits=1)
    assert_link_is_dead(shop, mail)


def allow_signup(shop):
    """Allow free sign-up, with which Odoo shows a link of its own to the visitor."""
    websites = shop.admin("website", "search", [])
    shop.admin("website", "write", websites, {"auth_signup_uninvited": "b2c"})


def activate(page, mail, order_id, name):
    """Follow the link of an invitation and choose a password, up to the order."""
    addresses = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    choose_password(page, mail.link, PASSWORD, f"account-{name}")
    assert f"/my/orders/{order_id}?access_token=" in page.url
    assert page.get_attribute("html", "lang").startswith(name[:2])
    page.wait_for_selector("#sidebar_content, .o_portal_sidebar")
    keep_pictures(page, f"account-{name}-2-order")
    assert not [url for url in addresses if token_in(mail.link) in url]


def assert_link_is_dead(shop, mail):
    """Check that an invitation that was used does not set another password."""
    [address] = mail.recipients
    visitor = Visitor(shop.server)
    page = visitor.session.get(mail.link).text
    assert "confirm_password" not in page
    visitor.activate(mail, "stolen password")
    Visitor(shop.server).log_in(address, PASSWORD)


def test_a_customer_sees_the_own_order_and_no_other(shop):
    address = "jane.reads@example.com"
    order_id = quote(shop, address)
    shop.sales("sale.order", "action_confirm", [order_id])
    name = shop.db.value("SELECT name FROM sale_order WHERE id = %s", order_id)
    customer = Visitor(shop.server)
    customer.activate(assert_invited(shop, address, order_id), PASSWORD)
    pdf = customer.get(f"/my/orders/{order_id}?report_type=pdf&download=true")
    assert pdf.headers["Content-Type"] == "application/pdf"
    # wkhtmltopdf without its patches draws letters as shapes: the text is in the page
    assert len(PdfReader(io.BytesIO(pdf.content)).pages) == 1
    assert name in customer.get(f"/my/orders/{order_id}?report_type=html").text
    assert_other_orders_are_refused(shop, customer)


def assert_other_orders_are_refused(shop, customer):
    """Check that a customer sees neither page nor PDF of somebody else's order."""
    other = quote(shop, "somebody.else@example.com", name="Somebody Else")
    shop.sales("sale.order", "action_confirm", [other])
    other_name = shop.db.value("SELECT name FROM sale_order WHERE id = %s", other)
    for query in (
        "",
        "?report_type=pdf&download=true",
        "?report_type=html",
        "?access_token=x",
    ):
        answer = customer.get(f"/my/orders/{other}{query}")
        assert other_name not in answer.text
        assert answer.headers["Content-Type"] != "application/pdf"
        assert answer.url.rstrip("/").endswith("/my") or answer.status_code in (
            403,
            404,
        )
    assert customer.get(f"/report/pdf/sale.report_saleorder/{other}").status_code in (
        403,
        404,
    )
    assert other_name not in customer.get("/my/orders").text


def test_the_invitation_reads_well_without_html(shop):
    address = "jane.plain@example.com"
    order_id = quote(shop, address)
    shop.sales("sale.order", "action_confirm", [order_id])
    mail = assert_invited(shop, address, order_id)
    name, company, sender = shop.db.sql(
        "SELECT o.name, c.name, c.email FROM sale_order o JOIN res_company c "
        "ON c.id = o.company_id WHERE o.id = %s",
        order_id,
    )[0]
    assert [to.addr_spec for to in mail.message["To"].addresses] == [address]
    assert mail.recipients == (address,)
    [author] = mail.message["From"].addresses
    assert (author.display_name, author.addr_spec) == (company, sender)
    for part in (name, address, mail.link, "6 days", company):
        assert part in mail.text.replace("\n", " ").replace("*", ""), part
    assert "<" not in mail.text.replace(f"<{mail.link}>", "")
    assert "style" not in mail.text
