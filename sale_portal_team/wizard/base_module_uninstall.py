from odoo import api, fields, models


class BaseModuleUninstall(models.TransientModel):
    _inherit = "base.module.uninstall"

    portal_viewer_count = fields.Integer(compute="_compute_portal_viewer_count")

    @api.depends("module_ids")
    def _compute_portal_viewer_count(self):
        """Count whom the removal lets order."""
        # sudo: of all companies, also those that are not selected
        users_sudo = (
            self.env["res.users"].sudo().search([("portal_role", "=", "viewer")])
        )
        count = len(users_sudo.filtered(lambda user: user._get_portal_role()))
        for wizard in self:
            is_removed = "sale_portal_team" in wizard._get_modules().mapped("name")
            wizard.portal_viewer_count = is_removed and count
