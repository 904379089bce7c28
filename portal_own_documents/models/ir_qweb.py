from odoo import models


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _prepare_frontend_environment(self, values):
        """Override of `portal`: pages show the contact of the user, which rules hide
        where it has become a company."""
        res = super()._prepare_frontend_environment(values)
        if self.env.user._is_account_undecided():
            # sudo: what pages show of the own contact: picture, name and address
            values["user_id"] = values["user_id"].sudo()
        return res
