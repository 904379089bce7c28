from odoo import http
from odoo.http import request

from .decline import DECLINE_PATH

UNSUBSCRIBE_PATH = "/web/portal/unsubscribe"


class PortalUnsubscribe(http.Controller):
    """The address that mail programs call for *Unsubscribe*, see RFC 8058."""

    # A mail program has neither a session nor a form of ours. The token is signed, and
    # can do nothing but this, and decline.
    @http.route(
        UNSUBSCRIBE_PATH,
        type="http",
        auth="public",
        csrf=False,
        save_session=False,
        methods=["GET", "POST"],
    )
    def portal_unsubscribe(self, token=None, **_post):
        """End the emails; people who open the address see the page that declines.

        The answer is the same for each token.
        """
        if request.httprequest.method == "POST":
            request.env["portal.invitation"]._unsubscribe(token)
            return request.make_response("", headers=[("Cache-Control", "no-store")])
        return request.redirect_query(DECLINE_PATH, {"token": token or ""})
