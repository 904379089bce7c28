import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize
from odoo.tools.translate import LazyTranslate

from .portal_invitation_mail import RETRIED_EXCEPTIONS

_logger = logging.getLogger(__name__)
_lt = LazyTranslate(__name__)

# More are added by the scheduled action.
CLAIM_BATCH = 100


class SaleOrder(models.Model):
    """Orders shown in the portal account of another contact than their own."""

    _inherit = "sale.order"

    portal_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="In the Account of",
        copy=False,
        readonly=True,
        index="btree_not_null",
        groups="base.group_user",
        help="The contact whose portal account shows this order, too.",
    )
    portal_claim_date = fields.Datetime(
        string="Claimed On", copy=False, readonly=True, groups="base.group_user"
    )
    portal_claim_method = fields.Selection(
        selection=[
            ("activation", "Activation"),
            ("reset", "Password reset"),
            ("browser", "Browser of the order"),
            ("email", "Email of the order"),
            ("search", "Search in the portal"),
            ("staff", "Staff"),
        ],
        string="Claimed By",
        copy=False,
        readonly=True,
        groups="base.group_user",
    )
    portal_known_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Contact with the Account",
        compute="_compute_portal_known_partner_id",
        compute_sudo=True,
        groups="base.group_user",
        help="The contact whose portal account has the customer's address.",
    )

    @api.depends("partner_id", "partner_id.email", "website_id")
    def _compute_portal_known_partner_id(self):
        users = self._find_account_users()
        for order in self:
            order.portal_known_partner_id = users.get(order.id, users[None]).partner_id

    # === By staff === #

    def action_claim_for_account(self):
        """Add the orders to the accounts that have their customers' addresses.

        For salespeople, who know what no rule can: also for contacts of companies.

        :return: an action that shows what was added, and why other orders were not
        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: a salesperson may add the orders they edit, and reads no users by it
        orders, reasons = self.sudo(), {}
        users = orders._find_account_users()
        orders_by_user = defaultdict(self.sudo().browse)
        for order in orders:
            user = users.get(order.id)
            if reason := order._get_no_claim_reason(user):
                reasons[order.name] = self.env._(reason)
            else:
                orders_by_user[user] += order
        for user, claimed in orders_by_user.items():
            claimed._claim_for(user, "staff", self.env.user.partner_id)
        count = sum(map(len, orders_by_user.values()))
        return self.env["portal.invitation"]._notify_done(
            self.env._("Portal account"),
            self.env._("Orders added: %s.", count) if count else None,
            reasons,
        )

    def _get_no_claim_reason(self, user):
        """Return why staff cannot add the order, to be translated, or False.

        :param user: the account that has the customer's address, or None
        """
        if self.state != "sale":
            return _lt("the order is not confirmed.")
        if self.portal_partner_id:
            return _lt("the order is in an account already.")
        if not user:
            return _lt("no other contact has an account with this address.")
        is_allowed = self.company_id in user.company_ids
        return not is_allowed and _lt("the account belongs to another company.")

    def action_unclaim(self):
        """Remove the orders from the accounts they were added to; for salespeople.

        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: nobody but the addon writes in whose account an order is
        orders = self.sudo().filtered("portal_partner_id")
        orders._log_portal_account_notes(
            {
                order: order._with_note_lang().env._(
                    "Removed from the portal account of %s.",
                    order.portal_partner_id.display_name,
                )
                for order in orders
            },
            self.env.user.partner_id,
        )
        orders.write(
            dict.fromkeys(
                ("portal_partner_id", "portal_claim_date", "portal_claim_method"), False
            )
        )

    def _find_account_users(self):
        """Return the portal users that have the customers' addresses as login.

        :return: dict of orders' ids to users of other contacts; None is no user
        """
        Users = self.env["res.users"]
        users_by_customer, found = self._find_customer_users(), {None: Users}
        for order in self:
            own = order.partner_id.id
            for user in order._filter_customer_users(users_by_customer):
                if user.active and user.share and user.partner_id != own:
                    found.setdefault(order.id, Users.browse(user.id))
        return found

    # === By customers === #

    @api.model
    def _find_claimable_orders(self, user, limit=None):
        """Return confirmed orders of a portal user's address that are in no account.

        That the user reads what is mailed there is for the caller to know.
        """
        return self.sudo().search(
            self._get_claimable_domain(user), order="id", limit=limit
        )

    @api.model
    def _get_claimable_domain(self, user):
        """Return the domain of what a portal user may add to the own account."""
        user = user.sudo()
        address = email_normalize(user.login)
        if not address or not user._is_portal():
            return Domain.FALSE
        contacts = self.env["res.partner"].sudo()._find_by_portal_address(address)
        domain = Domain(
            [
                ("state", "=", "sale"),
                ("portal_partner_id", "=", False),
                ("partner_id", "in", contacts._filter_claimable_contacts().ids),
                ("company_id", "in", user.company_ids.ids),
                ("company_id.portal_order_claims", "=", True),
            ]
        )
        if website := user.website_id:
            own = ("website_id", "in", (False, website.id))
            of_contact = ("partner_id.website_id", "in", (False, website.id))
            domain &= Domain([own, "|", ("website_id", "!=", False), of_contact])
        return domain

    def _find_orders_to_claim(self):
        """Return the orders that the activation of the accounts of these orders'
        customers would add to them."""
        partners = self.filtered("company_id.portal_order_claims").partner_id
        addresses = {partner._get_portal_address() for partner in partners}
        contacts = self.env["res.partner"].with_context(active_test=False)
        contacts = contacts.search([("email_normalized", "in", list(addresses))])
        contacts = (contacts - partners)._filter_claimable_contacts()
        return self.search(
            [
                ("state", "=", "sale"),
                ("portal_partner_id", "=", False),
                ("partner_id", "in", contacts.ids),
                ("company_id", "in", self.company_id.ids),
            ]
        )

    def _get_claim_offer(self, user):
        """Return what the order's page offers to its visitor.

        :return: "sign_in", "add", or False
        """
        self.ensure_one()
        # sudo: a visitor may not read contacts and users, and learns nothing of them:
        # who has an account makes no difference
        order = self.sudo()
        if user._is_public():
            is_offered = (
                order.state == "sale"
                and order.company_id.portal_order_claims
                and order.website_id.account_on_checkout != "mandatory"
                and not order.portal_partner_id
                and order.partner_id._filter_claimable_contacts()
            )
            return "sign_in" if is_offered else False
        return "add" if order._is_claimable_by(user) else False

    def _is_claimable_by(self, user):
        """Return whether a portal user may add this order to the own account."""
        return bool(self.sudo().filtered_domain(self._get_claimable_domain(user)))

    @api.model
    def _cron_claim(self):
        """Add what was left of the orders of proven addresses, some at a time."""
        IrCron = self.env["ir.cron"]
        domain = [("portal_claim_due", "!=", False)]
        while contact := self.env["res.partner"].search(domain, order="id", limit=1):
            is_done = contact.user_ids[:1]._claim_past_orders(contact.portal_claim_due)
            if is_done:
                contact.portal_claim_due = False
            if not IrCron._commit_progress(1, remaining=1):
                return
        IrCron._commit_progress(remaining=0)

    # === Claiming === #

    def _claim_for(self, user, method, author=None):
        """Show these orders in the account of a portal user; change nothing else.

        :param method: see ``portal_claim_method``
        :param author: the contact who does it; the user's own if None
        """
        self.with_context(tracking_disable=True).write(
            {
                "portal_partner_id": user.partner_id.id,
                "portal_claim_date": fields.Datetime.now(),
                "portal_claim_method": method,
            }
        )
        notes = {order: order._get_claim_note(user, method) for order in self}
        self._log_portal_account_notes(notes, author or user.partner_id)

    def _get_claim_note(self, user, method):
        """Return the note on an order that is added to an account."""
        order = self._with_note_lang()
        field = self._fields["portal_claim_method"]
        return order.env._(
            "Added to the portal account %(login)s (%(method)s).",
            login=user.login,
            method=dict(field._description_selection(order.env))[method],
        )


class ResUsers(models.Model):
    _inherit = "res.users"

    def _claim_past_orders(self, method):
        """Add the orders of an address that the user has just proven to read.

        Nothing that goes wrong keeps the customer from logging in.

        :return: whether none is left
        """
        orders = self.env["sale.order"]
        try:
            with self.env.cr.savepoint():
                orders = orders._find_claimable_orders(self, limit=CLAIM_BATCH)
                orders._claim_for(self.sudo(), method)
        except RETRIED_EXCEPTIONS:
            raise
        except Exception:
            _logger.exception("No orders claimed for user %s", self.id)
            return True
        return len(orders) < CLAIM_BATCH

    def _claim_proven_orders(self, method):
        """Add the first orders of a proven address now, and the rest by a job."""
        if not self._claim_past_orders(method):
            # sudo: customers may cause the scheduled action to go on
            self.sudo().partner_id.portal_claim_due = method
            self.env.ref(
                "sales_confirm_user_create.ir_cron_portal_claim"
            ).sudo()._trigger()

    @api.model
    def signup(self, values, token=None):
        """Override of `auth_signup` to add the orders of the address, which the link
        for a new password, or to a new account, has just proven."""
        # The link works once: whose it is can't be told afterwards.
        user = token and self.env["res.partner"].sudo()._get_proven_user(token)
        res = super().signup(values, token=token)
        if user:
            user._claim_proven_orders("reset")
        return res
