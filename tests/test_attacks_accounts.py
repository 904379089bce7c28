"""Attacks on what is left of an account that ended, and on what was planted in one
before its owner proved the mailbox.

Odoo alone makes no account of a guest's order, and it promises nothing of a proof.
"""

import re

import pytest

from .attacker import (
    HIDDEN,
    PASSWORD,
    STOLEN,
    account_policy,
    ask_for_reset,
    contact_of,
    customer_of,
    delete_account,
    delete_account_for_good,
    email_of,
    in_accounts,
    join,
    links_in,
    merge,
    missing_orders_link,
    move,
    new_api_key,
    newest_order,
    orders_by_key,
    orders_of,
    past_order,
    prove,
    reset_password,
    run_attacked_shop,
    run_daily_jobs,
    set_password,
    sign_up_by,
    signup_links,
)
from .carts import (
    activate_with_planted,
    charge,
    edit,
    leave_cart,
    opens,
    order_by_phone,
    register,
    save_card,
    token_of,
)
from .client import Visitor, new_contact, new_quotation
from .shop import confirm

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["addon", "odoo"])
def shop(request, mailbox):
    """A running shop that saves cards, with the addon or without it."""
    with run_attacked_shop(request, mailbox, "accounts") as shop:
        shop.demo = shop.admin("payment.provider", "search", [("code", "=", "demo")])[0]
        values = {"allow_tokenization": True}
        shop.admin("payment.provider", "write", [shop.demo], values)
        # whoever has the address of an order's invoices gets a link to sign up
        shop.admin("ir.config_parameter", "set_param", "sale.automatic_invoice", "True")
        yield shop


@pytest.fixture
def addon(shop):
    """The shop with the addon, for what Odoo alone does not have."""
    if not shop.is_addon:
        pytest.skip("Odoo alone has no proof, and adds no order to an account")
    return shop


def delete(_shop, customer, address):
    """End an account as its customer."""
    delete_account(customer, address)


def archive(shop, _customer, address):
    """End an account as staff."""
    shop.admin("res.users", "write", shop.db.users(address), {"active": False})


ENDS = pytest.mark.parametrize("end", [delete, delete_account_for_good, archive])


@ENDS
def test_the_link_of_a_guest_order_reaches_no_card_of_an_ended_account(shop, end):
    address = f"card.{end.__name__}@example.com"
    stranger = Visitor(shop.server)
    page = stranger.check_out(shop.chair, address)
    token = token_of(page)
    stranger.pay(page)
    order_id = newest_order(shop)
    customer = join(shop, address)
    card = save_card(shop, customer)
    path = f"/my/orders/{order_id}"
    assert not charge(shop, stranger, f"{path}/transaction", token, card)
    end(shop, customer, address)
    page = stranger.page(f"{path}?access_token={token}&payment_amount=63")
    assert not page.xpath("//input[@data-payment-option-type='token']")
    assert not charge(shop, stranger, f"{path}/transaction", token, card)


@ENDS
def test_no_link_of_a_guest_order_signs_up_for_an_ended_account(shop, end):
    address, stranger = f"signup.{end.__name__}@example.com", Visitor(shop.server)
    with account_policy(shop, "never"):
        stranger.buy(shop.chair, address)
    order_id = newest_order(shop)
    [kept] = signup_links(stranger)
    by_phone = new_quotation(shop.admin, customer_of(shop, order_id))
    confirm(shop, by_phone)
    customer = join(shop, address)
    customer.buy(shop.chair)
    end(shop, customer, address)
    for number, link in enumerate([kept, *signup_links(stranger)]):
        thief = f"{number}.{address.replace('example.com', 'evil.test')}"
        visitor = sign_up_by(shop, link, thief)
        # in Odoo alone, the contact had no account: the first to sign up has it
        own = set() if shop.is_addon or number else {order_id, by_phone}
        assert orders_of(shop, thief) == own
        assert HIDDEN not in visitor.get("/my/account").text


@ENDS
def test_the_cart_of_a_guest_opens_no_ended_account(shop, end):
    address = f"cart.{end.__name__}@example.com"
    cart = leave_cart(shop, Visitor(shop.server), address)
    confirm(shop, new_quotation(shop.admin, cart.partner))
    customer = join(shop, address)
    partner = contact_of(shop, address)
    assert not opens(cart)
    end(shop, customer, address)
    assert not opens(cart)
    edit(cart, "thief@evil.test")
    # Odoo deletes a contact without orders with its user
    assert email_of(shop, partner) in (address, None)


@pytest.mark.parametrize("plant", [register, order_by_phone])
def test_a_cart_from_before_the_proof_opens_no_account(shop, plant):
    address, thief = f"{plant.__name__}@example.com", f"{plant.__name__}@evil.test"
    past = past_order(shop, address)
    cart = plant(shop, address)
    prove(shop, address)
    assert opens(cart) is not shop.is_addon
    edit(cart, thief)
    assert (email_of(shop, cart.partner) == address) is shop.is_addon
    if link := ask_for_reset(shop, address, thief):
        set_password(shop, link)
    seen = orders_of(shop, address)
    assert past not in seen
    assert bool(seen) is not shop.is_addon


def test_a_planted_cart_shows_nothing_of_the_order_it_becomes(shop):
    address = "becomes.order@example.com"
    cart = register(shop, address)
    prove(shop, address).buy(shop.chair)
    page = cart.visitor.get(f"/my/orders/{cart.id}?access_token={cart.token}").text
    assert (HIDDEN in page) is not shop.is_addon


@pytest.mark.parametrize(
    "path", ["/my/orders/{}?access_token={}", "/shop/confirmation"]
)
def test_the_cart_of_a_guest_shows_nothing_of_the_order_it_becomes(addon, path):
    address = f"resumed.{len(path)}@example.com"
    cart = leave_cart(addon, Visitor(addon.server), address)
    confirm(addon, new_quotation(addon.admin, cart.partner))
    join(addon, address).buy(addon.chair)
    assert newest_order(addon) != cart.id
    assert HIDDEN not in cart.visitor.get(path.format(cart.id, cart.token)).text


def test_no_visitor_with_a_cart_pays_with_the_card_of_a_proven_account(shop):
    address = "card.of.proven@example.com"
    assert Visitor(shop.server).sign_up(address, STOLEN)
    customer = prove(shop, address)
    card = save_card(shop, customer)
    cart = leave_cart(shop, customer)
    cart.visitor = Visitor(shop.server)
    assert opens(cart) is not shop.is_addon
    path = f"/shop/payment/transaction/{cart.id}"
    charged = charge(shop, cart.visitor, path, cart.token, card, cart.amount)
    assert charged is not shop.is_addon


def test_no_guest_pays_with_the_card_of_the_account_they_are_merged_into(shop):
    address, stranger = "card.after.merge@example.com", Visitor(shop.server)
    assert Visitor(shop.server).sign_up(address, STOLEN)
    customer = prove(shop, address)
    card = save_card(shop, customer)
    page = stranger.check_out(shop.chair, address)
    token = token_of(page)
    stranger.pay(page)
    order_id = newest_order(shop)
    path = f"/my/orders/{order_id}/transaction"
    assert not charge(shop, stranger, path, token, card)
    merge(shop, customer_of(shop, order_id), contact_of(shop, address))
    assert charge(shop, stranger, path, token, card) is not shop.is_addon


def test_addresses_planted_in_an_account_get_nothing_after_the_proof(shop):
    address, thief = "planted.inside@example.com", f"{shop.db.name}@evil.test"
    attacker = Visitor(shop.server)
    assert attacker.sign_up(address, STOLEN)
    move(shop, attacker, address, "1 Evil Road")
    planted = {"use_delivery_as_billing": "false", "form": "/my/account", "to": "/my"}
    attacker.give_address(thief, name="Planted Bill", **planted)
    planted["address_type"] = "delivery"
    attacker.give_address(address, name="Planted Delivery", **planted)
    attacker.buy(shop.chair)
    [link] = links_in(shop.mailbox.wait(thief, "auth_signup_token")[0], "signup_token")
    token = re.search("auth_signup_token=([^&]*)", link)[1]
    sign_up_by(shop, f"/web/signup?token={token}", thief)
    if shop.is_addon:
        reset_password(shop, address)
        customer = Visitor(shop.server).log_in(address, PASSWORD)
        link = missing_orders_link(shop, customer, address)
        page = customer.session.get(link, timeout=120).text
        assert all(name in page for name in ("Planted Bill", "Planted Delivery"))
    prove(shop, address).buy(shop.chair)
    order_id, names = newest_order(shop), ["partner_invoice_id", "partner_shipping_id"]
    [order] = shop.admin("sale.order", "read", [order_id], names)
    used = {order[name][0] for name in names}
    assert (used == {contact_of(shop, address)}) is shop.is_addon
    assert (order_id in orders_of(shop, thief)) is not shop.is_addon


def test_thousands_of_planted_addresses_are_one_item(addon):
    _queries, listed = activate_with_planted(addon, "thousands@example.com", 2000)
    assert listed == 21


def test_planted_addresses_cost_no_query_each(addon):
    few, _listed = activate_with_planted(addon, "few@example.com", 25)
    many, _listed = activate_with_planted(addon, "many@example.com", 500)
    assert many < 2 * few


@pytest.mark.parametrize("how", ["written", "merged"])
def test_claims_and_proof_end_with_another_email(addon, how):
    address, thief = f"{how}@example.com", f"{how}@evil.test"
    past = past_order(addon, address)
    assert Visitor(addon.server).sign_up(address, STOLEN)
    prove(addon, address)
    assert in_accounts(addon, past) == [past]
    partner = contact_of(addon, address)
    if how == "written":
        addon.admin("res.partner", "write", [partner], {"email": thief})
    else:
        merge(addon, partner, new_contact(addon.admin, thief, "Thief"))
        run_daily_jobs(addon)
    assert not in_accounts(addon, past)
    set_password(addon, ask_for_reset(addon, thief, thief))
    assert past not in orders_of(addon, address)
    later = past_order(addon, address)
    [order] = addon.admin("sale.order", "read", [later], ["portal_proof_date"])
    assert not order["portal_proof_date"]


def test_a_proof_does_not_come_back_with_the_email(addon):
    address, thief = "comes.back@example.com", "comes.back@evil.test"
    past = past_order(addon, address)
    assert Visitor(addon.server).sign_up(address, STOLEN)
    prove(addon, address)
    partner = contact_of(addon, address)
    addon.admin("res.partner", "write", [partner], {"email": thief})
    set_password(addon, ask_for_reset(addon, thief, thief))
    key = new_api_key(addon, address)
    addon.admin("res.partner", "write", [partner], {"email": address})
    prove(addon, address)
    assert in_accounts(addon, past) == [past]
    assert past not in orders_by_key(addon, key)
