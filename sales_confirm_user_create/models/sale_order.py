import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools import RETRIED_EXCEPTIONS, attempt

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    user_created = fields.Boolean(
        string="Account Created",
        copy=False,
        readonly=True,
        help="The confirmation of this order created the customer's portal account.",
    )
    portal_account_issue = fields.Selection(
        selection=[
            ("no_email", "No email address"),
            ("invalid_email", "No valid email"),
            ("several_addresses", "Several email addresses"),
            ("archived_contact", "Archived contact"),
            ("archived_user", "Archived user"),
            ("access_revoked", "Access revoked"),
            ("other_contact", "Account of another contact"),
            ("own_company", "Own company"),
            ("address", "Address of another contact"),
            ("company_contact", "Contact of a company"),
            ("declined", "Declined"),
            ("technical", "Technical contact"),
            ("template", "Broken user template"),
            ("same_moment", "Created by another order"),
            ("error", "Error"),
        ],
        copy=False,
        readonly=True,
        index="btree_not_null",
        groups="base.group_user",
        help="Why the confirmation created no portal account.",
    )
    # Not as superuser: it is for those who may read the contact.
    portal_account_state = fields.Selection(
        related="partner_id.portal_account_state",
        related_sudo=False,
        groups="base.group_user",
    )
    portal_account_date = fields.Datetime(
        related="partner_id.portal_account_date",
        related_sudo=False,
        groups="base.group_user",
    )
    portal_batch_ids = fields.Many2many(
        comodel_name="portal.account.batch",
        copy=False,
        groups="sales_team.group_sale_manager,base.group_system",
    )

    portal_created_batch_id = fields.Many2one(
        comodel_name="portal.account.batch",
        copy=False,
        index="btree_not_null",
        groups="sales_team.group_sale_manager,base.group_system",
    )

    _user_created_idx = models.Index("(partner_id) WHERE user_created")

    @api.model
    def default_get(self, fields):
        """Override of `base`: what the confirmation finds out has no default."""
        protected = self._get_portal_protected_fields()
        return super().default_get([name for name in fields if name not in protected])

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `sale` to protect what only the confirmation writes."""
        given = {name for vals in vals_list for name, value in vals.items() if value}
        self._check_portal_account_fields(given)
        return super().create(vals_list)

    def write(self, vals):
        """Override of `sale` to protect what only the confirmation writes."""
        self._check_portal_account_fields(vals.keys())
        return super().write(vals)

    def _check_portal_account_fields(self, names):
        """Check that nobody but the addon sets what the confirmation found out.

        :raise AccessError: somebody does
        """
        if not self.env.su and names & self._get_portal_protected_fields():
            raise AccessError(self.env._("These fields cannot be set manually."))

    @api.model
    def _get_portal_protected_fields(self):
        """Return the names of the fields that nobody but the addon sets, as a set."""
        return {
            "user_created",
            "portal_account_issue",
            "portal_account_offered",
            "portal_batch_ids",
            "portal_created_batch_id",
            "portal_offer_date",
        }

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override of `base` to group by the state of the account, which Odoo does for
        related fields that are read as superuser only."""
        if field_expr != "portal_account_state":
            return super()._field_to_sql(alias, field_expr, query)
        partners, alias = self._fields["partner_id"].join(self, alias, query)
        return partners._field_to_sql(alias, field_expr, query)

    def action_confirm(self):
        """Override of `sale` to give the customers of the orders a portal account."""
        res = super().action_confirm()
        self._filter_portal_account_policy()._ensure_portal_accounts(is_automatic=True)
        self._offer_portal_accounts()
        return res

    def _filter_portal_account_policy(self):
        """Return the orders whose customers are to have an account, by the settings."""
        # sudo: the settings are the company's, whoever confirms
        return self.sudo().filtered(
            lambda order: (
                order.company_id.portal_account_policy
                in (("all", "website") if order.website_id else ("all",))
            )
        )

    def _filter_portal_account_orders(self):
        """Return the orders whose customers get an account.

        Override to add your own rules on top of the settings. It runs as superuser, and
        what it raises is noted on the orders.
        """
        return self.filtered(lambda order: order.state == "sale")

    def _ensure_portal_accounts(self, is_automatic=False):
        """Find or create the account of each customer; the sale never fails for it.

        What goes wrong is logged, and noted on the orders.

        :param is_automatic: leave out the orders that other modules leave out
        :return: dict of the orders without an account to the issue and the error
        """
        if not self:
            return {}
        # sudo: whoever confirms, a visitor of the shop included, may neither read nor
        # create users, mark the order, nor start the scheduled action
        orders_sudo = self.sudo()
        # Flush first, so that the sale's own errors surface there.
        self.env.cr.flush()
        try:
            with self.env.cr.savepoint():
                due_sudo = orders_sudo
                if is_automatic:
                    due_sudo = orders_sudo._filter_portal_account_orders()
                return due_sudo._create_missing_portal_accounts(is_automatic)
        except RETRIED_EXCEPTIONS:
            raise
        except Exception as error:
            _logger.exception("No portal accounts for orders %s", orders_sudo.ids)
            issues = dict.fromkeys(orders_sudo, ("error", error))
        # Where another module forbids to write on an order, a note still says so.
        for tell in ("_note_portal_account_issues", "_store_portal_account_issues"):
            message = "Accounts of orders %s: %s failed"
            with attempt(self.env.cr, _logger, message, orders_sudo.ids, tell):
                getattr(orders_sudo, tell)(issues)
        return issues
