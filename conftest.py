"""What both halves of the tests share."""

import pytest

from devtools.base import lock

# Files that take longest: begun first, they leave nothing long for the end. Tours come
# before the other half has a browser.
FIRST = ("test_tours", "test_activation", "test_confirmations", "test_journey")


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in FIRST)


@pytest.fixture(autouse=True)
def browser_alone_for_a_tour(request):
    """Let no other test have a browser during a tour.

    The halves run beside each other, and on two cores a page soon exceeds a
    tour's timeout.
    """
    is_tour = "Tour" in request.node.nodeid
    if is_tour or "new_context" in request.fixturenames:
        with lock("browser", shared=not is_tour):
            yield
    else:
        yield
