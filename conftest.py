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


@pytest.fixture(scope="class", autouse=True)
def pages_stay_compiled(pytestconfig):
    """Keep compiled pages from test to test, unless one of the class changes a view.

    Odoo empties all caches after each test, and compiling took a fifth of the time.
    """
    if not pytestconfig.pluginmanager.hasplugin("odoo"):
        yield
        return
    from odoo.orm.registry import Registry

    clear_cache, clear_all_caches = Registry.clear_cache, Registry.clear_all_caches
    changed = set()

    def note_and_clear(registry, *names):
        changed.update({"templates", "groups"}.intersection(names))
        clear_cache(registry, *names)

    def clear_what_changed(registry):
        if changed:
            clear_all_caches(registry)
        else:
            clear_cache(registry, "default", "assets", "stable", "routing")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "clear_cache", note_and_clear)
        patch.setattr(Registry, "clear_all_caches", clear_what_changed)
        yield
