from odoo import api, models
from odoo.exceptions import UserError


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    @api.model
    def _get_portal_page_modules(self):
        """Return the modules whose templates Odoo's pages, or ours, are made of.

        Override it in modules that add templates to them.
        """
        return {"sales_confirm_user_create"}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_portal_pages(self):
        """Keep the templates that pages for customers call: without them, these pages,
        some of them Odoo's, would be an error.

        :raise UserError: some are to be deleted
        """
        modules = self._get_portal_page_modules()
        for view in self.filtered(lambda view: view.type == "qweb"):
            is_called = view.mode == "primary" and not view.website_id
            if is_called and (view.key or "").partition(".")[0] in modules:
                raise UserError(
                    self.env._(
                        "Pages and emails for your customers need the view %s. Edit it "
                        "instead.",
                        view.key,
                    )
                )
