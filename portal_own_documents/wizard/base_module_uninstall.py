from odoo import api, fields, models
from odoo.fields import Domain


class BaseModuleUninstall(models.TransientModel):
    _inherit = "base.module.uninstall"

    portal_user_count = fields.Integer(compute="_compute_portal_user_count")

    @api.depends("module_ids")
    def _compute_portal_user_count(self):
        """Count whom the removal shows all documents of a company."""
        for wizard in self:
            wizard.portal_user_count = 0
            if "portal_own_documents" in wizard._get_modules().mapped("name"):
                is_below = Domain("partner_id.parent_id", "!=", False)
                domain = Domain("portal_own_documents", "=", True) | is_below
                # sudo: of all companies, also those that are not selected
                users_sudo = self.env["res.users"].sudo().search(domain)
                wizard.portal_user_count = len(
                    users_sudo.filtered(
                        lambda user: user._get_own_contact() is not None
                    )
                )
