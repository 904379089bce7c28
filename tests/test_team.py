"""A company's administrator manages its people; others try what their role forbids."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests

from devtools.instance import Instance

from .browser import (
    PHONE,
    assert_accessible,
    follow,
    keep_pictures,
    log_in,
    open_website,
    wait_until_ready,
)
from .client import ADDRESS, Rpc, RpcError, Visitor, new_contact, new_quotation
from .database import eventually
from .shop import confirm, run_shop
from .test_claims import deliver, invoice_of

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
TEAM = "/my/team"
GERMAN = """
wizard = env["base.language.install"].create(
    {"lang_ids": [(6, 0, env.ref("base.lang_de").ids)]}
)
wizard.lang_install()
env["website"].search([]).language_ids += env.ref("base.lang_de")
"""
# A company with people who have a password, and what they have to do with.
PEOPLE = """
from odoo import fields
Partner = env["res.partner"]
User = env["res.users"].with_context(no_reset_password=True)
address = {"street": "1 Road", "city": "Ghent", "zip": "9000", "phone": "+32 9 1 23 45"}
address["country_id"] = env.ref("base.be").id
for company, people in {
    "Acme": {"anna": "administrator", "bob": "buyer", "vera": "viewer", "otto": False},
    "Zeta": {"zoe": "administrator"},
}.items():
    parent = Partner.create({"name": company, "is_company": True, **address})
    for name, role in people.items():
        partner = Partner.create(
            {
                "name": name.title(),
                "parent_id": parent.id,
                "email": f"{name}@%(domain)s",
                **address,
            }
        )
        user = User.create(
            {
                "login": partner.email, "password": "%(password)s",
                "partner_id": partner.id,
                "group_ids": [(6, 0, env.ref("base.group_portal").ids)],
            }
        )
        user.portal_activation_date = fields.Datetime.now()
        user.portal_role = role
"""


@pytest.fixture(scope="module")
def shop(mailbox):
    """A running shop with a warehouse, deliveries and invoices, in three languages."""
    with (
        Instance.start("full") as instance,
        run_shop(
            instance, mailbox, "team", prepare=lambda db: db.shell(GERMAN)
        ) as shop,
    ):
        shop.chair = shop.db.product("Office Chair")
        yield shop


@pytest.fixture(scope="module")
def people(shop):
    """The domain of a company's people and of another's administrator."""
    domain = "people.example.com"
    shop.db.shell(PEOPLE % {"domain": domain, "password": PASSWORD})
    return domain


def visitor(shop, name, domain):
    """Return somebody of the company, logged in."""
    return Visitor(shop.server).log_in(f"{name}@{domain}", PASSWORD)


def rpc(shop, name, domain):
    """Return the RPC client of somebody of the company."""
    return Rpc(shop.server, f"{name}@{domain}", PASSWORD)


def role_of(shop, login):
    """Return the role of a user, and whether it is active."""
    [row] = shop.db.sql(
        "SELECT portal_role, active FROM res_users WHERE login = %s", login
    )
    return row


def test_a_company_manages_its_people(shop, open_page):
    anna = make_the_first_administrator(shop, open_page)
    for name, role in (("bob", "buyer"), ("vera", "viewer")):
        invite(anna, name, role)
        mail = shop.mailbox.wait_for_one(f"{name}@acme.example.com")
        assert "Anna invites you" in mail.message["Subject"]
        Visitor(shop.server).activate(mail, PASSWORD)
    look_at_team(shop, anna)
    order_id = buy_as(shop, "bob")
    picking, invoice = deliver(shop, order_id), invoice_of(shop, order_id)
    for name in ("anna", "bob", "vera"):
        assert sees(shop, name, order_id, picking, invoice), name
    look_as_viewer(shop, open_page, order_id)
    leave(shop, open_page)
    anna.click(".o_portal_team_leave summary")
    anna.click(".o_portal_team_leave button")
    assert "somebody else an administrator" in anna.inner_text(
        ".o_portal_team [role=alert]"
    )


def make_the_first_administrator(shop, open_page):
    """Give the customer of an order a role, on the contact; return her page."""
    login = "anna@acme.example.com"
    company = new_contact(shop.admin, "acme@acme.example.com", "Acme", is_company=True)
    customer = new_contact(shop.admin, login, "Anna", parent_id=company)
    confirm(shop, new_quotation(shop.admin, customer))
    Visitor(shop.server).activate(shop.mailbox.wait_for_one(login), PASSWORD)
    page = open_page(shop.server)
    log_in(page, "admin", "admin")
    page.goto(f"/odoo/res.partner/{customer}")
    page.locator("[name=portal_role] input, select#portal_role_0").first.click()
    page.locator(".o_select_menu_item:has-text('Administrator')").click()
    page.click(".o_form_button_save")
    eventually(lambda: role_of(shop, login)[0] == "administrator")
    keep_pictures(page, "team-1-contact")
    page.context.close()
    page = open_page(shop.server)
    log_in(page, login, PASSWORD)
    open_website(page, "/my")
    follow(page, ".o_portal_team_card a", f"**{TEAM}")
    return page


def invite(page, name, role):
    """Fill in the form to invite somebody."""
    page.fill("#team_name", name.title())
    page.fill("#team_email", f"{name}@acme.example.com")
    page.select_option("#team_role", role)
    follow(page, "button[value=invite]", f"**{TEAM}")
    assert "on its way" in page.inner_text(".o_portal_team [role=status]")


def look_at_team(shop, page):
    """See the page in three languages, on a computer and a phone."""
    before = page.viewport_size
    for lang in ("en", "de", "ar"):
        open_website(page, f"/{lang}{TEAM}" if lang != "en" else TEAM)
        direction = page.evaluate(
            "getComputedStyle(document.querySelector('h1')).direction"
        )
        assert direction == ("rtl" if lang == "ar" else "ltr")
        assert page.locator(".list-group-item").count() == 3
        keep_pictures(page, f"team-2-people-{lang}")
        for size in (before, PHONE):
            page.set_viewport_size(size)
            assert_accessible(page)
    page.set_viewport_size(before)
    open_website(page, f"/en{TEAM}")


def buy_as(shop, name):
    """Buy something in the shop, and return the order."""
    address = f"{name}@acme.example.com"
    partner = "SELECT partner_id FROM res_users WHERE login = %s"
    [belgium] = shop.admin("res.country", "search", [("code", "=", "BE")])
    values = {key: text for key, text in ADDRESS.items() if key != "name"}
    values["country_id"] = belgium
    shop.admin("res.partner", "write", [shop.db.value(partner, address)], values)
    Visitor(shop.server).log_in(address, PASSWORD).buy(shop.chair)
    return shop.db.last_order(address)


def sees(shop, name, order_id, picking, invoice):
    """Return whether somebody gets all documents of an order."""
    person = visitor(shop, name, "acme.example.com")
    listed = f"//a[contains(@href, '/my/orders/{order_id}?')]/@href"
    [link] = person.page("/my/orders").xpath(listed)
    delivery = person.page(link).xpath(
        f"//a[contains(@href, '/my/picking/pdf/{picking}')]/@href"
    )
    paths = [*delivery, f"/my/invoices/{invoice}?report_type=pdf&download=true"]
    kinds = {person.get(path).headers["Content-Type"] for path in paths}
    return bool(delivery) and kinds == {"application/pdf"}


def look_as_viewer(shop, open_page, order_id):
    """See no button to order, and whom to ask."""
    page = open_page(shop.server)
    log_in(page, "vera@acme.example.com", PASSWORD)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_website(page, f"/shop/{shop.chair[0]}")
    keep_pictures(page, "team-3-product-viewer")
    assert "ask Anna" in page.inner_text(".o_portal_viewer")
    assert not page.locator("#add_to_cart").count()
    open_website(page, "/shop")
    for shown in (".o_wsale_my_cart", ".o_wsale_product_btn_primary"):
        assert page.locator(shown).count()
        assert not page.locator(f"{shown} >> visible=true").count()
    open_website(page, f"/my/orders/{order_id}")
    keep_pictures(page, "team-4-order-viewer")
    assert not page.locator("#reorder_sidebar_button").count()
    open_website(page, "/shop/cart")
    keep_pictures(page, "team-5-own-viewer")
    assert page.url.endswith(TEAM)
    assert_accessible(page)
    assert not errors
    page.context.close()


def leave(shop, open_page):
    """Leave the team as its buyer."""
    page = open_page(shop.server)
    log_in(page, "bob@acme.example.com", PASSWORD)
    open_website(page, TEAM)
    keep_pictures(page, "team-6-own-buyer")
    page.click(".o_portal_team_leave summary")
    page.click(".o_portal_team_leave button")
    page.wait_for_url("**/web/login**")
    wait_until_ready(page)
    assert role_of(shop, "bob@acme.example.com") == ("buyer", False)


def at_once(*calls):
    """Do things at the same moment."""
    barrier = threading.Barrier(len(calls))

    def wait_and(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(wait_and, calls))


def post(person, **data):
    """Press a button of the page; return the answer."""
    return person.post(TEAM, data, form=TEAM)


def step_down(person, user_id):
    """Make an administrator, who does it, a buyer."""
    return post(person, action="role", member=f"user-{user_id}", role="buyer")


def test_two_administrators_do_not_step_down_at_once(shop, people):
    login = {name: f"{name}@{people}" for name in ("anna", "otto")}
    ids = {name: shop.db.users(login[name])[0] for name in login}
    for _round in range(4):
        for name in login:
            shop.admin(
                "res.users", "write", ids[name], {"portal_role": "administrator"}
            )
        persons = {name: visitor(shop, name, people) for name in login}
        at_once(*(partial(step_down, persons[name], ids[name]) for name in login))
        roles = [role_of(shop, login[name])[0] for name in login]
        assert sorted(roles) == ["administrator", "buyer"]
    shop.admin("res.users", "write", ids["anna"], {"portal_role": "administrator"})
    shop.admin("res.users", "write", ids["otto"], {"portal_role": False})


def test_a_limit_holds_for_invitations_at_once(shop, people):
    shop.admin("ir.config_parameter", "set_param", "sale_portal_team.open", "3")
    anna = visitor(shop, "anna", people)
    token = anna.page(TEAM).xpath("//input[@name='csrf_token']/@value")[0]

    def invite_one(number):
        data = {"action": "invite", "name": "X", "email": f"x{number}@{people}"}
        data |= {"role": "buyer", "csrf_token": token}
        cookies = anna.session.cookies
        requests.post(anna.url + TEAM, data, cookies=cookies, timeout=120)

    at_once(*(lambda number=number: invite_one(number) for number in range(8)))
    count = "SELECT count(*) FROM portal_team_request WHERE email LIKE %s"
    assert shop.db.value(count, f"x%@{people}") == 3


# Over HTTP, as JSON where the parameters are a dict: what viewers may not do.
ORDERING = (
    ("/shop/cart/add", {"product_template_id": 0, "product_id": 0, "quantity": 1}),
    ("/shop/cart/update", {"line_id": 1, "quantity": 2}),
    ("/shop/cart/quick_add", {"product_template_id": 0, "product_id": 0}),
    ("/shop/express_checkout", {"billing_address": {"country": "BE"}}),
    ("/shop/express/shipping_address_change", {"partial_delivery_address": {}}),
    ("/shop/set_delivery_method", {"dm_id": 1}),
    ("/shop/payment/transaction/{order}", {"access_token": "{token}"}),
    ("/my/orders/reorder", {"order_id": 0}),
    ("/my/orders/{order}/accept", {"name": "X", "signature": "R0lGODlh"}),
    ("/my/orders/{order}/accept", {"access_token": "{token}", "name": "X"}),
    ("/my/orders/{order}/transaction", {"access_token": "{token}"}),
    ("/my/orders/{order}/update_line_dict", {"line_id": 1}),
    ("/payment/archive_token", {"token_id": 1}),
    ("/my/orders/{order}/decline", None),
    ("/shop/address/submit", None),
)


def test_a_viewer_orders_nothing_over_http(shop, people):
    order, token = new_order(shop, people)
    vera = visitor(shop, "vera", people)
    template, product = shop.chair
    before = state(shop)
    for path, params in ORDERING:
        path = path.format(order=order)
        if params is None:
            data = {"access_token": token, "decline_message": "No", "name": "X"}
            assert vera.post(path, data).status_code == 403, path
            continue
        known = {"product_template_id": template, "product_id": product}
        known |= {"order_id": order, "access_token": token}
        params = {key: known.get(key, value) for key, value in params.items()}
        with pytest.raises(RpcError, match="AccessError"):
            vera.call(path, **params)
    for path in ("/shop/cart", "/shop/payment", "/my/payment_method", "/payment/pay"):
        assert vera.get(path).url.endswith(TEAM), path
    assert state(shop) == before


def new_order(shop, domain):
    """Return a quotation for the buyer, and its token."""
    partner = shop.db.value(
        "SELECT partner_id FROM res_users WHERE login = %s", f"bob@{domain}"
    )
    values = {"require_signature": True, "state": "sent"}
    order = new_quotation(shop.admin, partner, **values)
    shop.admin("sale.order", "get_portal_url", [order])
    token = "SELECT access_token FROM sale_order WHERE id = %s"
    return order, shop.db.value(token, order)


def state(shop):
    """Return what nobody may have changed who tried."""
    return [
        shop.db.sql(query)
        for query in (
            (
                "SELECT id, state, signed_by, partner_id, amount_total FROM sale_order"
                " ORDER BY id"
            ),
            (
                "SELECT id, active, portal_role, portal_team_id, portal_own_documents,"
                " partner_id, login, share FROM res_users ORDER BY id"
            ),
            (
                "SELECT id, name, parent_id, email, active, street FROM res_partner"
                " ORDER BY id"
            ),
            "SELECT count(*) FROM payment_transaction",
            "SELECT id, active FROM payment_token ORDER BY id",
            "SELECT id, role, email, is_withdrawn FROM portal_team_request ORDER BY id",
            "SELECT uid, gid FROM res_groups_users_rel ORDER BY uid, gid",
        )
    ]


@pytest.mark.parametrize("name", ["bob", "vera", "otto", "zoe"])
def test_nobody_else_manages_the_people_over_http(shop, people, name):
    anna, bob = (shop.db.users(f"{who}@{people}")[0] for who in ("anna", "bob"))
    person = visitor(shop, name, people)
    before = state(shop)
    request_id = shop.db.value("SELECT coalesce(max(id), 1) FROM portal_team_request")
    for action in ("role", "end", "resend", "withdraw", "nothing"):
        for key in (f"user-{anna}", f"user-{bob}", f"request-{request_id}"):
            data = {"member": key, "role": "viewer", "portal_role": "administrator"}
            answer = person.post(TEAM, {"action": action, **data})
            assert answer.status_code == (200 if name == "zoe" else 403)
    if name != "zoe":
        data = {"name": "X", "email": f"new@{people}", "role": "administrator"}
        assert person.post(TEAM, {"action": "invite", **data}).status_code == 403
    assert state(shop) == before


@pytest.mark.parametrize("name", ["anna", "bob", "vera", "zoe"])
def test_nobody_changes_anything_over_rpc(shop, people, name):
    order, _token = new_order(shop, people)
    user, bob = (shop.db.users(f"{who}@{people}")[0] for who in (name, "bob"))
    partner = shop.db.value("SELECT partner_id FROM res_users WHERE id = %s", bob)
    call = rpc(shop, name, people)
    before = state(shop)
    role = {"portal_role": "administrator"}
    for model, method, *args in (
        ("res.users", "write", [user], role),
        ("res.users", "write", [bob], {"active": False}),
        ("res.users", "write", [user], {"portal_team_id": 1}),
        ("res.users", "create", {"name": "X", "login": "x", **role}),
        ("res.users", "unlink", [bob]),
        ("res.users", "read", [user], ["portal_role"]),
        ("res.users", "_end_portal_access", [bob], 1),
        ("res.partner", "write", [partner], role),
        ("res.partner", "read", [partner], ["portal_role"]),
        ("res.partner", "create", {"name": "X", "parent_id": partner}),
        ("portal.team.request", "create", {"name": "X"}),
        ("portal.team.request", "search", []),
        ("portal.team.request", "_invite", [], 1),
        ("portal.invitation", "search", []),
        ("sale.order", "action_confirm", [order]),
        ("sale.order", "action_cancel", [order]),
        ("sale.order", "write", [order], {"state": "sale"}),
        ("sale.order", "create", {"partner_id": partner}),
        ("sale.order.line", "create", {"order_id": order}),
        ("payment.transaction", "create", {"amount": 1}),
        ("payment.token", "write", [1], {"active": False}),
        ("portal.wizard", "create", {}),
        ("res.users", "search", [("portal_role", "=", "viewer")]),
    ):
        with pytest.raises(RpcError):
            call(model, method, *args)
    assert state(shop) == before
