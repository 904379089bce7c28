from odoo import http
from odoo.http import request

from .activate import PortalActivation

DECLINE_PATH = "/web/portal/decline"
DECLINE_COOKIE = "portal_decline"
# in the session: what was done, once the cookie is deleted
DONE = "portal_decline_done"


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
    def portal_decline(self, token=None, login=None, action=None, **_post):
        """Ask before anything is deleted or taken back, and do it when the button is
        clicked.

        :param token: from the link
        :param login: whose account the form is about
        :param action: "decline" or "allow", from a form of the page
        """
        invitations = request.env["portal.invitation"]
        if token:
            request.session.pop(DONE, None)
            invitation, known, _status = invitations._read_decline_token(token)
            return self._hide_token(
                DECLINE_PATH, DECLINE_COOKIE, known and token, invitation
            )
        invitation, known, status = invitations._read_decline_token(
            self._get_cookie(DECLINE_COOKIE)
        )
        if request.httprequest.method == "POST" and known and login == known:
            if action == "decline" and status == "valid":
                request.env["res.users"]._decline_portal_account(
                    known, invitation.partner_id, invitation.order_id
                )
                return self._finish("declined")
            if action == "allow" and status == "declined":
                request.env["portal.decline"]._find_for(known).unlink()
                return self._finish("allowed")
        if not known:
            status = request.session.get(DONE, status)
        # sudo: of the company, the name is shown
        company = invitation.company_id or request.website.company_id.sudo()
        values = {"login": known, "company": company, "status": status}
        response = request.render("sales_confirm_user_create.decline", values)
        return self._keep_private(response)

    def _finish(self, status):
        """Redirect to what was done, and delete the cookie.

        :param status: "declined" or "allowed"
        """
        request.session[DONE] = status
        response = request.redirect(DECLINE_PATH)
        self._set_cookie(response, DECLINE_COOKIE, None)
        return self._keep_private(response)
