"""What an administrator breaks and repairs."""

import pytest

from .database import eventually
from .shop import confirm, press_module_button, quote, run_shop, state_of


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop; each test leaves it in good order."""
    with run_shop(addon_instance, mailbox, "administration") as shop:
        yield shop


def break_template(shop, how):
    """Break what the invitation is made from."""
    if how == "broken template":
        # Odoo checks a template when it is written, not when a field goes away
        set_mail_body(shop.db, '<p t-out="object.no_such_field"/>')
    else:
        shop.admin("mail.template", "unlink", invitation_template(shop))


def fix_template(shop, how):
    """Repair it as the administrator would."""
    if how == "broken template":
        set_mail_body(
            shop.db,
            "<p><a t-att-href=\"ctx['sales_confirm_user_create_url']\"/></p>",
        )
    else:
        press_module_button(shop, "button_immediate_upgrade")


def set_mail_body(db, body):
    """Change the text of the invitation, unchecked."""
    db.sql(
        "UPDATE mail_template SET body_html = jsonb_build_object('en_US', %s) "
        "WHERE name->>'en_US' = 'Portal account invitation'",
        body,
    )


def invitation_template(shop):
    """Return the ids of the invitation's mail template."""
    return shop.admin(
        "mail.template", "search", [("name", "=", "Portal account invitation")]
    )


@pytest.mark.parametrize("how", ["broken template", "deleted template"])
def test_an_invitation_that_cannot_be_made_is_noted_and_sent_after_the_repair(
    shop, how
):
    break_template(shop, how)
    address = f"jane.{how.replace(' ', '.')}@example.com"
    order_id = quote(shop, address)
    confirm(shop, order_id)
    assert state_of(shop, order_id) == ("sale", True, [address])
    eventually(
        lambda: [
            note for note in shop.db.notes(order_id) if "could not be sent" in note
        ]
    )
    log = shop.server.log.read_text(errors="replace")
    assert "is not sent" in log and "Traceback" in log
    assert not shop.mailbox.invitations(address)

    fix_template(shop, how)
    shop.db.pass_time()
    shop.mailbox.wait_for_one(address)
