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
        "USING hash (email_normalized) WHERE portal_declined IS TRUE"
    )

    def _forget_declined(self):
        """Invite the customers with these contacts' addresses again: they, or staff,
        have decided otherwise."""
        addresses = [*filter(None, self.mapped("email_normalized"))]
        self.with_context(active_test=False).search(
            [("portal_declined", "=", True), ("email_normalized", "in", addresses)]
        ).portal_declined = False


class ResUsers(models.Model):
    _inherit = "res.users"

    def _claim_proven_orders(self, method):
        """Extend to forget an earlier refusal: whoever reads the emails wants an
        account now."""
        # sudo: customers may not write this, which is about them
        self.sudo().partner_id._forget_declined()
        return super()._claim_proven_orders(method)


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
        user._delete_unused()
