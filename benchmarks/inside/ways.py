"""The ways to give the customers of confirmed orders an account."""

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from odoo.modules.registry import Registry

from .requests import request

ADDON = "odoo.addons.sales_confirm_user_create."
CRON = "sales_confirm_user_create.ir_cron_portal_invitation"


@contextlib.contextmanager
def without_addon(db):
    """Have Odoo work as if the addon were not installed, on the same database.

    Each method that the addon extends does what it would do without the addon: what
    the addon does to make creating users cheap must not help its competitors.
    """
    with contextlib.ExitStack() as patches:
        for model in Registry(db).models.values():
            for definition in model.__mro__:
                if definition.__module__.startswith(ADDON):
                    for name, function in vars(definition).items():
                        if inspect.isfunction(function) and _is_extension(
                            model, definition, name
                        ):
                            patches.enter_context(
                                patch.object(definition, name, _skip(definition, name))
                            )
        yield


def _is_extension(model, definition, name):
    """Tell whether a method of a definition has another one below it."""
    below = model.__mro__[model.__mro__.index(definition) + 1 :]
    return any(name in vars(other) for other in below)


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
            wizard = env["portal.wizard"].create(
                {"partner_ids": [(6, 0, [partner_id])]}
            )
            wizard.user_ids.action_grant_access()


def confirm_plainly(db, uid, order_ids):
    """Confirm orders as with many an addon: search, copy the template, mail at once."""
    with request(db, uid) as env:
        orders = env["sale.order"].browse(order_ids)
        orders.action_confirm()
        template = env.ref("auth_signup.portal_set_password_email").sudo()
        Users = env["res.users"].sudo()
        for order in orders:
            partner = order.partner_id
            if Users.search_count([("login", "=", partner.email)]):
                continue
            user = Users._create_user_from_template(
                {
                    "login": partner.email,
                    "email": partner.email,
                    "partner_id": partner.id,
                    "company_id": order.company_id.id,
                    "company_ids": [(6, 0, order.company_id.ids)],
                }
            )
            partner.sudo().signup_prepare()
            template.send_mail(user.id, force_send=True)


@dataclass(frozen=True)
class Way:
    """One way: the addon's setting, whose orders, and what is done with them."""

    number: int
    name: str
    title: str
    work: Callable
    policy: str = "never"
    known: bool = False
    mails_later: bool = False
    plain_odoo: bool = False

    def surroundings(self, db):
        """Return a context manager to work in: with the addon or as if without."""
        return without_addon(db) if self.plain_odoo else contextlib.nullcontext()

    def prepare(self, db):
        """Set the addon's policy, and leave nothing to be sent."""
        with request(db) as env:
            companies = env["res.company"].search([])
            if set(companies.mapped("portal_account_policy")) != {self.policy}:
                companies.portal_account_policy = self.policy
        drop_invitations(db)


WAYS = {
    way.name: way
    for way in (
        Way(1, "never", "no account: the addon set to *never*", confirm),
        Way(2, "known", "customers with an account", confirm, "all", known=True),
        Way(3, "new", "new customers", confirm, "all", mails_later=True),
        Way(
            4,
            "wizard",
            "the portal wizard for each customer",
            confirm_and_grant,
            plain_odoo=True,
        ),
        Way(
            5,
            "plain",
            "the plain way of many addons",
            confirm_plainly,
            plain_odoo=True,
        ),
        # The floor of way 2: the same customers.
        Way(
            1,
            "floor",
            "customers with an account, the addon set to *never*",
            confirm,
            known=True,
        ),
    )
}


def send_invitations(db):
    """Send what is due as the scheduled action does, until the server has it all.

    :raise AssertionError: something was not sent
    """
    with request(db) as env:
        env.ref(CRON).ir_actions_server_id.run()
        due = env["res.users"].search_count([("portal_invitation_due", "!=", False)])
        assert not due, f"{due} invitations are not sent"


def drop_invitations(db):
    """Leave nothing to be sent to the next run."""
    with request(db) as env:
        env.cr.execute(
            "UPDATE res_users SET portal_invitation_due = NULL "
            "WHERE portal_invitation_due IS NOT NULL"
        )
        env.cr.execute("DELETE FROM ir_cron_trigger")


def check_accounts(db, order_ids):
    """Check that all customers have an account.

    :raise AssertionError: one has none
    """
    with request(db) as env:
        partners = env["sale.order"].browse(order_ids).partner_id
        missing = partners.filtered(lambda partner: not partner.user_ids)
        assert not missing, f"{len(missing)} customers have no account"
