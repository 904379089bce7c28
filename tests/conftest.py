"""What the tests share: database servers, a mail server and a browser."""

import shutil
from contextlib import ExitStack
from functools import partial

import pytest

from devtools.instance import Instance

from .browser import OPTIONS, new_page
from .mailbox import Mailbox
from .shop import run_shop


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


@pytest.fixture
def new_shop(addon_instance, mailbox):
    """Return a function that runs a new shop with the addon."""
    with ExitStack() as shops:

        def new_shop(name, instance=addon_instance, **options):
            return shops.enter_context(run_shop(instance, mailbox, name, **options))

        yield new_shop
    mailbox.recover()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Have pytest-playwright start the machine's own Chromium without a window."""
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium-headless-shell"),
        "args": OPTIONS,
    }


@pytest.fixture
def open_page(new_context):
    """Return a function that opens a page of a new visitor at a server's website."""
    return partial(new_page, new_context)
