import re

from werkzeug.exceptions import abort

from odoo import models
from odoo.http import request

# Carts and transactions are closed to viewers in any case. These routes also act on an
# order that exists, or on a contact.
ORDERING = re.compile(
    r"/shop/(cart(?!/quantity)|checkout|address|update_address|express|payment"
    r"|extra_info|set_delivery|get_delivery|delivery_methods|set_click|claimreward)"
    r"|/website_sale/(set|get)_pickup|/website/form/shop\.sale\.order"
    r"|/website_sale_mondialrelay|/coupon/"
    r"|/my/orders/(reorder|<[^>]+>/(accept|decline|transaction|update))"
    r"|/my/(payment_method|invoices/overdue|address($|/archive))|/wallet/top_up"
    r"|/payment/(pay$|transaction|archive_token)|/invoice/transaction"
)


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Override of `base` to keep viewers from ordering, paying and saving cards:
        instead of a page, they see whom to ask."""
        res = super()._pre_dispatch(rule, args)
        routing = rule.endpoint.routing
        # A shop may have given a page another address.
        if any(map(ORDERING.match, routing["routes"])):
            is_page = routing["type"] == "http"
            is_page = is_page and request.httprequest.method in ("GET", "HEAD")
            if is_page and request.env.user._is_viewer():
                abort(request.redirect("/my/team"))
            request.env.user._check_portal_role("order")
        return res
