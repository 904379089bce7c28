from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_date
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)


class SaleOrder(models.Model):
    """What salespeople can do with their customers' accounts."""

    _inherit = "sale.order"

    portal_account_known = fields.Boolean(
        string="Account of the Address",
        compute="_compute_portal_account_known",
        groups="base.group_user",
        help="Another contact, or an employee, has the account for the address.",
    )

    @api.depends("partner_id.email", "website_id")
    def _compute_portal_account_known(self):
        # sudo: whoever reads the order learns of the account that keeps it from one
        orders_sudo = self.sudo()
        users_by_customer = orders_sudo._find_accounts()
        for order, order_sudo in zip(self, orders_sudo, strict=True):
            order.portal_account_known = any(
                user.active and user.partner_id != order_sudo.partner_id.id
                for user in order_sudo._filter_customer_users(users_by_customer)
            )

    def action_resend_portal_invitation(self, is_sure=False):
        """Invite the customers again who did not activate their account; ask before
        several emails are sent.

        :param is_sure: whether that was asked
        :return: an action that asks, or shows who gets an email, and why others do not
        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: salespeople may re-invite their customers without access to users
        invited_sudo, reasons = self.sudo()._split_orders_to_invite()
        if len(self) > 1 and invited_sudo and not is_sure:
            question = self.env._("Emails to send: %s.", len(invited_sudo.partner_id))
            reasons = self.env["portal.invitation"]._join_reasons(reasons)
            return self.env["portal.account.question"]._ask(
                "resend", self, f"{question}\n{reasons}"
            )
        users_sudo = invited_sudo.partner_id.portal_user_id
        invited_sudo._create_portal_invitations(
            users_sudo - users_sudo.portal_invitation_ids.user_id
        )
        for order_sudo in invited_sudo:
            user_sudo = order_sudo.partner_id.portal_user_id
            invitation_sudo = user_sudo.portal_invitation_ids
            if not invitation_sudo._is_about_order():
                invitation_sudo.order_id = order_sudo
                invitation_sudo.company_id = order_sudo.company_id
        users_sudo.portal_invitation_ids._resend(website_id=False)
        invited_sudo._note_invitation_resent()
        return self.env["portal.invitation"]._notify_invited(users_sudo, reasons)

    def _split_orders_to_invite(self):
        """Return the orders whose customers can be invited again, and a dict of the
        others to the reason."""
        reasons = {}
        for order in self:
            reason = order.partner_id.portal_user_id._get_no_invitation_reason()
            if order.state != "sale":
                reason = _lt("the order is not confirmed.")
            if reason:
                reasons[order] = reason
        return self.filtered(lambda order: order not in reasons), reasons

    def action_create_portal_account(self, is_sure=False):
        """Create the accounts that are missing, by the rules of the confirmation; ask
        first where the customer has declined.

        For salespeople, after they have corrected what kept the confirmation from it.
        For many orders there is ``portal.account.batch``.

        :param is_sure: whether that was asked
        :return: an action that asks, or shows who gets an email, and why others do not
        :raise AccessError: the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        due = self._filter_without_account()
        if not is_sure and (question := due._get_decline_question()):
            return self.env["portal.account.question"]._ask("create", self, question)
        issues = due._on_purpose()._ensure_portal_accounts()
        reasons = {
            order: due._describe_portal_account_issue(*issue)
            for order, issue in issues.items()
        }
        not_due = _lt("the order is not confirmed, or its customer has an account.")
        reasons |= dict.fromkeys(self - due, not_due)
        # sudo: a salesperson may read which login was created, and nothing else of it
        invited_sudo = due.sudo().filtered(lambda order: order not in issues).partner_id
        self.env["portal.decline"]._forget(invited_sudo.mapped("email"))
        return self.env["portal.invitation"]._notify_invited(
            invited_sudo.portal_user_id, reasons
        )

    def _filter_without_account(self):
        """Return the confirmed orders whose customers have no account."""
        # sudo: whoever may edit the order need not read its customer
        return self.filtered(
            lambda order: (
                order.state == "sale" and order.sudo().portal_account_state == "none"
            )
        )

    def _get_decline_question(self):
        """Return what to ask before these orders' customers get an account, or ""."""
        dates = {
            partner._get_portal_address(): partner.portal_decline_date
            for partner in self.partner_id
            if partner.portal_decline_date
        }
        return "\n".join(
            self.env._(
                "%(address)s declined a portal account on %(date)s. Create it anyway?",
                address=address,
                date=format_date(self.env, date),
            )
            for address, date in dates.items()
        )

    def _check_portal_account_access(self):
        """Check that the user may have the customers of these orders invited.

        :raise AccessError: the user is no salesperson, or may not edit the orders
        """
        self.check_access("write")
        if not (
            self.env.su or self.env.user.has_group("sales_team.group_sale_salesman")
        ):
            raise AccessError(
                self.env._("Only salespeople can invite customers to the portal.")
            )

    def action_open_portal_user(self):
        """Open the user of the customer, for administrators; see ``res.partner``."""
        self.ensure_one()
        return self.partner_id.action_open_portal_user()
