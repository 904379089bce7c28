"""What the tests share: database servers, a mail server and a browser."""

from functools import partial

import pytest

from devtools.instance import Instance
from devtools.system import chromium

from .browser import OPTIONS, new_page
from .mailbox import Mailbox


def pytest_collection_modifyitems(items):
    """Keep each module's tests on one worker, and all that use a browser on the same.

    Two browsers at once are too much for two cores.
    """
    with_browser = {item.module for item in items if "browser" in item.fixturenames}
    for item in items:
        group = "browser" if item.module in with_browser else item.module.__name__
        item.add_marker(pytest.mark.xdist_group(group))


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
