from odoo import http
from odoo.http import request

from .activate import COOKIE, PortalActivation

DECLINE_PATH = "/my/activate/decline"


class PortalDecline(PortalActivation):
    """The page for customers who want no account."""

    @http.route(
        DECLINE_PATH,
        type="http",
        auth="public",
        website=True,
        multilang=False,
        sitemap=False,
        methods=["GET", "POST"],
    )
    def portal_decline(self, token=None, login=None, **_post):
        """Ask before anything is deleted, and do it when the button is clicked.

        :param token: from the link
        :param login: whose account the form is about
        """
        invitation, status = request.env["portal.invitation"]._read_token(
            token or request.cookies.get(COOKIE)
        )
        # The token of a deleted account need not be hidden.
        if token and status != "declined":
            response = self._hide_token(token)
            response.headers["Location"] = DECLINE_PATH
            return response
        values = {
            "login": invitation.login,
            "company": invitation.company_id or request.website.company_id.sudo(),
        }
        if (
            request.httprequest.method == "POST"
            and status in ("valid", "expired")
            and login == invitation.login
        ):
            invitation._decline()
            return request.redirect(DECLINE_PATH)
        response = request.render(
            "sales_confirm_user_create.decline", values | {"status": status}
        )
        return self._keep_private(response)
