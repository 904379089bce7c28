"""What a sales manager sees of the invitations, and does with them."""

import pytest

from .browser import PHONE, SCREENS, WIDE, keep_picture, log_in
from .client import Visitor, new_salesperson
from .database import eventually
from .shop import confirm, expire_links, quote, run_shop

MANAGER = "manager@example.com"
STATES = ("activated", "cancelled", "due", "expired", "failed", "sent")


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop with a manager and one invitation in each state."""
    with run_shop(addon_instance, mailbox, "invitations") as shop:
        new_salesperson(shop.server, MANAGER, "manager")
        with expire_links(shop):
            invite(shop, "expired")
        mailbox.refusal = lambda mail: "550 5.1.1 no such user"
        invite(shop, "failed", is_sent=False)
        for attempt in range(1, 4):
            eventually(lambda attempt=attempt: failed_attempts(shop) == attempt)
            shop.db.pass_time()
        mailbox.recover()
        for state in ("activated", "cancelled", "sent"):
            invite(shop, state)
        mail = mailbox.wait_for_one(address("activated"))
        Visitor(shop.server).activate(mail, "correct horse")
        users = shop.db.users(address("cancelled"))
        shop.admin("res.users", "write", users, {"active": False})
        shop.db.sql(
            "UPDATE portal_invitation SET sent_date = sent_date - interval '1 day'"
        )
        mailbox.stop()
        invite(shop, "due", is_sent=False)
        eventually(shop.db.put_off)
        mailbox.start()
        yield shop


def failed_attempts(shop):
    """Return how often the email that the mail server refuses was tried."""
    return shop.db.value(
        "SELECT max(failure_count) FROM portal_invitation WHERE failure LIKE '550%%'"
    )


def address(state):
    """Return the address of the customer whose invitation is in a state."""
    return f"jane.{state}@example.com"


def invite(shop, state, is_sent=True):
    """Confirm an order of a new customer, and return its id."""
    order_id = quote(shop, address(state), f"Jane {state.title()}")
    confirm(shop, order_id)
    if is_sent:
        shop.mailbox.wait_for_one(address(state))
    return order_id


def open_invitations(page):
    """Log in as manager and open the list by the menu."""
    log_in(page, MANAGER, MANAGER)
    page.goto("/odoo/sales")
    page.click(".o_menu_sections button:has-text('Orders')")
    page.click(".o-dropdown-item:text-is('Portal Invitations')")
    page.wait_for_selector(".o_data_row")


def test_the_menu_shows_each_invitation_with_its_state(shop, open_page):
    page = open_page(shop.server, WIDE)
    open_invitations(page)
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(700)
    keep_picture(page, "invitations-1-list-phone")
    page.set_viewport_size(WIDE)
    page.wait_for_timeout(700)
    keep_picture(page, "invitations-1-list")
    for state in STATES:
        row = page.locator(".o_data_row", has_text=address(state))
        assert row.locator("td[name=state]").inner_text() == state.title()
    failed = page.locator(".o_data_row", has_text=address("failed"))
    assert "no such user" in failed.inner_text()
    page.click(".o_searchview_dropdown_toggler")
    keep_picture(page, "invitations-2-filters")
    page.click(".o_filter_menu .o_menu_item:text-is('Failed')")
    page.wait_for_function("document.querySelectorAll('.o_data_row').length == 1")
    page.click(".o_group_by_menu .o_menu_item:text-is('Status')")
    page.wait_for_selector(".o_group_header:has-text('Failed')")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_form_of_an_invitation_is_read_only_and_fits(shop, open_page, screen):
    page = open_page(shop.server, SCREENS[screen])
    log_in(page, MANAGER, MANAGER)
    for state in ("failed", "sent"):
        [number] = shop.admin(
            "portal.invitation", "search", [("login", "=", address(state))]
        )
        page.goto(f"/odoo/portal.invitation/{number}")
        page.wait_for_selector(".o_form_view")
        page.wait_for_timeout(300)
        keep_picture(page, f"invitation-{state}-{screen}")
        assert not page.locator(".o_form_view .o_field_widget input").count()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"]


def test_a_manager_sends_an_invitation_again(shop, open_page):
    page = open_page(shop.server, WIDE)
    open_invitations(page)
    for state in ("sent", "activated"):
        row = page.locator(".o_data_row", has_text=address(state))
        row.locator(".o_list_record_selector input").check()
    page.click(".o_control_panel button[name=action_resend]")
    dialog = page.locator(".modal")
    assert "Emails to send: 1." in dialog.inner_text()
    dialog.get_by_role("button", name="Send").click()
    message = page.locator(".o_notification").inner_text()
    row = page.locator(".o_data_row", has_text=address("sent"))
    row.locator("td[name=state]:has-text('Due')").wait_for()
    page.wait_for_timeout(700)
    keep_picture(page, "invitations-3-resent")
    assert f"sent to {address('sent')}" in message
    assert f"{address('activated')}: the account is already activated" in message
    shop.db.pass_time()
    [_first, again] = shop.mailbox.wait(address("sent"), count=2)
    assert "/my/orders/" in Visitor(shop.server).activate(again, "correct horse").url
    assert len(shop.mailbox.invitations(address("activated"))) == 1
