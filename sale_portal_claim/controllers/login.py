import re
from urllib.parse import parse_qs

from odoo.http import request

from odoo.addons.sales_confirm_user_create.controllers.page import split_link
from odoo.addons.web.controllers.home import Home

from .portal import claim_order

CLAIM_PATH = re.compile(r"(?:/\w+)?/my/orders/(\d{1,9})/claim")


class ClaimLogin(Home):
    def _login_redirect(self, uid, redirect=None):
        """Override of `web`: the customer logs in to add an order to the account. A GET
        adds nothing: that route then shows the button.
        """
        is_done = request.httprequest.method == "POST" and request.session.uid == uid
        url = split_link(redirect or "")
        if is_done and (claim := CLAIM_PATH.fullmatch(url.path)):
            [token] = parse_qs(url.query).get("access_token", [None])[:1]
            redirect = claim_order(int(claim[1]), token)
        return super()._login_redirect(uid, redirect=redirect)
