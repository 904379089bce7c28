from odoo import api, models

from ..activation.portal_invitation import DECLINE_SCOPE


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    @api.model
    def _read_decline_token(self, token):
        """Return whose account a link declines, and the link's status.

        An address can also decline after its account was deleted.

        :return: the invitation, if it still has this login; the login, or False; and
            "valid", "used" by a login, "declined", or "invalid"
        """
        values = self._get_token_values(token, DECLINE_SCOPE)
        if not values:
            return self.browse(), False, "invalid"
        invitation_id, login = values
        # sudo: visitors may not read these; the token names the login
        invitation_sudo = self.sudo().browse(invitation_id).exists()
        users_sudo = self.sudo().env["res.users"]._find_portal_accounts(login)
        invitation_sudo = invitation_sudo.filtered(
            lambda known: known.user_id in users_sudo
        )
        if users_sudo:
            accounts_sudo = invitation_sudo.user_id or users_sudo
            is_used = any(accounts_sudo.mapped("portal_activation_date"))
            return invitation_sudo, login, "used" if is_used else "valid"
        declined = self.env["portal.decline"]._find_for(login)
        return invitation_sudo, login, "declined" if declined else "valid"
