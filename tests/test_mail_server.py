"""A mail server that is down, slow or refuses, while orders are confirmed."""

import pytest

from .browser import MESSAGE, SCREENS, check_out, choose_password
from .client import new_contact, new_quotation
from .database import eventually
from .mailbox import token_in
from .shop import confirm, quote, run_shop, state_of

THROTTLE = "451 4.7.1 too many messages, try again later"
REPLIES = {
    "refusing": THROTTLE,
    "greylisting": "451 4.2.0 greylisted",
    "unknown": "550 5.1.1 user unknown",
}
# in seconds
SLOW = 15


@pytest.fixture(scope="module")
def running_shop(addon_instance, mailbox):
    """A running shop that has confirmed and mailed before."""
    with run_shop(addon_instance, mailbox, "mail_server") as shop:
        confirm(shop, quote(shop, "jane.warms.up@example.com"))
        mailbox.wait_for_one("jane.warms.up@example.com")
        yield shop


@pytest.fixture
def shop(running_shop):
    """The running shop with nothing to mail; its mail server recovers afterwards."""
    eventually(lambda: not running_shop.db.due())
    yield running_shop
    running_shop.mailbox.recover()


def break_mail(mailbox, fault):
    """Have the mail server fail in one way."""
    if fault == "down":
        mailbox.stop()
    elif fault == "slow":
        mailbox.delay = SLOW
    else:
        mailbox.refusal = lambda mail: REPLIES[fault]


@pytest.mark.parametrize(
    "fault", ["down", pytest.param("slow", marks=pytest.mark.slow), "refusing"]
)
def test_a_confirmation_does_not_wait_for_the_mail_server(shop, fault):
    """The invitation arrives by itself, and once, when the mail server is back.

    The time until the next attempt is not waited for but moved back in the database.
    """
    address = f"jane.{fault}@example.com"
    attempts = shop.mailbox.attempts

    break_mail(shop.mailbox, fault)
    order_id = quote(shop, address)
    took = [confirm(shop, order_id)]
    took += [
        confirm(shop, quote(shop, f"more{number}.{fault}@example.com"))
        for number in range(4)
    ]
    assert max(took) < SLOW
    assert state_of(shop, order_id) == ("sale", True, [address])
    if fault == "slow":
        eventually(lambda: shop.mailbox.attempts > attempts)
    else:
        eventually(shop.db.put_off)
    assert not shop.mailbox.invitations(address)

    assert not failure_notes(shop, order_id)
    shop.mailbox.recover()
    if fault != "slow":
        shop.db.pass_time()
    shop.mailbox.wait(address, timeout=90)
    eventually(lambda: not shop.db.due())
    shop.db.pass_time()
    confirm(shop, quote(shop, f"last.{fault}@example.com"))
    shop.mailbox.wait_for_one(f"last.{fault}@example.com")
    shop.mailbox.wait_for_one(address)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "screen"),
    [
        ("down", "phone"),
        ("slow", "desktop"),
        ("greylisting", "phone"),
        ("unknown", "desktop"),
    ],
)
def test_a_guest_orders_whatever_the_mail_server_does(shop, open_page, fault, screen):
    address = f"guest.{fault}@example.com"
    chair = shop.db.product("Office Chair")
    break_mail(shop.mailbox, fault)
    page = open_page(shop.server, SCREENS[screen])
    check_out(page, chair[0], address, f"mail-server-{fault}")
    assert address in page.locator(MESSAGE).inner_text()
    order_id = shop.db.last_order(address)
    eventually(lambda: fault == "slow" or shop.db.put_off())
    shop.mailbox.recover()
    shop.db.pass_time()
    mail = shop.mailbox.wait_for_one(address)
    page = open_page(shop.server, SCREENS[screen])
    choose_password(page, mail.link, "correct horse battery", f"after-{fault}")
    assert f"/my/orders/{order_id}" in page.url


def test_a_provider_that_takes_five_emails_gets_three_more_and_no_order_a_note(shop):
    """Thirty are due; those that are left arrive by themselves, each once."""
    order_ids = [quote(shop, f"throttled{number}@example.com") for number in range(30)]
    attempts = shop.mailbox.attempts
    limit = len(shop.mailbox.received()) + 5
    shop.mailbox.refusal = lambda mail: (
        THROTTLE if len(shop.mailbox.received()) >= limit else None
    )
    confirm(shop, *order_ids)
    eventually(lambda: shop.mailbox.attempts > attempts and shop.db.put_off())
    assert shop.mailbox.attempts == attempts + 8
    assert shop.db.due() == 25
    assert not failure_notes(shop, *order_ids)

    shop.mailbox.recover()
    shop.db.pass_time()
    eventually(lambda: not shop.db.due())
    for number in range(30):
        shop.mailbox.wait_for_one(f"throttled{number}@example.com")


def test_an_address_that_is_refused_for_good_is_noted_once_and_stops_nobody(shop):
    shop.mailbox.refusal = lambda mail: (
        "550 5.1.1 no such user" if "nobody@example.com" in mail.recipients else None
    )
    order_id = quote(shop, "nobody@example.com")
    confirm(shop, order_id, quote(shop, "somebody@example.com"))
    shop.mailbox.wait_for_one("somebody@example.com")
    eventually(lambda: failure_notes(shop, order_id) and shop.db.put_off())
    attempts = shop.mailbox.attempts
    shop.db.pass_time()
    eventually(lambda: shop.mailbox.attempts > attempts and shop.db.put_off())
    [note] = failure_notes(shop, order_id)
    assert "550 5.1.1 no such user" in note

    eventually(shop.db.put_off)
    shop.mailbox.recover()
    shop.db.pass_time()
    shop.mailbox.wait_for_one("nobody@example.com")


def test_a_server_that_quotes_the_email_it_refuses_puts_no_link_into_log_or_note(shop):
    links = []

    def quote_link(mail):
        links.append(mail.link)
        return f"554 5.2.0 spam: {mail.link}"

    shop.mailbox.refusal = quote_link
    order_id = quote(shop, "quoted.back@example.com")
    confirm(shop, order_id)
    eventually(lambda: failure_notes(shop, order_id) and shop.db.put_off())
    log = shop.server.log.read_text(errors="replace")
    assert "spam" in log
    token = token_in(links[0])
    assert token not in log
    assert token not in "".join(failure_notes(shop, order_id))
    shop.mailbox.recover()
    shop.db.pass_time()
    shop.mailbox.wait_for_one("quoted.back@example.com")


def test_greylisted_addresses_hold_up_no_other_customer(shop):
    shop.mailbox.refusal = lambda mail: (
        "451 4.2.0 greylisted" if "grey" in mail.recipients[0] else None
    )
    confirm(shop, *(quote(shop, f"grey{number}@example.com") for number in range(8)))
    confirm(shop, quote(shop, "not.listed@example.com"))
    shop.mailbox.wait_for_one("not.listed@example.com")
    eventually(shop.db.put_off)
    assert not shop.mailbox.invitations("grey0@example.com")
    shop.mailbox.recover()
    shop.db.pass_time()
    for number in range(8):
        shop.mailbox.wait_for_one(f"grey{number}@example.com")


def test_staff_read_since_when_emails_wait_and_the_log_has_one_line(shop):
    shop.mailbox.stop()
    start = len(shop.server.log.read_text(errors="replace"))
    order_id = quote(shop, "nobody.listens@example.com")
    confirm(shop, order_id)
    waiting = "Waiting for the mail server since"
    fields = ["portal_account_notice"]
    eventually(
        lambda: (
            waiting
            in (
                shop.admin("sale.order", "read", [order_id], fields)[0][fields[0]] or ""
            )
        )
    )
    [invitation] = shop.admin(
        "portal.invitation",
        "search_read",
        [("login", "=", "nobody.listens@example.com")],
        ["notice", "state"],
    )
    assert invitation["state"] == "due"
    assert waiting in invitation["notice"]
    log = shop.server.log.read_text(errors="replace")[start:]
    lines = [line for line in log.splitlines() if " WARNING " in line]
    assert len(lines) == 1
    assert "nobody.listens@example.com" in lines[0]
    assert "Traceback" not in log
    assert " ERROR " not in log
    shop.mailbox.recover()
    shop.db.pass_time()
    shop.mailbox.wait_for_one("nobody.listens@example.com")


def failure_notes(shop, *order_ids):
    """Return the notes of some orders about emails that could not be sent."""
    return [
        note
        for order_id in order_ids
        for note in shop.db.notes(order_id)
        if "could not be sent" in note
    ]


def test_a_second_company_does_not_wait_for_an_invitation_on_its_way(shop):
    address = "jane.buys.twice@example.com"
    company_id = shop.admin("res.company", "create", {"name": "Second company"})
    shop.admin("res.users", "write", 2, {"company_ids": [(4, company_id)]})
    contact_id = new_contact(shop.admin, address)
    first_id, second_id = (
        new_quotation(shop.admin, contact_id, company_id=company)
        for company in (1, company_id)
    )
    attempts = shop.mailbox.attempts
    shop.mailbox.delay = SLOW
    confirm(shop, first_id)
    eventually(lambda: shop.mailbox.attempts > attempts)
    took = confirm(shop, second_id)
    assert not shop.mailbox.invitations(address), "the first mail is on its way"
    assert took < shop.mailbox.delay
    [user_id] = shop.db.users(address)
    companies = shop.db.sql(
        "SELECT cid FROM res_company_users_rel WHERE user_id = %s", user_id
    )
    assert {cid for [cid] in companies} == {1, company_id}
