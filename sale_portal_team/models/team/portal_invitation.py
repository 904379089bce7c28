import re

from odoo import api, fields, models

from odoo.addons.sales_confirm_user_create.models.invitation.portal_invitation import (
    REMINDER,
)

# what mail programs could make a link of, or take for the end of a line
LINK_PARTS = re.compile(r"[\s.\u3002\uff0e\uff61/:@]+")
TEMPLATE = "sale_portal_team.mail_template_portal_team"


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    portal_inviter_id = fields.Many2one(
        comodel_name="res.users", string="Invited by", ondelete="set null"
    )
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
        """Override of `sales_confirm_user_create` for words about who invites."""
        is_by_colleague = self.portal_inviter_id and not self.order_id
        is_first = self.priority != REMINDER
        if is_by_colleague and is_first and self.env.ref(TEMPLATE, False):
            return TEMPLATE
        return super()._get_mail_xmlid()

    def _is_about_order(self):
        """Override of `sales_confirm_user_create`: a colleague needs no order."""
        return bool(self.portal_inviter_id) or super()._is_about_order()

    @api.model
    def _cron_send(self):
        """Override of `sales_confirm_user_create` to create what is to be sent."""
        self.env["portal.team.request"]._process_all()
        return super()._cron_send()
