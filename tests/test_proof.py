"""What customers and staff see of the proof that somebody reads a mailbox."""

import pytest

from .attacker import links_in, new_api_key, past_order, rpc_of
from .browser import (
    PASSWORD_FORM,
    WIDE,
    assert_accessible,
    follow,
    keep_picture,
    keep_pictures,
    log_in,
    open_website,
)
from .client import Visitor, new_contact, new_quotation
from .shop import confirm, run_shop

PASSWORD = "correct horse battery"
KEEP = ".o_portal_unproven input[name=keep]"


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop with free sign-up, where portal users may make API keys."""
    with run_shop(addon_instance, mailbox, "proof") as shop:
        websites = shop.admin("website", "search", [])
        shop.admin("website", "write", websites, {"auth_signup_uninvited": "b2c"})
        shop.admin("ir.config_parameter", "set_param", "portal.allow_api_keys", "1")
        shop.is_addon = True
        yield shop


def test_activation_asks_about_addresses_of_before(shop, open_page):
    address = "activates@example.com"
    visitor = Visitor(shop.server)
    visitor.buy(shop.db.product("Office Chair"), address)
    partner = shop.db.value("SELECT id FROM res_partner WHERE email = %s", address)
    for name in ("Aunt Mary", "Somebody Else"):
        other = new_contact(
            shop.admin, False, name, parent_id=partner, street=name, type="delivery"
        )
        # as the checkout creates it
        shop.db.sql(
            "UPDATE res_partner SET create_uid = (SELECT create_uid FROM res_partner "
            "WHERE id = %s) WHERE id = %s",
            partner,
            other,
        )
    page = open_page(shop.server)
    open_website(page, shop.mailbox.wait_for_one(address).link)
    page.wait_for_selector(PASSWORD_FORM)
    assert_accessible(page)
    keep_pictures(page, "proof-1-activation")
    page.check("label:has-text('Aunt Mary')")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=confirm_password]", PASSWORD)
    follow(page, f"{PASSWORD_FORM} button[type=submit]", "**/my/orders/*")
    rows = shop.db.sql(
        "SELECT name, active FROM res_partner "
        "WHERE name IN ('Aunt Mary', 'Somebody Else') ORDER BY name"
    )
    assert rows == [("Aunt Mary", True), ("Somebody Else", False)]


def test_first_proof_of_an_account_that_somebody_else_made(shop, open_page):
    address = "signs.up@example.com"
    order_id = past_order(shop, address)
    assert Visitor(shop.server).sign_up(address, PASSWORD)
    key = new_api_key(shop, address)
    assert key
    page = open_page(shop.server)
    log_in(page, address, PASSWORD)
    open_website(page, "/web/portal/missing")
    page.click(".o_portal_missing_orders button")
    page.wait_for_selector(".o_portal_missing_orders [role=status]")
    open_website(page, shop.mailbox.wait(address, "Find your orders")[0].link)
    assert page.locator(KEEP).count() >= 1
    assert_accessible(page)
    keep_pictures(page, "proof-2-missing")
    follow(page, ".o_portal_missing_orders button", "**/my/orders")
    assert shop.db.value(
        "SELECT portal_proof_date IS NOT NULL FROM res_users WHERE login = %s", address
    )
    assert not shop.db.value(
        "SELECT count(*) FROM res_users_apikeys k JOIN res_users u ON u.id = k.user_id "
        "WHERE u.login = %s",
        address,
    )
    assert shop.db.value(
        "SELECT portal_partner_id IS NOT NULL FROM sale_order WHERE id = %s", order_id
    )


def test_staff_are_asked_before_they_trust_an_account(shop, open_page):
    address = "never.proven@example.com"
    assert Visitor(shop.server).sign_up(address, PASSWORD)
    assert rpc_of(shop, address, PASSWORD)
    order_id = new_quotation(shop.admin, new_contact(shop.admin, address))
    confirm(shop, order_id)
    page = open_page(shop.server, WIDE)
    log_in(page, "admin", "admin")
    page.goto(f"/odoo/action-sale.action_orders/{order_id}")
    page.click(".o_notebook_headers a:has-text('Other Info')")
    page.wait_for_selector("button[name=action_claim_unproven]")
    assert page.locator("text=Address Confirmed On").count()
    keep_picture(page, "proof-3-order", full_page=True)
    page.click("button[name=action_claim_unproven]")
    page.wait_for_selector(".modal:has-text('never confirmed the address')")
    page.wait_for_timeout(300)
    keep_picture(page, "proof-4-question")
    page.click(".modal button:has-text('Add to this account')")
    page.wait_for_selector("button[name=action_unclaim]")
    keep_picture(page, "proof-5-claimed", full_page=True)


def test_staff_see_that_the_account_is_in_another_company(shop, open_page):
    address = "elsewhere@example.com"
    assert Visitor(shop.server).sign_up(address, PASSWORD)
    company = shop.admin("res.company", "create", {"name": "Elsewhere"})
    [user] = shop.db.users(address)
    values = {"company_ids": [(4, company)], "company_id": company}
    shop.admin("res.users", "write", [user], values)
    partner = shop.db.value("SELECT partner_id FROM res_users WHERE id = %s", user)
    shop.admin("res.partner", "write", [partner], {"company_id": company})
    order_id = new_quotation(shop.admin, new_contact(shop.admin, address))
    confirm(shop, order_id)
    page = open_page(shop.server, WIDE)
    log_in(page, "admin", "admin")
    page.goto(f"/odoo/action-sale.action_orders/{order_id}")
    page.click(".o_notebook_headers a:has-text('Other Info')")
    reason = page.locator("span:has-text('Cannot be added')")
    reason.scroll_into_view_if_needed()
    assert "another company" in reason.inner_text()
    assert not page.locator("button[name^=action_claim_]").count()
    keep_picture(page, "proof-6-elsewhere")


def test_a_decline_is_taken_back_with_the_same_link(shop, open_page):
    address = "declines@example.com"
    order_id = new_quotation(shop.admin, new_contact(shop.admin, address))
    confirm(shop, order_id)
    mail = shop.mailbox.wait_for_one(address)
    [link] = set(links_in(mail, "/decline"))
    page = open_page(shop.server)
    open_website(page, link)
    keep_pictures(page, "proof-6-decline")
    follow(page, ".o_portal_decline button", "**/web/portal/decline")
    keep_pictures(page, "proof-7-declined")
    open_website(page, link)
    keep_pictures(page, "proof-8-take-back")
    follow(page, ".o_portal_decline button", "**/web/portal/decline")
    assert_accessible(page)
    keep_pictures(page, "proof-9-taken-back")
    assert not shop.db.value("SELECT count(*) FROM portal_decline")
    staff = open_page(shop.server, WIDE)
    log_in(staff, "admin", "admin")
    staff.goto(f"/odoo/action-sale.action_orders/{order_id}")
    staff.wait_for_selector(".o-mail-Chatter")
    keep_picture(staff, "proof-10-order-declined", full_page=True)
