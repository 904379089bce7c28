from odoo import api, fields, models
from odoo.fields import Domain


class BaseModuleUninstall(models.TransientModel):
    _inherit = "base.module.uninstall"

    portal_user_count = fields.Integer(compute="_compute_portal_user_count")

    @api.depends("module_ids")
    def _compute_portal_user_count(self):
        """Count whom the removal shows all documents of a company."""
        is_address = Domain("partner_id.commercial_partner_id.is_company", "=", False)
        is_address &= Domain("partner_id.parent_id", "!=", False)
        is_own = Domain("portal_own_documents", "=", True)
        users = self.env["res.users"].search(is_own | is_address)
        count = len(users.filtered(lambda user: user._get_own_contact() is not None))
        for wizard in self:
            is_removed = "portal_own_documents" in wizard._get_modules().mapped("name")
            wizard.portal_user_count = is_removed and count
