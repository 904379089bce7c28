"""The whole journey in a shop that runs as its owner runs it."""

import io
import re

import lxml.html
import pytest
from pypdf import PdfReader

from devtools.base import ADDON, lock

from .browser import (
    PHONE,
    WIDE,
    check_out,
    choose_password,
    follow,
    keep_picture,
    keep_pictures,
    log_in,
    new_page,
    open_website,
    pay,
    sign,
)
from .client import RpcError, Visitor, new_contact, new_quotation, new_salesperson
from .database import eventually
from .mailbox import token_in
from .shop import run_shop

CHAIR = "Office Chair"
MESSAGE = ".o_portal_account_created"
MESSAGE_XPATH = "//*[contains(@class, 'o_portal_account_created')]"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def shop(shop_instance, mailbox, browser):
    """A running shop whose owner has installed the addon from the Apps menu."""
    with run_shop(shop_instance, mailbox, "journey") as shop:
        install_from_apps_menu(browser, shop.server)
        shop.sales = new_salesperson(shop.server)
        shop.chair = shop.db.product(CHAIR)
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
    with page.expect_navigation(timeout=120_000):
        card.get_by_role("button", name="Activate").click()
    page.wait_for_selector(".o_main_navbar")
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


def quote(shop, email, name="Jane Doe", **values):
    """Return the id of a salesperson's quotation for a new contact."""
    return new_quotation(shop.sales, new_contact(shop.admin, email, name), **values)


# === Looking === #


def assert_account_and_invitation(shop, address, order_id):
    """Check that an order created an account, and that its invitation is here.

    :return: the invitation
    """
    [user] = shop.db.users(address)
    [(share, partner, flag, state, customer)] = shop.db.sql(
        "SELECT u.share, u.partner_id, o.user_created, o.state, o.partner_id "
        "FROM res_users u, sale_order o WHERE u.id = %s AND o.id = %s",
        user,
        order_id,
    )
    assert (share, flag, state) == (True, True, "sale")
    assert partner == customer
    mail = shop.mailbox.wait_for_one(address)
    # the link works once the server knows that the mail was taken
    eventually(lambda: not shop.db.due())
    return mail


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
        "SELECT 1 FROM res_users WHERE portal_invitation_order_id = %s", order_id
    )


def assert_token_is_nowhere(shop, mail):
    """Check that a mail's token is in no log, no table and no file of the database."""
    token = token_in(mail.link)
    assert len(token) > 40
    assert token not in shop.server.log.read_text(errors="replace")
    tables = shop.db.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 100
    assert not [
        table
        for [table] in tables
        if shop.db.sql(
            f'SELECT 1 FROM "{table}" t WHERE strpos(t::text, %s) > 0 LIMIT 1', token
        )
    ]
    files = shop.db.instance.data / "filestore" / shop.db.name
    assert not [
        file
        for file in files.rglob("*")
        if file.is_file() and token.encode() in file.read_bytes()
    ]


def render(open_page, mail, width, name):
    """Keep a picture of a mail, and check that nothing is wider than the window."""
    page = open_page(None, {"width": width, "height": 900})
    page.set_content(mail.html)
    keep_picture(page, f"{name}-{width}", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# === The journey === #


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
    log_in(page, "salesperson@example.com", "salesperson")
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

    mail = assert_account_and_invitation(shop, address, order_id)
    assert any(
        address in text and "Portal account" in text for text in shop.db.notes(order_id)
    )
    assert_token_is_nowhere(shop, mail)


def test_the_order_list_filters_and_groups_by_user_created(shop, open_page):
    address = "jane.listed@example.com"
    order_id = quote(shop, address, name="Jane Listed")
    plain_id = quote(shop, False, name="Jim Without Address")
    shop.sales("sale.order", "action_confirm", [order_id, plain_id])
    page = open_page(shop.server, WIDE)
    log_in(page, "salesperson@example.com", "salesperson")
    page.goto("/odoo/orders")
    page.click(".o_searchview_dropdown_toggler")
    page.click(".o_filter_menu .o_menu_item:text-is('User Created')")
    page.click(".o_group_by_menu .o_menu_item:text-is('User Created')")
    page.click(".o_searchview_dropdown_toggler")
    page.wait_for_selector(".o_group_header:has-text('Yes')")
    keep_picture(page, "backend-4-list")
    page.click(".o_group_header:has-text('Yes')")
    page.wait_for_selector(".o_data_row:has-text('Jane Listed')")
    assert not page.locator(".o_data_row", has_text="Jim Without Address").count()


def test_a_guest_pays_reads_the_message_and_activates_the_account(shop, open_page):
    address = "jane.guest@example.com"
    shop.admin(
        "website",
        "write",
        shop.admin("website", "search", []),
        {"auth_signup_uninvited": "b2c"},
    )
    page = open_page(shop.server)
    check_out(page, shop.chair[0], address, "guest")
    order_id = shop.db.last_order(address)

    message = page.locator(MESSAGE)
    assert address in message.inner_text()
    assert "signup" not in page.content()
    assert "token=" not in page.content()
    assert not page.get_by_role("button", name="Sign Up").count()
    keep_pictures(page, "guest-4-confirmation")

    mail = assert_account_and_invitation(shop, address, order_id)
    for width in (320, 600):
        render(open_page, mail, width, "mail")
    activate(shop, open_page, mail, order_id)


def activate(shop, open_page, mail, order_id):
    """Follow the link of an invitation, choose a password and look at the order."""
    [address] = mail.recipients
    name = shop.db.value("SELECT name FROM sale_order WHERE id = %s", order_id)
    page = open_page(shop.server, PHONE)
    addresses = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    choose_password(page, mail.link, PASSWORD, "account")
    keep_pictures(page, "account-2-orders")
    page.click(f"a:has-text('{name}')")
    page.wait_for_selector("#sidebar_content, .o_portal_sidebar")
    keep_pictures(page, "account-3-order")
    assert not [url for url in addresses[1:] if token_in(mail.link) in url]

    customer = Visitor(shop.server).log_in(address, PASSWORD)
    pdf = customer.get(f"/my/orders/{order_id}?report_type=pdf&download=true")
    assert pdf.headers["Content-Type"] == "application/pdf"
    # wkhtmltopdf without its patches draws letters as shapes: the text is in the page
    assert len(PdfReader(io.BytesIO(pdf.content)).pages) == 1
    assert name in customer.get(f"/my/orders/{order_id}?report_type=html").text

    assert_other_orders_are_refused(shop, customer)
    assert_link_is_dead(shop, mail)
    assert_dead_link_leads_to_another(shop, open_page(shop.server), mail)
    assert_token_is_nowhere(shop, mail)


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


def assert_link_is_dead(shop, mail):
    """Check that an invitation that was used does not set another password."""
    [address] = mail.recipients
    visitor = Visitor(shop.server)
    document = lxml.html.fromstring(visitor.session.get(mail.link).content)
    assert not document.xpath("//input[@name='confirm_password'][not(@disabled)]") or (
        document.xpath("//p[contains(@class, 'alert-danger')]")
    )
    response = visitor.post(
        "/web/signup",
        {
            "login": address,
            "name": "Thief",
            "password": "stolen password",
            "confirm_password": "stolen password",
            "token": token_in(mail.link),
        },
    )
    assert "alert-danger" in response.text
    assert shop.db.users(address) == shop.db.users(address)[:1]
    Visitor(shop.server).log_in(address, PASSWORD)


def assert_dead_link_leads_to_another(shop, page, mail):
    """Check that who opens an invitation too late gets a new link, as the page says."""
    [address] = mail.recipients
    open_website(page, mail.link)
    keep_pictures(page, "account-4-dead-link")
    follow(page, "a:has-text('Reset Password')", "**/web/reset_password?**")
    page.fill("#login", address)
    page.click("button:has-text('Reset Password')")
    page.wait_for_selector(".alert-success:has-text('sent to your email address')")
    reset = shop.mailbox.wait_for_one(address, "Password reset")
    assert "/web/reset_password" in reset.html


# === Every way to confirm === #


def test_a_wire_transfer_creates_the_account_when_the_order_is_confirmed(shop):
    address = "jane.transfer@example.com"
    page = Visitor(shop.server).buy(shop.chair, address, provider="custom")
    assert not page.xpath(MESSAGE_XPATH)
    assert not shop.db.users(address)
    order_id = shop.db.last_order(address)
    shop.admin("sale.order", "action_confirm", [order_id])
    assert_account_and_invitation(shop, address, order_id)


def test_a_free_order_creates_the_account(shop):
    address = "jane.free@example.com"
    template_id = shop.admin(
        "product.template",
        "create",
        {"name": "Free Sample", "list_price": 0, "is_published": True},
    )
    visitor = Visitor(shop.server)
    visitor.check_out(shop.db.product("Free Sample"), address)
    page = visitor.page("/shop/payment/validate")
    assert template_id and address in page.xpath(f"string({MESSAGE_XPATH})")
    assert_account_and_invitation(shop, address, shop.db.last_order(address))


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
    assert_account_and_invitation(shop, address, order_id)


def test_ten_orders_are_confirmed_at_once_from_the_list(shop, open_page):
    addresses = [f"jane.{number}@example.com" for number in range(10)]
    order_ids = [
        quote(shop, address, name=f"Jane Ten {number}")
        for number, address in enumerate(addresses)
    ]
    add_confirm_to_list(shop)
    page = open_page(shop.server, WIDE)
    log_in(page, "salesperson@example.com", "salesperson")
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
        assert_account_and_invitation(shop, address, order_id)


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


def test_an_rpc_call_creates_the_account(shop):
    address = "jane.rpc@example.com"
    order_id = quote(shop, address)
    shop.sales("sale.order", "action_confirm", [order_id])
    assert_account_and_invitation(shop, address, order_id)


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


def assert_plain_confirmation(page):
    """Check that a confirmation page says nothing of an account, not even Sign Up."""
    assert page.xpath("//*[@id='order_name']")
    assert not page.xpath(MESSAGE_XPATH)
    assert not page.xpath("//a[contains(@href, 'signup')]")


def test_the_invitation_reads_well_without_html_and_in_the_customers_language(shop):
    address = "jean.exemple@example.com"
    [template] = shop.admin(
        "mail.template", "search", [("name", "=", "Portal account invitation")]
    )
    shop.admin(
        "mail.template",
        "update_field_translations",
        [template],
        "subject",
        {"fr_FR": "Activez votre compte : {{ object.login }}"},
    )
    partner = new_contact(shop.admin, f"Jean <{address}>", "Jean Exemple", lang="fr_FR")
    order_id = new_quotation(shop.sales, partner)
    shop.sales("sale.order", "action_confirm", [order_id])
    french = shop.mailbox.wait(address, subject=f"Activez votre compte : {address}")[0]
    assert french.message["To"].addresses[0].addr_spec == address

    address = "jane.reads@example.com"
    order_id = quote(shop, address)
    shop.sales("sale.order", "action_confirm", [order_id])
    mail = assert_account_and_invitation(shop, address, order_id)
    name, company, sender = shop.db.sql(
        "SELECT o.name, c.name, c.email FROM sale_order o JOIN res_company c "
        "ON c.id = o.company_id WHERE o.id = %s",
        order_id,
    )[0]
    assert [to.addr_spec for to in mail.message["To"].addresses] == [address]
    assert mail.recipients == (address,)
    [author] = mail.message["From"].addresses
    assert (author.display_name, author.addr_spec) == (company, sender)
    for part in (name, address, mail.link, "6 days", "Reset Password", company):
        assert part in mail.text.replace("\n", " ").replace("*", ""), part
    assert "<" not in mail.text.replace(f"<{mail.link}>", "")
    assert "style" not in mail.text
