from odoo import api, fields, models

from odoo.addons.sales_confirm_user_create.models.invitation.portal_invitation import (
    REMINDER,
)

TEMPLATE = "sale_portal_team.mail_template_portal_team"


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    portal_inviter_id = fields.Many2one(
        comodel_name="res.users", string="Invited by", ondelete="set null"
    )
    portal_role = fields.Selection(related="user_id.portal_role")

    def _get_mail_xmlids(self):
        """Override of `sales_confirm_user_create` for words about who invites."""
        template, layout = super()._get_mail_xmlids()
        if self.order_id or not self.portal_inviter_id:
            return template, layout
        if self.priority != REMINDER and self.env.ref(TEMPLATE, False):
            template = TEMPLATE
        return template, "sale_portal_team.mail_layout_team"

    def _is_about_order(self):
        """Override of `sales_confirm_user_create`: a colleague needs no order."""
        return bool(self.portal_inviter_id) or super()._is_about_order()

    @api.model
    def _cron_send(self):
        """Override of `sales_confirm_user_create` to create what is to be sent."""
        self.env["portal.team.request"]._process_all()
        return super()._cron_send()
