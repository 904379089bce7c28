import re

from odoo import api, fields, models

# what mail programs could make a link of, or take for the end of a line
LINK_PARTS = re.compile(r"[\s.\u3002\uff0e\uff61/:@]+")
TEMPLATE = "sale_portal_team.mail_template_portal_team"


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    portal_inviter_id = fields.Many2one(
        comodel_name="res.users", string="Invited by", ondelete="set null"
    )
    is_contact_created = fields.Boolean(string="Contact Created")
    portal_role = fields.Selection(related="user_id.portal_role")
    portal_inviter_name = fields.Char(compute="_compute_portal_names")
    portal_team_name = fields.Char(compute="_compute_portal_names")

    @api.depends("partner_id.commercial_partner_id.name", "portal_inviter_id.name")
    def _compute_portal_names(self):
        """Customers type these names, and write to strangers with them."""
        for invitation in self:
            names = (
                invitation.portal_inviter_id.name,
                invitation.partner_id.commercial_partner_id.name,
            )
            texts = [LINK_PARTS.sub(" ", name or "").strip()[:64] for name in names]
            invitation.portal_inviter_name, invitation.portal_team_name = texts

    def _get_mail_xmlid(self):
        """Override of `sales_confirm_user_create` for words about who invites; in
        reminders, too, or strangers would join a company without being told."""
        is_by_colleague = self.portal_inviter_id and not self.order_id
        if is_by_colleague and self.env.ref(TEMPLATE, False):
            return TEMPLATE
        return super()._get_mail_xmlid()

    def _invite_about(self, order, is_automatic):
        """Override of `sales_confirm_user_create`: what somebody orders as a guest is
        no reason to join a company; the invitation stays the colleague's."""
        if self.portal_inviter_id and order.partner_id != self.partner_id:
            return None
        return super()._invite_about(order, is_automatic)

    @api.model
    def _unsubscribe(self, token):
        """Extend: the address has declined, so that nobody there is invited again."""
        res = super()._unsubscribe(token)
        invitation_sudo, login, status = self._read_decline_token(token)
        if invitation_sudo.portal_inviter_id and status == "valid":
            self.env["res.users"]._decline_portal_account(
                login, invitation_sudo.partner_id, invitation_sudo.order_id
            )
        return res

    def _is_about_order(self):
        """Override of `sales_confirm_user_create`: a colleague needs no order."""
        return bool(self.portal_inviter_id) or super()._is_about_order()

    @api.model
    def _cron_send(self):
        """Override of `sales_confirm_user_create` to create what is to be sent."""
        self.env["portal.team.request"]._process_all()
        return super()._cron_send()
