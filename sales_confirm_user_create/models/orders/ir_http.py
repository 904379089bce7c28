from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _frontend_pre_dispatch(cls):
        """Override of `website` to show customers the documents of all companies they
        buy from: an order at another company would take earlier ones out of the lists.
        """
        res = super()._frontend_pre_dispatch()
        is_portal = request.httprequest.path.split("/")[1] == "my"
        if is_portal and not request.env.user._is_public():
            shown = request.env.context["allowed_company_ids"]
            others = set(request.env.user._get_company_ids()) - {*shown}
            request.update_context(allowed_company_ids=[*shown, *sorted(others)])
        return res
