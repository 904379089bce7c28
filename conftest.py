"""What both halves of the tests share."""

import pytest

from devtools.base import lock

# Files that take longest: begun first, they leave nothing long for the end. Tours come
# before the other half has a browser.
FIRST = ("test_tours", "test_activation", "test_confirmations", "test_journey")
# Caches of what Odoo empties by name with each change; records in others may be gone.
KEPT = {"templates", "groups", "assets", "routing"}


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in FIRST)


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


@pytest.fixture(scope="class", autouse=True)
def pages_stay_compiled(pytestconfig):
    """Keep compiled pages and the like from test to test, unless one of the class
    changes what they are made from.

    Odoo empties all caches after each test, and a third of the time went into them.
    """
    if not pytestconfig.pluginmanager.hasplugin("odoo"):
        yield
        return
    from odoo.orm.registry import Registry

    clear_cache, clear_all_caches = Registry.clear_cache, Registry.clear_all_caches
    changed = set()

    def note_and_clear(registry, *names):
        changed.update(KEPT.intersection(names))
        clear_cache(registry, *names)

    def clear_what_changed(registry):
        if changed:
            clear_all_caches(registry)
        else:
            clear_cache(registry, "default", "stable")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "clear_cache", note_and_clear)
        patch.setattr(Registry, "clear_all_caches", clear_what_changed)
        yield
