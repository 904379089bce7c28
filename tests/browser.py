"""A real Chromium, and pictures of what it shows."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

from .client import ADDRESS

# where `make pictures` keeps pictures; other runs take none
SCREENSHOTS = os.environ.get("PICTURES") and Path(os.environ["PICTURES"])
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 900}
WIDE = {"width": 1600, "height": 900}
PHONE = {"width": 390, "height": 844}
SCREENS = {"desktop": DESKTOP, "phone": PHONE}
# the message on the page after a purchase
MESSAGE = ".o_portal_account_created"
PASSWORD_FORM = "form.o_portal_activate_form"


def new_page(new_context, server=None, viewport=DESKTOP):
    """Open a page of a new visitor at a server's website.

    :param new_context: a function that opens an incognito window
    """
    context = new_context(
        viewport=viewport,
        base_url=server and server.url,
        locale="en-US",
        reduced_motion="reduce",
        is_mobile=viewport is PHONE,
        has_touch=viewport is PHONE,
        # one that is just being installed can hold up the next page for ever
        service_workers="block",
    )
    # much else may run on the machine
    context.set_default_timeout(180_000)
    return context.new_page()


def keep_picture(page, name, full_page=False):
    """Keep a picture of a page in a file named `name`, in `make pictures`."""
    if SCREENSHOTS:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)


def keep_pictures(page, name):
    """Keep pictures of a page as a computer and as a phone shows it."""
    if not SCREENSHOTS:
        return
    before = page.viewport_size
    for screen, size in SCREENS.items():
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        keep_picture(page, f"{name}-{screen}")
    page.set_viewport_size(before)


def open_website(page, address):
    """Open an address of the website and wait until its buttons work."""
    page.goto(address)
    wait_until_ready(page)


def follow(page, selector, address):
    """Click what leads to an address of the website and wait until that works."""
    page.click(selector)
    page.wait_for_url(address)
    wait_until_ready(page)


def wait_until_ready(page):
    """Wait for a page of the website to hear clicks: its scripts come after it."""
    page.wait_for_selector("body[is-ready=true]")


def log_in(page, login, password):
    """Log in by the login form."""
    open_website(page, "/web/login")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("button[type=submit]:has-text('Log in')")
    page.wait_for_url(lambda url: "/web/login" not in url)


def check_out(page, product_id, address, pictures, lang="en"):
    """Buy a product as a guest and pay with the demo provider.

    :param pictures: the start of the names of the pictures
    """
    go_on = "a[name=website_sale_main_button]:visible"
    open_website(page, f"/{lang}/shop/{product_id}")
    page.click("#add_to_cart")
    page.wait_for_selector(".my_cart_quantity:visible:has-text('1')")
    open_website(page, f"/{lang}/shop/cart")
    keep_pictures(page, f"{pictures}-1-cart")
    follow(page, go_on, "**/shop/address**")
    country = page.get_attribute("#o_country_id option[code=BE]", "value")
    page.select_option("#o_country_id", country)
    for name, value in {**ADDRESS, "email": address}.items():
        page.fill(f"form.address_autoformat input[name={name}]", value)
    keep_pictures(page, f"{pictures}-2-address")
    follow(page, go_on, "**/shop/checkout**")
    follow(page, go_on, "**/shop/payment")
    pay(page, f"{pictures}-3-payment")
    page.wait_for_url("**/shop/confirmation")


def pay(page, picture=None):
    """Pay with the demo provider on a page with the payment form."""
    option = "[name=o_payment_option]:has([data-provider-code=demo])"
    page.click(f"{option} .o_payment_option_label:visible")
    page.fill("input[name=customer_input]", "4242424242424242")
    if picture:
        keep_pictures(page, picture)
    page.click("button[name=o_payment_submit_button]:visible")


def sign(page):
    """Sign a quotation on its page, with the customer's name as it is."""
    # The dialog empties and redraws the signature when its opening has come to an end.
    page.evaluate(
        "document.querySelector('#modalaccept').addEventListener('shown.bs.modal',"
        " (event) => { event.target.dataset.shown = 1; })"
    )
    page.click("a:has-text('Accept & Sign'):visible")
    page.wait_for_selector("#modalaccept[data-shown]")
    page.wait_for_function(
        "((pad) => pad?.getContext('2d').getImageData(0, 0, pad.width, pad.height)"
        ".data.some(Boolean))(document.querySelector('canvas.o_web_sign_signature'))"
    )
    page.click(".o_portal_sign_submit:enabled")


def choose_password(page, link, password, pictures):
    """Follow the link of an invitation and choose a password."""
    open_website(page, link)
    page.wait_for_selector(PASSWORD_FORM)
    assert "token" not in page.url
    keep_pictures(page, f"{pictures}-1-password")
    page.fill("input[name=password]", password)
    page.fill("input[name=confirm_password]", password)
    follow(page, f"{PASSWORD_FORM} button[type=submit]", "**/my/orders/*")


def assert_accessible(page, part="#wrap"):
    """Check a page, or the addon's part of it, by axe-core, and that it fits."""
    assert (
        page.evaluate("document.documentElement.scrollWidth")
        <= (page.viewport_size["width"])
    )
    # The colours of the password meter are Odoo's.
    context = {"include": part, "exclude": ".o_password_meter_container"}
    results = Axe().run(page, context)
    assert not results.violations_count, results.generate_report()
