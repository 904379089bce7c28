"""What a salesperson, a customer and a visitor get at, tried over RPC."""

import lxml.html
import pytest

from .client import (
    Rpc,
    RpcError,
    Visitor,
    new_contact,
    new_quotation,
    new_salesperson,
)
from .database import eventually
from .mailbox import token_in
from .shop import confirm, quote, run_shop

# Read from the addon's own classes, so that what is added later is tried as well.
LIST_OF_MEMBERS = """
import inspect
addon = "odoo.addons.sales_confirm_user_create."
for name, model in env.registry.items():
    for base in model.__mro__:
        if base.__module__.startswith(addon):
            for method, value in vars(base).items():
                if inspect.isfunction(value):
                    print("METHOD", name, method)
    for field in model._fields.values():
        if "sales_confirm_user_create" in (field._modules or ()):
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
        shop.sales = new_salesperson(shop.server)
        shop.customer = Rpc(shop.server, "portal", "portal")
        shop.order_id = quote(shop, "victim@example.com")
        confirm(shop, shop.order_id)
        mailbox.wait_for_one("victim@example.com")
        [shop.victim] = shop.db.users("victim@example.com")
        yield shop


def groups(shop):
    """Return who is in which group, and which contact each user has."""
    return shop.db.sql(
        "SELECT u.id, u.login, u.partner_id, u.active, u.share, "
        "array_agg(r.gid ORDER BY r.gid) FROM res_users u "
        "LEFT JOIN res_groups_users_rel r ON r.uid = u.id GROUP BY u.id ORDER BY u.id"
    )


def refused(rpc, *args, **kwargs):
    """Tell whether a call ends with an error, and check that it is a refusal."""
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
def test_nobody_writes_user_created(shop, who):
    rpc = getattr(shop, who)
    for values in ({"user_created": False}, {"user_created": True}):
        assert refused(rpc, "sale.order", "write", [shop.order_id], values)
    assert shop.db.value(
        "SELECT user_created FROM sale_order WHERE id = %s", shop.order_id
    )


def test_a_salesperson_cannot_create_an_order_with_the_flag(shop):
    partner = new_contact(shop.admin, "flag@example.com")
    values = {"partner_id": partner, "user_created": True}
    if not refused(shop.sales, "sale.order", "create", values):
        assert not shop.db.value(
            "SELECT bool_or(coalesce(user_created, false)) FROM sale_order "
            "WHERE partner_id = %s",
            partner,
        )


@pytest.mark.parametrize("who", ["sales", "customer"])
def test_private_methods_of_the_addon_cannot_be_called(shop, who):
    private = [(model, name) for model, name in shop.methods if name.startswith("_")]
    assert len(private) > 20
    before = groups(shop)
    for model, name in private:
        with pytest.raises(RpcError, match=r"Private|private"):
            getattr(shop, who)(model, name, [shop.order_id])
    assert groups(shop) == before


@pytest.mark.parametrize("who", ["sales", "customer"])
def test_public_methods_of_the_addon_widen_nobodys_rights(shop, who):
    public = {(model, name) for model, name in shop.methods if name[0] != "_"}
    before = groups(shop)
    for model, name in sorted(public):
        record_id = shop.victim if model == "res.users" else shop.order_id
        for args in ([[record_id]], []):
            try:
                answer = getattr(shop, who)(model, name, *args)
            except RpcError as error:
                answer = str(error)
            assert "token=" not in str(answer), (model, name)
    assert groups(shop) == before


@pytest.mark.parametrize("who", ["sales", "customer"])
def test_the_fields_of_the_addon_on_users_are_hidden(shop, who):
    fields = [
        name
        for model, name in shop.fields
        if model in ("res.users", "res.partner")
        and name.startswith("portal_invitation")
    ]
    assert fields
    rpc = getattr(shop, who)
    # not even of one's own user
    for user_id in (rpc.uid, shop.victim):
        for name in fields:
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


def test_a_salesperson_does_not_get_an_account_of_another_by_a_new_address(shop):
    """The contact of a customer with an account gets the salesperson's own address."""
    before = groups(shop)
    partner = shop.db.value(
        "SELECT partner_id FROM res_users WHERE id = %s", shop.victim
    )
    shop.admin("res.partner", "write", [partner], {"email": "thief@example.com"})
    order_id = new_quotation(shop.sales, partner)
    shop.sales("sale.order", "action_confirm", [order_id])
    shop.sales(
        "sale.order",
        "action_confirm",
        [new_quotation(shop.sales, new_contact(shop.admin, "after.thief@example.com"))],
    )
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


def test_a_template_that_a_colleague_may_preview_does_not_show_the_link(shop):
    [template] = shop.admin(
        "mail.template", "search", [("name", "=", "Portal account invitation")]
    )
    previews = []
    for rpc in (shop.sales, shop.admin):
        try:
            preview = rpc(
                "mail.template.preview",
                "create",
                {
                    "mail_template_id": template,
                    "resource_ref": f"res.users,{shop.victim}",
                },
            )
            previews += rpc("mail.template.preview", "read", [preview], ["body_html"])
        except RpcError:
            # a salesperson may neither edit templates nor read users
            assert rpc is shop.sales
    assert "victim@example.com" in str(previews)
    assert "token=" not in str(previews)
    with pytest.raises(RpcError):
        shop.sales(
            "mail.template", "write", [template], {"email_to": "thief@example.com"}
        )


def test_a_visitor_gets_at_nothing_by_rpc(shop):
    visitor = Visitor(shop.server)
    for model, name in {
        (model, name) for model, name in shop.methods if name[0] != "_"
    }:
        with pytest.raises(RpcError, match=r"Session|Access"):
            visitor.call(
                f"/web/dataset/call_kw/{model}/{name}",
                model=model,
                method=name,
                args=[[shop.order_id]],
                kwargs={},
            )


def test_what_a_customer_calls_themselves_is_text_and_not_markup(shop):
    """The name goes into mail, page and chatter; an address cannot bring headers."""
    name = '<img src=x onerror="alert(1)">"\r\nBcc: thief@example.com'
    address = "marked.up@example.com"
    partner = new_contact(shop.admin, address, name)
    order_id = new_quotation(shop.admin, partner)
    shop.admin("sale.order", "action_confirm", [order_id])
    mail = shop.mailbox.wait_for_one(address)
    assert mail.recipients == (address,)
    assert mail.message["Bcc"] is None
    assert "<img src=x" not in mail.html
    assert "&lt;img src=x" in mail.html
    assert not [note for note in shop.db.notes(order_id) if "<img src=x" in note]

    injected = "header@example.com\nBcc: thief@example.com"
    order_id = new_quotation(shop.admin, new_contact(shop.admin, injected))
    shop.admin("sale.order", "action_confirm", [order_id])
    eventually(lambda: not shop.db.due())
    assert not shop.mailbox.received("thief@example.com")


def test_a_note_about_a_wrong_address_shows_it_as_text(shop):
    order_id = new_quotation(
        shop.admin, new_contact(shop.admin, "<script>alert(1)</script>")
    )
    shop.admin("sale.order", "action_confirm", [order_id])
    notes = "".join(shop.db.notes(order_id))
    assert "No portal account" in notes
    assert "<script" not in notes
    assert "&lt;script" in notes


def test_an_activated_customer_reaches_own_documents_only(shop):
    """Lists, pages, PDFs, RPC and attachments of somebody else's order are refused."""
    customer = activated_customer(shop, "reader@example.com")
    rpc = Rpc(shop.server, "reader@example.com", "reader password")
    for path in (
        f"/my/orders/{shop.order_id}",
        f"/my/orders/{shop.order_id}?report_type=pdf&download=true",
        f"/report/pdf/sale.report_saleorder/{shop.order_id}",
        f"/report/html/sale.report_saleorder/{shop.order_id}",
    ):
        answer = customer.get(path)
        assert "victim@example.com" not in answer.text
        assert answer.headers["Content-Type"] != "application/pdf"
    assert refused(rpc, "sale.order", "read", [shop.order_id], ["name"])
    assert shop.order_id not in rpc("sale.order", "search", [])
    attachment = shop.admin(
        "ir.attachment",
        "create",
        {
            "name": "secret.txt",
            "raw": "secret",
            "res_model": "sale.order",
            "res_id": shop.order_id,
        },
    )
    assert refused(rpc, "ir.attachment", "read", [attachment], ["raw"])
    assert customer.get(f"/web/content/{attachment}").text != "secret"


def activated_customer(shop, address):
    """Return the browser session of a new customer who has chosen a password."""
    order_id = new_quotation(shop.admin, new_contact(shop.admin, address))
    shop.admin("sale.order", "action_confirm", [order_id])
    mail = shop.mailbox.wait_for_one(address)
    # the link works once the server knows that the mail was taken
    eventually(lambda: not shop.db.due())
    visitor = Visitor(shop.server)
    page = visitor.session.get(mail.link)
    assert page.ok and token_in(mail.link) not in page.text
    password = {"password": "reader password", "confirm_password": "reader password"}
    # the form has no address of its own: a browser sends it to that of its page
    response = visitor.post(
        "/web/signup?invitation=1",
        {"login": address, "name": "Jane Doe", **password},
        form="/web/signup?invitation=1",
    )
    alerts = lxml.html.fromstring(response.content).xpath("//*[@role='alert']")
    assert "/my" in response.url, [alert.text_content() for alert in alerts]
    return visitor
