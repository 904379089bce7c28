"""What both halves of the tests share."""

import pytest

from devtools.base import lock


@pytest.fixture(autouse=True)
def one_browser_at_a_time(request):
    """Let one test alone have a browser.

    The halves run beside each other, and on two cores a page is soon too slow for the
    patience of a tour.
    """
    if "new_context" in request.fixturenames or "Tour" in request.node.nodeid:
        with lock("browser"):
            yield
    else:
        yield
