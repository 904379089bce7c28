from odoo import api, models


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    @api.model
    def _get_portal_page_modules(self):
        """Extend with the templates of this addon."""
        return super()._get_portal_page_modules() | {"sale_portal_team"}
