from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_declined = fields.Boolean(
        string="Wants No Portal Account",
        copy=False,
        groups="base.group_user",
        help="The customer refused a portal account. Later orders with the same email "
        "address create none.",
    )

    _portal_declined_idx = models.Index(
        "(email_normalized) WHERE portal_declined IS TRUE"
    )

    @api.model
    def _search_declined(self, addresses):
        """Return the contacts with one of these addresses that want no account."""
        return self.with_context(active_test=False).search(
            [
                ("portal_declined", "=", True),
                ("email_normalized", "in", [*filter(None, addresses)]),
            ]
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _forget_declined(self):
        """Invite these customers again, who have an account because somebody asked."""
        if self.env.context.get("sales_confirm_user_create_on_purpose"):
            self.env["res.partner"]._search_declined(
                self.partner_id.mapped("email_normalized")
            ).portal_declined = False


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    @api.model
    def _read_token(self, token):
        """Extend with "declined": the account is deleted because of an email with this
        link, or of another."""
        invitation, status = super()._read_token(token)
        if status == "invalid":
            values = self._get_token_values(token)
            # sudo: a visitor may not read contacts; the token names this address
            if values and self.sudo().env["res.partner"]._find_by_portal_address(
                values[1]
            ).filtered("portal_declined"):
                return invitation, "declined"
        return invitation, status

    def _decline(self):
        """Delete an account that nobody has used, and remember the refusal."""
        self.ensure_one()
        user, order = self.user_id, self.order_id
        user.partner_id.portal_declined = True
        order._set_portal_account_issues({order: ("declined", None)})
        user.unlink()
