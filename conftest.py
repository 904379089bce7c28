"""What both halves of the tests share."""

import pytest

from devtools.base import lock


@pytest.fixture(autouse=True)
def browser_alone_for_a_tour(request):
    """Let no other test have a browser during a tour.

    The halves run beside each other, and on two cores a page is soon too slow for the
    patience of a tour.
    """
    is_tour = "Tour" in request.node.nodeid
    if is_tour or "new_context" in request.fixturenames:
        with lock("browser", shared=not is_tour):
            yield
    else:
        yield
