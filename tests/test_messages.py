"""Emails as mail programs get them, read with Python's standard library."""

import urllib.request

import pytest

from .client import new_contact, new_quotation
from .database import eventually
from .shop import confirm, run_shop

NAMES = {"en_US": "Jane Doe", "de_DE": "Jörg Müller", "ar_001": "ياسمين حداد"}


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop that speaks German and Arabic, too."""
    with run_shop(addon_instance, mailbox, "messages") as shop:
        codes = tuple(NAMES)
        ids = shop.db.sql("SELECT id FROM res_lang WHERE code IN %s", codes)
        wizard = shop.admin(
            "base.language.install",
            "create",
            {"lang_ids": [(6, 0, [lang_id for [lang_id] in ids])]},
        )
        shop.admin("base.language.install", "lang_install", [wizard])
        yield shop


def invite(shop, address, name, **values):
    """Return the message of a new customer's invitation."""
    contact_id = new_contact(shop.admin, address, name, **values)
    confirm(shop, new_quotation(shop.admin, contact_id))
    return shop.mailbox.wait_for_one(address)


@pytest.mark.parametrize("lang", NAMES)
def test_message_says_what_it_is_in_each_language(shop, lang):
    name, address = NAMES[lang], f"{lang.lower()}@example.com"
    mail = invite(shop, address, name, lang=lang)
    message = mail.message
    assert not message.defects
    [to] = message["To"].addresses
    assert (to.display_name, to.addr_spec) == (name, address)
    assert message["Auto-Submitted"] == "auto-generated"
    assert "@" in message["Reply-To"].addresses[0].addr_spec
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"<bdi>{name}</bdi>" in mail.html
    assert name in mail.text
    assert "<bdi>" not in mail.text
    assert mail.link in mail.text


def test_one_click_of_a_mail_program_ends_the_emails(shop):
    address = "one.click@example.com"
    mail = invite(shop, address, "Jane Doe")
    # as it is, and not encoded
    link = dict(mail.message.raw_items())["List-Unsubscribe"].strip("<>")
    data = b"List-Unsubscribe=One-Click"
    with urllib.request.urlopen(link) as page:
        assert "/web/portal/decline" in page.url
    with urllib.request.urlopen(link, data) as answer:
        assert answer.status == 200
        assert not answer.headers["Set-Cookie"]
    assert shop.db.users(address)
    shop.db.pass_time(days=9)
    [job] = shop.admin(
        "ir.cron", "search", [("cron_name", "=", "Portal Accounts: schedule reminders")]
    )
    shop.admin("ir.cron", "method_direct_trigger", [job])
    eventually(lambda: not shop.db.due())
    shop.mailbox.wait_for_one(address)


def test_name_that_is_a_link_is_not_in_the_message(shop):
    mail = invite(shop, "prize@example.com", "Win a prize http://evil.test")
    assert "evil.test" not in mail.html + str(mail.message["To"])
