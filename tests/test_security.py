"""What a salesperson, a customer and a visitor get at, tried over RPC."""

import pytest

from devtools.base import ADDONS

from .client import (
    Rpc,
    RpcError,
    Visitor,
    new_contact,
    new_quotation,
    new_salesperson,
)
from .database import eventually
from .shop import confirm, quote, run_shop

# Read from the addons' own classes, so that what is added later is tried as well.
LIST_OF_MEMBERS = f"""
import inspect
addons = {ADDONS}
for name, model in env.registry.items():
    for base in model.__mro__:
        if base.__module__.partition("odoo.addons.")[2].partition(".")[0] in addons:
            for method, value in vars(base).items():
                if inspect.isfunction(value):
                    print("METHOD", name, method)
    for field in model._fields.values():
        if set(addons).intersection(field._modules or ()):
            print("FIELD", name, field.name)
"""


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop with a salesperson, a customer and somebody else's order."""
    with run_shop(addon_instance, mailbox, "security") as shop:
        members = [
            line.split()
            for line in shop.db.shell(LIST_OF_MEMBERS).splitlines()
            if line.startswith(("METHOD", "FIELD"))
        ]
        shop.methods = [names for kind, *names in members if kind == "METHOD"]
        shop.fields = [names for kind, *names in members if kind == "FIELD"]
        shop.order_id = quote(shop, "victim@example.com")
        confirm(shop, shop.order_id)
        mailbox.wait_for_one("victim@example.com")
        [shop.victim] = shop.db.users("victim@example.com")
        shop.invitation = shop.db.value(
            "SELECT id FROM portal_invitation WHERE user_id = %s", shop.victim
        )
        shop.sales = new_salesperson(shop.server)
        shop.customer = Rpc(shop.server, "portal", "portal")
        yield shop


def groups(shop):
    """Return who is in which group, and which contact each user has."""
    return shop.db.sql(
        "SELECT u.id, u.login, u.partner_id, u.active, u.share, "
        "array_agg(r.gid ORDER BY r.gid) FROM res_users u "
        "LEFT JOIN res_groups_users_rel r ON r.uid = u.id GROUP BY u.id ORDER BY u.id"
    )


def refused(rpc, *args, **kwargs):
    """Return whether a call ends with an error, and check that it is a refusal."""
    try:
        rpc(*args, **kwargs)
    except RpcError as error:
        assert error.name in (
            "AccessError",
            "AccessDenied",
            "MissingError",
            "UserError",
            "ValidationError",
        ), error
        return True
    return False


@pytest.mark.parametrize("who", ["sales", "customer"])
def test_public_methods_of_the_addon_widen_nobodys_rights(shop, who):
    public = {(model, name) for model, name in shop.methods if name[0] != "_"}
    before = groups(shop)
    records = {"res.users": shop.victim, "portal.invitation": shop.invitation}
    for model, name in sorted(public):
        record_id = records.get(model, shop.order_id)
        for args in ([[record_id]], []):
            try:
                answer = getattr(shop, who)(model, name, *args)
            except RpcError as error:
                answer = str(error)
            assert "token=" not in str(answer), (model, name)
    assert groups(shop) == before


@pytest.mark.parametrize("who", ["sales", "customer"])
def test_the_fields_of_the_addon_on_users_are_hidden(shop, who):
    fields = {name for model, name in shop.fields if model == "res.users"}
    if who == "sales":
        # what employees may know of contacts
        fields -= {name for model, name in shop.fields if model == "res.partner"}
    assert fields
    rpc = getattr(shop, who)
    # not even of one's own user
    for user_id in (rpc.uid, shop.victim):
        for name in sorted(fields):
            assert refused(rpc, "res.users", "read", [user_id], [name]), name
            assert refused(rpc, "res.users", "write", [user_id], {name: False}), name


def test_a_customer_with_the_administrators_address_changes_nothing(shop):
    """A salesperson gives a contact the address of the administrator, and confirms."""
    before = groups(shop)
    address = shop.db.value(
        "SELECT p.email FROM res_users u JOIN res_partner p ON p.id = u.partner_id "
        "WHERE u.login = 'admin'"
    )
    for email in (address, f'"Boss" <{address.upper()}>', "admin"):
        partner = new_contact(shop.admin, "harmless@example.com")
        order_id = new_quotation(shop.sales, partner)
        shop.admin("res.partner", "write", [partner], {"email": email})
        shop.sales("sale.order", "action_confirm", [order_id])
        assert not shop.db.value(
            "SELECT coalesce(user_created, false) FROM sale_order WHERE id = %s",
            order_id,
        )
    assert groups(shop) == before
    assert not shop.mailbox.invitations(address)


def test_an_account_in_use_does_not_follow_the_address_of_its_contact(shop):
    """The contact of a customer with an account gets the salesperson's own address."""
    activated_customer(shop, "in.use@example.com")
    before = groups(shop)
    [user] = shop.db.users("in.use@example.com")
    [row] = shop.admin("res.users", "read", [user], ["partner_id"])
    partner = row["partner_id"][0]
    shop.admin("res.partner", "write", [partner], {"email": "thief@example.com"})
    confirm(shop, new_quotation(shop.sales, partner))
    confirm(shop, quote(shop, "after.thief@example.com"))
    shop.mailbox.wait_for_one("after.thief@example.com")
    assert not shop.mailbox.invitations("thief@example.com")
    assert groups(shop)[: len(before)] == before


@pytest.mark.parametrize("who", ["sales", "customer"])
def test_no_method_gives_the_activation_link(shop, who):
    rpc = getattr(shop, who)
    partner = shop.db.value(
        "SELECT partner_id FROM res_users WHERE id = %s", shop.victim
    )
    for method in ("signup_get_auth_param", "action_signup_prepare", "signup_prepare"):
        try:
            answer = rpc("res.partner", method, [partner])
        except RpcError:
            continue
        assert "token" not in str(answer)
    assert refused(rpc, "res.users", "read", [shop.victim], ["password"]) or not rpc(
        "res.users", "read", [shop.victim], ["password"]
    )[0]["password"].strip("*")


def test_what_a_customer_calls_themselves_is_text_and_not_markup(shop):
    """The name goes into mail, page and chatter; an address cannot bring headers."""
    markup = '<img src=x onerror="alert(1)">"'
    names = {"marked.up@example.com": markup, "line@example.com": "Jane\r\nBcc: Thief"}
    names["shown.not@example.com"] = f"{markup} thief@example.com"
    for address, name in names.items():
        order_id = quote(shop, address, name)
        confirm(shop, order_id)
        mail = shop.mailbox.wait_for_one(address)
        assert mail.recipients == (address,)
        assert mail.message["Bcc"] is None
        assert "<img src=x" not in mail.html
        assert ("&lt;img src=x" in mail.html) == (name == markup)
        assert not [note for note in shop.db.notes(order_id) if "<img src=x" in note]

    injected = "header@example.com\nBcc: thief@example.com"
    confirm(shop, quote(shop, injected))
    eventually(lambda: not shop.db.due())
    assert not shop.mailbox.received("thief@example.com")


def test_a_note_about_a_wrong_address_does_not_repeat_it(shop):
    order_id = quote(shop, "<script>alert(1)</script>")
    confirm(shop, order_id)
    notes = "".join(shop.db.notes(order_id))
    assert "No portal account" in notes
    assert "alert(1)" not in notes


def activated_customer(shop, address):
    """Return the browser session of a new customer who has chosen a password."""
    confirm(shop, quote(shop, address))
    visitor = Visitor(shop.server)
    mail = shop.mailbox.wait_for_one(address)
    assert "/my/orders/" in visitor.activate(mail, "reader password").url
    return visitor
