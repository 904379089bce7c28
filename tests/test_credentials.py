"""At the first proof of an account, the ways into it that somebody else made end."""

import pytest

from .attacker import STOLEN, ask_for_reset, set_password
from .browser import assert_accessible, follow, keep_pictures, log_in, open_website
from .client import Visitor
from .credentials import (
    ApiKey,
    Passkey,
    ProviderLogin,
    SecondFactor,
    call_with_password,
    is_asked_for_code,
    login_of,
    run_provider,
)
from .shop import confirm, quote, run_shop

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
SESSION = "Logged in"
DEVICE = "Trusted device"
LISTED = ".o_portal_unproven label"


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop with free sign-up, API keys and logins of a provider."""
    with run_shop(addon_instance, mailbox, "credentials", install_oauth) as shop:
        websites = shop.admin("website", "search", [])
        shop.admin("website", "write", websites, {"auth_signup_uninvited": "b2c"})
        shop.admin("ir.config_parameter", "set_param", "portal.allow_api_keys", "1")
        with run_provider(shop) as shop.provider:
            yield shop


def install_oauth(db):
    """Install the module that a new shop has not: all others come by themselves."""
    db.instance.odoo_command(["--init=auth_oauth"], db=db.name)
    modules = "auth_oauth", "auth_passkey_portal", "auth_totp_portal"
    query = "SELECT name FROM ir_module_module WHERE state = 'installed' AND name IN %s"
    assert len(db.sql(query, modules)) == len(modules)


@pytest.mark.parametrize("kept", [False, True], ids=["removed", "kept"])
@pytest.mark.parametrize("way", [ApiKey, Passkey, ProviderLogin])
def test_a_way_in_from_before_works_only_if_the_customer_keeps_it(
    shop, open_page, way, kept
):
    address = f"{way.__name__}.{kept}@example.com".lower()
    planted = way(shop, open_page, address, STOLEN)
    assert planted.log_in() == address
    set_password(shop, ask_for_reset(shop, address, address), PASSWORD)
    assert planted.log_in() == address
    page = open_page(shop.server)
    log_in(page, address, PASSWORD)
    open_proof(shop, page, address)
    assert page.locator(LISTED, has_text=way.kind).count() == 1
    assert_accessible(page)
    keep_pictures(page, f"credentials-{way.__name__.lower()}")
    prove(page, [way.kind] if kept else [])
    assert planted.log_in() == (address if kept else None)


@pytest.mark.parametrize(
    "kept",
    [(), (ProviderLogin.kind,), (ProviderLogin.kind, SESSION)],
    ids=["neither", "login", "both"],
)
def test_a_session_from_before_goes_on_only_if_it_is_kept_with_its_login(
    shop, open_page, kept
):
    address = f"session.{len(kept)}@example.com"
    planted = ProviderLogin(shop, open_page, address, STOLEN)
    set_password(shop, ask_for_reset(shop, address, address), PASSWORD)
    thief = planted.visit()
    assert login_of(thief) == address
    page = open_page(shop.server)
    log_in(page, address, PASSWORD)
    open_proof(shop, page, address)
    prove(page, kept)
    assert login_of(thief) == (address if SESSION in kept else None)


@pytest.mark.parametrize(
    ("kept", "is_asked", "is_trusted"),
    [
        ((), False, False),
        ((SecondFactor.kind,), True, False),
        ((SecondFactor.kind, DEVICE), True, True),
    ],
    ids=["neither", "factor", "both"],
)
def test_second_factor_and_trusted_device_are_kept_one_by_one(
    shop, open_page, kept, is_asked, is_trusted
):
    address = f"second.factor.{len(kept)}@example.com"
    assert Visitor(shop.server).sign_up(address, PASSWORD)
    factor = SecondFactor(shop, address, PASSWORD)
    device = factor.trust_device()
    assert not is_asked_for_code(device, address, PASSWORD)
    page = open_page(shop.server)
    log_in_with_code(page, address, factor)
    open_proof(shop, page, address)
    prove(page, kept)
    assert is_asked_for_code(Visitor(shop.server), address, PASSWORD) is is_asked
    if not is_asked:
        SecondFactor(shop, address, PASSWORD)
    assert is_asked_for_code(device, address, PASSWORD) is not is_trusted


def test_second_factor_of_somebody_else_keeps_the_customer_out_until_staff_end_it(
    shop, open_page
):
    address = "locked.out@example.com"
    assert Visitor(shop.server).sign_up(address, STOLEN)
    device = SecondFactor(shop, address, STOLEN).trust_device()
    set_password(shop, ask_for_reset(shop, address, address), PASSWORD)
    assert login_of(device) is None
    assert is_asked_for_code(Visitor(shop.server), address, PASSWORD)
    call_with_password(
        shop.admin, "admin", "res.users", "action_totp_disable", shop.db.users(address)
    )
    page = open_page(shop.server)
    log_in(page, address, PASSWORD)
    open_proof(shop, page, address)
    assert not page.locator(LISTED, has_text=DEVICE).count()


@pytest.mark.parametrize("spelling", [str, str.upper])
def test_provider_lets_nobody_into_an_account_that_waits_for_its_customer(
    shop, open_page, spelling
):
    address = f"invited.{spelling.__name__}@example.com"
    confirm(shop, quote(shop, address))
    mail = shop.mailbox.wait_for_one(address)
    planted = ProviderLogin(shop, open_page, spelling(address), STOLEN)
    assert planted.log_in() is None
    assert "/my/orders/" in Visitor(shop.server).activate(mail, PASSWORD).url
    assert planted.log_in() is None


def log_in_with_code(page, login, factor):
    """Log in by the login form and the one for the code."""
    open_website(page, "/web/login")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]:has-text('Log in')")
    page.fill("#totp_token", factor.code())
    follow(page, "button[type=submit]:has-text('Log in')", "**/my")


def open_proof(shop, page, address):
    """Have a customer who is logged in open the link that proves the mailbox."""
    open_website(page, "/web/portal/missing")
    page.click(".o_portal_missing_orders button")
    page.wait_for_selector(".o_portal_missing_orders [role=status]")
    open_website(page, shop.mailbox.wait_for_one(address, "Find your orders").link)


def prove(page, kept):
    """Click the button there, and keep all that is listed of some kinds."""
    for kind in kept:
        for label in page.locator(LISTED, has_text=kind).all():
            label.check()
    follow(page, ".o_portal_missing_orders button", "**/my/orders")
