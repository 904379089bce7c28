"""The page that the link in an invitation opens, in each state and three languages."""

import polib
import pytest

from devtools.base import ADDON, PROJECT

from .attacker import links_in
from .browser import (
    PASSWORD_FORM,
    PHONE,
    SCREENS,
    assert_accessible,
    choose_password,
    follow,
    keep_picture,
    log_in,
    open_website,
    wait_until_ready,
)
from .client import Visitor, new_contact, new_quotation
from .shop import confirm, expire_links, run_shop

PASSWORD = "correct horse battery"
LANGUAGES = {"en": "en_US", "fr": "fr_FR", "ar": "ar_001"}


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A running shop."""
    with run_shop(addon_instance, mailbox, "activation") as shop:
        yield shop


@pytest.fixture(
    params=[
        "en",
        *(pytest.param(lang, marks=pytest.mark.slow) for lang in ("fr", "ar")),
    ]
)
def lang(request):
    """A language of the shop, as its addresses begin."""
    return request.param


def invite(shop, name, lang="en"):
    """Return the invitation of a new customer."""
    address = f"{name}.{lang}@example.com"
    contact_id = new_contact(shop.admin, address, lang=LANGUAGES[lang])
    confirm(shop, new_quotation(shop.admin, contact_id))
    return shop.mailbox.wait_for_one(address)


def assert_page(page, lang, heading, picture):
    """Check what the page shows on a computer and a phone, and keep pictures of it.

    :param heading: in English
    """
    title = page.get_by_role("heading", level=1)
    title.wait_for()
    before = page.viewport_size
    for screen, size in SCREENS.items():
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        keep_picture(page, f"activate-{picture}-{lang}-{screen}")
        assert_accessible(page)
    page.set_viewport_size(before)
    assert title.inner_text() == translate(heading, lang)
    assert page.get_attribute("html", "lang").startswith(lang)
    is_rtl = page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert is_rtl == (lang == "ar")
    company = page.locator(".o_portal_activate p").first
    assert company.inner_text() == "YourCompany"


def translate(text, lang):
    """Return a text of the addon in a language."""
    if lang == "en":
        return text
    return polib.pofile(PROJECT / ADDON / "i18n" / f"{lang}.po").find(text).msgstr


def press_button(page):
    """Press the button that sends the form and wait for the next page."""
    with page.expect_navigation():
        page.click(".o_portal_activate button[type=submit]")
    wait_until_ready(page)


def test_a_new_link_asks_for_a_password(shop, open_page, lang):
    mail = invite(shop, "new", lang)
    page = open_page(shop.server)
    open_website(page, mail.link)
    assert_page(page, lang, "Activate your account", "new")
    assert mail.recipients[0] in page.inner_text(".o_portal_activate")
    for name in ("password", "confirm_password"):
        field = page.locator(f"{PASSWORD_FORM} input[name={name}]")
        assert field.get_attribute("autocomplete") == "new-password"
    login = page.locator(f"{PASSWORD_FORM} [autocomplete=username]")
    assert login.input_value() == mail.recipients[0]
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=confirm_password]", "something else")
    press_button(page)
    page.get_by_role("alert").wait_for()
    assert_page(page, lang, "Activate your account", "differs")
    choose_password(
        page, "/web/portal/activate", PASSWORD, f"activate-corrected-{lang}"
    )


def test_a_used_link_leads_to_the_login_form(shop, open_page, lang):
    mail = invite(shop, "used", lang)
    Visitor(shop.server).activate(mail, PASSWORD)
    page = open_page(shop.server)
    open_website(page, mail.link)
    assert_page(page, lang, "Your account is active", "used")
    follow(page, ".o_portal_activate a.btn", "**/web/login?**")
    page.fill("#login", mail.recipients[0])
    page.fill("#password", PASSWORD)
    follow(page, "form.oe_login_form button[type=submit]", "**/my/orders")


def test_an_expired_link_sends_a_new_one_that_works(shop, open_page, lang):
    with expire_links(shop):
        mail = invite(shop, "expired", lang)
    shop.db.pass_time(days=1)
    [address] = mail.recipients
    page = open_page(shop.server)
    open_website(page, mail.link)
    assert_page(page, lang, "This link has expired", "expired")
    press_button(page)
    assert_page(page, lang, "Check your email", "renewed")
    page.reload()
    new = shop.mailbox.wait(address, count=2)[-1]
    page = open_page(shop.server, PHONE)
    choose_password(page, new.link, PASSWORD, f"activate-again-{lang}")
    assert len(shop.mailbox.invitations(address)) == 2
    open_website(page, mail.link)
    assert "/my/orders/" in page.url


def test_somebody_else_is_asked_before_being_logged_out(shop, open_page, lang):
    mail = invite(shop, "invited", lang)
    page = open_page(shop.server)
    log_in(page, "portal", "portal")
    open_website(page, mail.link)
    assert_page(page, lang, "You are logged in", "other-user")
    text = page.inner_text(".o_portal_activate")
    assert "portal" in text and mail.recipients[0] in text
    open_website(page, "/my")
    assert "/web/login" not in page.url, "still logged in"
    open_website(page, "/web/portal/activate")
    press_button(page)
    choose_password(page, "/web/portal/activate", PASSWORD, f"activate-switched-{lang}")
    Visitor(shop.server).log_in(mail.recipients[0], PASSWORD)
    Visitor(shop.server).log_in("portal", "portal")


def test_a_wrong_link_says_so(shop, open_page, lang):
    page = open_page(shop.server)
    open_website(page, f"/{lang}/shop")
    open_website(page, "/web/portal/activate?token=wrong")
    assert_page(page, lang, "This link does not work", "invalid")
    assert not page.locator(".o_portal_activate button").count()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_page_that_another_browser_opens_asks_for_the_link(shop, open_page, screen):
    """Mail programs on phones open a link in a browser of their own; "open in Safari"
    takes along the address of the page, and none of its cookies."""
    mail = invite(shop, f"in-app-{screen}")
    in_app = open_page(shop.server, SCREENS[screen])
    open_website(in_app, mail.link)
    page = open_page(shop.server, SCREENS[screen])
    open_website(page, in_app.url)
    assert_page(page, "en", "Open the link in our email again", "in-app")
    choose_password(page, mail.link, PASSWORD, f"activate-in-app-{screen}")
    notice = page.locator(".o_portal_notice")
    assert mail.recipients[0] in notice.inner_text()
    assert_accessible(page, ".o_portal_notice")
    keep_picture(page, f"activate-order-{screen}")
    # the page that was left open, once its browser has forgotten the link
    in_app.context.clear_cookies()
    in_app.fill("input[name=password]", PASSWORD)
    in_app.fill("input[name=confirm_password]", PASSWORD)
    press_button(in_app)
    assert in_app.get_by_role("alert").inner_text() == "Your password was not saved."
    assert_page(in_app, "en", "Open the link in our email again", "late")


def test_two_links_in_two_tabs_are_not_mixed_up(shop, open_page):
    first, second = invite(shop, "tab-one"), invite(shop, "tab-two")
    page = open_page(shop.server)
    open_website(page, first.link)
    other = page.context.new_page()
    open_website(other, second.link)
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=confirm_password]", PASSWORD)
    press_button(page)
    assert second.recipients[0] in page.get_by_role("alert").inner_text()
    assert_page(page, "en", "Activate your account", "two-tabs")
    choose_password(other, "/web/portal/activate", PASSWORD, "activate-tab")
    press = page.locator("input[name=password]")
    press.fill("another password")
    page.fill("input[name=confirm_password]", "another password")
    follow(page, f"{PASSWORD_FORM} button[type=submit]", "**/my/orders/*")
    assert "has not changed" in page.inner_text(".o_portal_notice")
    Visitor(shop.server).log_in(second.recipients[0], PASSWORD)


def test_the_decline_page_lets_keep_the_account(shop, open_page):
    mail = invite(shop, "keeps")
    page = open_page(shop.server, PHONE)
    open_website(page, links_in(mail, "/decline")[0])
    keep_picture(page, "decline-ask-phone")
    assert_accessible(page)
    follow(page, "a:has-text('Keep the account')", "**/decline?action=keep")
    keep_picture(page, "decline-kept-phone")
    assert page.get_by_role("heading", level=1).inner_text() == "Your account stays"
    choose_password(page, mail.link, PASSWORD, "activate-kept")


def test_a_password_can_be_shown_while_it_is_typed(shop, open_page):
    page = open_page(shop.server, PHONE)
    open_website(page, invite(shop, "shown").link)
    page.fill("input[name=password]", PASSWORD)
    page.locator(".o_show_password").first.click()
    assert page.locator("input[name=password]").get_attribute("type") == "text"
    keep_picture(page, "activate-shown-phone")


@pytest.mark.slow
def test_a_password_policy_is_shown_and_followed(new_shop, open_page):
    """The policy is in the page, and on the server for those who go around the page."""
    shop = new_shop("policy", prepare=install_password_policy)
    mail = invite(shop, "policy")
    visitor = Visitor(shop.server)
    assert "at least 12 characters" in visitor.activate(mail, "short").text
    page = open_page(shop.server)
    open_website(page, mail.link)
    page.fill("input[name=password]", "longer than it has to be")
    assert_page(page, "en", "Activate your account", "policy")
    assert "12 characters" in page.inner_text(PASSWORD_FORM)
    choose_password(page, "/web/portal/activate", PASSWORD, "activate-policy")


def install_password_policy(db):
    """Install Odoo's module for rules on passwords."""
    db.instance.odoo_command(["--init=auth_password_policy"], db=db.name)
    db.shell(
        'env["ir.config_parameter"].set_param("auth_password_policy.minlength", 12)'
    )


def test_the_reminder_and_the_first_link_both_work(shop):
    first = invite(shop, "reminded")
    [address] = first.recipients
    shop.db.pass_time(days=4)
    domain = [("name", "=", "ir_cron_portal_reminder")]
    [job] = shop.admin("ir.model.data", "search_read", domain, ["res_id"])
    shop.admin("ir.cron", "method_direct_trigger", [job["res_id"]])
    reminder = shop.mailbox.wait_for_one(address, "Reminder: activate your account at")
    for mail in (first, reminder):
        page = Visitor(shop.server).session.get(mail.link)
        assert "confirm_password" in page.text
    assert "/my/orders/" in Visitor(shop.server).activate(first, PASSWORD).url
    for mail in (first, reminder):
        page = Visitor(shop.server).session.get(mail.link)
        assert "Your account is active" in page.text
