from werkzeug.exceptions import Forbidden, abort

from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        """Override of `base` to lock out a user whose contact has become a company:
        nobody knows whose account it is, and it would act for the company."""
        super()._authenticate(endpoint)
        own = request.env.user._get_own_contact()
        if own is None or own:
            return
        if request.httprequest.method != "GET":
            raise Forbidden()
        message = request.env._(
            "Your contact has become a company. Ask us what this account may see."
        )
        request.session.logout(keep_db=True)
        abort(request.redirect_query("/web/login", {"message": message}))
