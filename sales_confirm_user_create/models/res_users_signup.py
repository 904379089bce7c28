from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import Trusted
from .res_partner import get_deliverable_address


class ResUsers(models.Model):
    """Sign-up and login with any spelling of an address."""

    _inherit = "res.users"

    @api.model
    def _signup_create_user(self, values):
        """Override of `website` to store an address as login in one form: another
        spelling would be another account.

        :raise UserError: the account was never activated; a link is on its way
        """
        if "partner_id" in values:
            # sudo: as in super; the token names the contact
            partner = self.env["res.partner"].sudo().browse(values["partner_id"])
            if partner._had_portal_account():
                # Whoever has the link of an old order need not be its owner.
                del values["partner_id"]
                values["name"] = values["login"]
            elif partner != partner.commercial_partner_id:
                company = partner.company_id or self.env.company
                values["portal_own_documents"] = partner._get_portal_own_documents(
                    company
                )
        if address := get_deliverable_address(values.get("login") or ""):
            if values.get("email") == values["login"]:
                values["email"] = address  # where a new password is sent
            values["login"] = address
            # sudo: visitors may not read users, and learn what Odoo tells them, too
            user = self.sudo().search(self._get_login_domain(address), limit=1)
            is_allowed = (
                "partner_id" in values or self._get_signup_invitation_scope() == "b2c"
            )
            invitation = user.portal_invitation_ids
            if is_allowed and invitation and not user.log_ids and invitation._renew():
                raise UserError(
                    self.env._(
                        "There is an account for this address. We have sent you an "
                        "email to activate it."
                    )
                )
        return super()._signup_create_user(values)

    @api.model
    def _get_login_domain(self, login):
        """Override of `website` to find the login that another spelling was stored as,
        unless somebody has that spelling."""
        domain = super()._get_login_domain(login)
        address = get_deliverable_address(login or "")
        # sudo: visitors may not read users, and learn nothing new
        if (
            not address
            or address == login
            or self.sudo().with_context(active_test=False).search_count(domain, limit=1)
        ):
            return domain
        return super()._get_login_domain(address)

    @api.model
    def _get_signup_invitation_scope(self):
        """Override of `website` to hide the link that signs up for the customer of an
        order who has an account, see the controller of the confirmation page."""
        if self.env.context.get("sales_confirm_user_create_no_signup") is Trusted:
            return "b2b"
        return super()._get_signup_invitation_scope()

    def _update_last_login(self):
        """Override of `base` to keep when a portal user first logged in."""
        # sudo: the user who logs in may not write this
        user = self.sudo()
        if user.share and not user.portal_activation_date and not user.login_date:
            user.portal_activation_date = fields.Datetime.now()
        return super()._update_last_login()
