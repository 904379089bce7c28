from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

from odoo.addons.sales_confirm_user_create.tools import Trusted

_lt = LazyTranslate(__name__)

ELSEWHERE = _lt("the account belongs to another company.")


class SaleOrder(models.Model):
    """How staff add orders to the accounts of their customers' addresses."""

    _inherit = "sale.order"

    portal_known_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Account Holder",
        compute="_compute_portal_known_account",
        search="_search_portal_known_partner_id",
        groups="base.group_user",
    )
    portal_claim_issue = fields.Char(
        string="Cannot Be Added",
        compute="_compute_portal_known_account",
        groups="base.group_user",
    )
    portal_proof_date = fields.Datetime(
        string="Address Confirmed On",
        compute="_compute_portal_known_account",
        groups="base.group_user",
        help="When the customer opened a link emailed to the login. Empty: "
        "never, so anybody could have signed up with the address.",
    )

    @api.depends("partner_id.email", "portal_partner_id", "state", "website_id")
    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_portal_known_account(self):
        # sudo: a salesperson learns of the account that has the customer's address, and
        # of its contact what they may read of it anyway
        orders_sudo = self.sudo().with_context(sale_portal_claim_asked=Trusted)
        users_sudo = orders_sudo._find_account_users()
        known_sudo = (
            orders_sudo.env["res.users"].concat(*users_sudo.values()).partner_id
        )
        readable = known_sudo.with_env(self.env)._filtered_access("read")
        for order, order_sudo in zip(self, orders_sudo, strict=True):
            user_sudo, issue = users_sudo[order_sudo], False
            accounts_sudo = order_sudo.portal_partner_id.user_ids or user_sudo
            account_sudo = (accounts_sudo or order_sudo.partner_id.user_ids)[:1]
            if (
                user_sudo
                and order_sudo.state == "sale"
                and not order_sudo.portal_partner_id
            ):
                is_readable = user_sudo.partner_id in readable
                issue = order_sudo._get_no_claim_reason(user_sudo)
                issue = issue if is_readable else ELSEWHERE
            order.portal_known_partner_id = readable & user_sudo.partner_id
            order.portal_claim_issue = issue and self.env._(issue)
            order.portal_proof_date = account_sudo._get_proof_date()

    @api.model
    def _search_portal_known_partner_id(self, operator, value):
        holders = SQL("TRUE")
        if operator == "in" and all(value):
            operator, value = "any", [("id", "in", [*value])]
        if operator == "any":
            found = self.env["res.partner"]._search(value)
            holders = SQL("users.partner_id IN %s", found.subselect())
        elif operator != "not in" or any(value):
            return NotImplemented
        self.env["res.users"].flush_model()
        self.env["res.partner"].flush_model(["email", "email_normalized", "website_id"])
        # as the confirmation looks for accounts, by the same index
        known = SQL(
            """
            SELECT sale.id
              FROM sale_order sale
              JOIN res_partner customer ON customer.id = sale.partner_id
              JOIN res_users users
                ON lower(btrim(users.login) COLLATE "C")
                   = lower(customer.email_normalized COLLATE "C")
             WHERE customer.email NOT LIKE '%%@%%@%%'
               AND users.active AND users.share
               AND users.partner_id != customer.id
               AND %s
               AND COALESCE(sale.website_id, customer.website_id, 0)
                   IN (0, COALESCE(users.website_id, sale.website_id,
                                   customer.website_id, 0))
            """,
            holders,
        )
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, "id"), known
            )
        )

    def action_claim_for_account(self):
        """Add the orders to the accounts that have their customers' addresses; also for
        contacts of companies, and not if the account was never proven.

        :return: an action that shows what was added, and why other orders were not
        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: a salesperson may add the orders they edit, and reads no users by it
        orders_sudo = self.sudo()
        users_sudo = orders_sudo._find_account_users()
        reasons = {
            order: order._get_no_claim_reason(users_sudo[order])
            for order in orders_sudo
        }
        added_sudo = orders_sudo.filtered(lambda order: not reasons[order])
        by_user = added_sudo.grouped(users_sudo.get)
        for user, orders in by_user.items():
            orders._claim_for(user, "staff", self.env.user.partner_id)
        invitations = self.env["portal.invitation"]
        names = invitations._join(user.name for user in by_user)
        return invitations._notify_done(
            self.env._("Added to the account of %s.", names) if added_sudo else None,
            {order: reasons[order] for order in orders_sudo - added_sudo},
        )

    def action_claim_unproven(self):
        """Add one order, after a question on its form, also if the account was never
        proven; see ``action_claim_for_account``."""
        self.ensure_one()
        asked = self.with_context(sale_portal_claim_asked=Trusted)
        return asked.action_claim_for_account()

    def _get_no_claim_reason(self, user):
        """Return why staff cannot add the order, to be translated, or False.

        :param user: the account that has the customer's address, or an empty one
        """
        if self.state != "sale" or self.portal_partner_id:
            return _lt("the order is not confirmed, or is already in an account.")
        if not user:
            return _lt("no other contact has an account with this address.")
        if not user._get_mailbox():
            return _lt("the account's login and its contact's email address differ.")
        if not user._can_have_order(self):
            return ELSEWHERE
        is_asked = self.env.context.get("sale_portal_claim_asked") is Trusted
        if not is_asked and not user._get_proof_date():
            return _lt(
                "the address of the account was never confirmed. Add the order on its "
                "form."
            )
        return False

    def _find_account_users(self):
        """Return the portal users that have the customers' addresses as login.

        :return: dict of orders to a user of another contact, or an empty one
        """
        users_by_customer = self._find_accounts()
        ids_by_order = {
            order: [
                user.id
                for user in order._filter_customer_users(users_by_customer)
                if user.active and user.share and user.partner_id != order.partner_id.id
            ][:1]
            for order in self
        }
        users = self.env["res.users"]
        all_ids = [user_id for ids in ids_by_order.values() for user_id in ids]
        return {
            order: users.browse(ids).with_prefetch(all_ids)
            for order, ids in ids_by_order.items()
        }

    def action_unclaim(self):
        """Remove the orders from the accounts they were added to; for salespeople.

        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: nobody but the addon writes in whose account an order is
        orders_sudo = self.sudo().filtered("portal_partner_id")
        note = _lt("Removed from the portal account.")
        orders_sudo._unclaim(note, self.env.user.partner_id)
        orders_sudo.portal_address = False  # only staff can add it again
