"""What the tests share: database servers, a mail server and a browser."""

import pytest
from playwright.sync_api import sync_playwright

from devtools.instance import Instance

from . import browser
from .mailbox import Mailbox


@pytest.fixture(scope="session")
def shop_instance():
    """A PostgreSQL with a template database of a shop without the addon."""
    with Instance.start("shop") as instance:
        yield instance


@pytest.fixture(scope="session")
def addon_instance():
    """A PostgreSQL with a template database of a shop with the addon."""
    with Instance.start("addon") as instance:
        yield instance


@pytest.fixture(scope="module")
def mailbox():
    """A running mail server."""
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture(scope="session")
def chromium():
    """A running browser."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=browser.OPTIONS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(chromium):
    """Return a function that opens a page of a new visitor at a server's website."""
    pages = []

    def open_page(*args):
        pages.append(browser.new_page(chromium, *args))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()
