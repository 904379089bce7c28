"""What the tests share: database servers, a mail server and a browser."""

from contextlib import ExitStack
from functools import partial

import pytest

from devtools.instance import Instance
from devtools.system import chromium

from .browser import OPTIONS, new_page
from .mailbox import Mailbox
from .shop import run_shop

# Files that take longest: begun first, they leave nothing long for the end.
LONGEST = ("test_claims", "test_activation", "test_journey")


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


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
    mailbox.mend()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Have pytest-playwright start the machine's own Chromium."""
    return {
        **browser_type_launch_args,
        "executable_path": chromium(),
        "args": OPTIONS,
    }


@pytest.fixture
def open_page(new_context):
    """Return a function that opens a page of a new visitor at a server's website."""
    return partial(new_page, new_context)
