"""A mail server that is down, slow or refuses, while orders are confirmed."""

import os

import pytest

from .client import new_contact, new_quotation
from .database import eventually
from .shop import confirm, quote, run_shop, state_of

# in seconds; `make test` takes a part of what `make test-faults` waits
SLOW = 30 if os.environ.get("ALL_FAULTS") else 15


@pytest.fixture(scope="module")
def running_shop(addon_instance, mailbox):
    """A running shop that has confirmed and mailed before."""
    with run_shop(addon_instance, mailbox, "mail_server") as shop:
        confirm(shop, quote(shop, "jane.warms.up@example.com"))
        mailbox.wait_for_one("jane.warms.up@example.com")
        yield shop


@pytest.fixture
def shop(running_shop):
    """The running shop with nothing to mail; its mail server is mended afterwards."""
    eventually(lambda: not running_shop.db.due())
    yield running_shop
    running_shop.mailbox.mend()


def break_mail(mailbox, fault):
    """Have the mail server fail in one way."""
    if fault == "down":
        mailbox.stop()
    elif fault == "slow":
        mailbox.delay = SLOW
    else:
        mailbox.refusal = "451 4.3.0 try again later"


@pytest.mark.parametrize("fault", ["down", "slow", "refusing"])
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

    shop.mailbox.mend()
    if fault != "slow":
        shop.db.pass_time()
    shop.mailbox.wait(address, patience=90)
    eventually(lambda: not shop.db.due())
    shop.db.pass_time()
    confirm(shop, quote(shop, f"last.{fault}@example.com"))
    shop.mailbox.wait_for_one(f"last.{fault}@example.com")
    shop.mailbox.wait_for_one(address)


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
