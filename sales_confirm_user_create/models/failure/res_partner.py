from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_account_notice = fields.Char(
        string="Invitation Delivery",
        compute="_compute_portal_account_notice",
        groups="base.group_user",
        help="Why the invitation has not arrived, and what to do.",
    )

    @api.depends("portal_account_state")
    @api.depends_context("lang", "tz")
    def _compute_portal_account_notice(self):
        for partner in self:
            # sudo: whoever sees the state may know what is wrong with it; it is False
            # where the contact may not be read
            readable = partner if partner.portal_account_state else self.browse()
            user_sudo = readable.sudo().portal_user_id
            partner.portal_account_notice = user_sudo.portal_invitation_ids.notice
