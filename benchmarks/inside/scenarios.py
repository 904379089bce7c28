"""The scenarios that give the customers of confirmed orders an account."""

import contextlib
import inspect
from collections.abc import Callable
from typing import NamedTuple
from unittest.mock import patch

from odoo.modules.registry import Registry

from devtools.base import ADDONS

from .transaction import request

NOTHING_DUE = """
    UPDATE portal_invitation SET due_date = NULL WHERE due_date IS NOT NULL;
    DELETE FROM ir_cron_trigger;
"""
OURS = tuple(f"odoo.addons.{name}." for name in ADDONS)


@contextlib.contextmanager
def without_addons(db):
    """Have Odoo work as if the addons were not installed, on the same database.

    Each method that an addon extends does what it would do without the addons: what
    makes creating users cheap there must not help the wizard.
    """
    with contextlib.ExitStack() as patches:
        for model in Registry(db).models.values():
            for position, definition in enumerate(model.__mro__):
                if not definition.__module__.startswith(OURS):
                    continue
                below = model.__mro__[position + 1 :]
                for name, method in vars(definition).items():
                    is_extension = any(name in vars(other) for other in below)
                    if inspect.isfunction(method) and is_extension:
                        skip = _skip(definition, name)
                        patches.enter_context(patch.object(definition, name, skip))
        yield


def _skip(definition, name):
    """Return a method that leaves out the one of a definition."""

    def skip(self, *args, **kwargs):
        return getattr(super(definition, self), name)(*args, **kwargs)

    return skip


def confirm(db, uid, order_ids):
    """Confirm orders as a salesperson does."""
    with request(db, uid) as env:
        env["sale.order"].browse(order_ids).action_confirm()


def confirm_and_grant(db, uid, order_ids):
    """Confirm orders, then go through *Grant portal access* customer by customer."""
    confirm(db, uid, order_ids)
    with request(db, uid) as env:
        partner_ids = env["sale.order"].browse(order_ids).partner_id.ids
    for partner_id in partner_ids:
        with request(db, uid) as env:
            values = {"partner_ids": [(6, 0, [partner_id])]}
            env["portal.wizard"].create(values).user_ids.action_grant_access()


class Scenario(NamedTuple):
    """The addon's setting, whose orders, and what is done with them."""

    work: Callable
    policy: str = "never"
    known: bool = False
    surroundings: Callable = contextlib.nullcontext


SCENARIOS = {
    "never": Scenario(confirm),
    "known": Scenario(confirm, "all", known=True),
    "new": Scenario(confirm, "all"),
    "wizard": Scenario(confirm_and_grant, surroundings=without_addons),
    # what "known" is compared with: the same customers
    "floor": Scenario(confirm, known=True),
}


def prepare(db, policy):
    """Set the addon's policy."""
    with request(db) as env:
        env["res.company"].search([]).portal_account_policy = policy
