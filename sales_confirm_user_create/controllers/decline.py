from odoo import http
from odoo.http import request

from .page import PAGE, PortalPage, get_form_error, is_post

DECLINE_PATH = "/web/portal/decline"
DECLINE_COOKIE = "portal_decline"
# in the session: what was done, once the cookie is deleted
DONE = "portal_decline_done"


class PortalDecline(PortalPage):
    """The page to decline an account."""

    @http.route(DECLINE_PATH, auth="public", methods=["GET", "POST"], **PAGE)
    def portal_decline(self, token=None, login=None, action=None, **post):
        """Ask before an account is deleted or a decline is taken back.

        :param token: from the link
        :param login: whose account the form is about
        :param action: "decline", "keep" or "allow", of the page's buttons
        """
        invitations = request.env["portal.invitation"]
        if token:
            request.session.pop(DONE, None)
            invitation_sudo, known, status = invitations._read_decline_token(token)
            if known:
                return self._hide_token(
                    DECLINE_PATH, DECLINE_COOKIE, token, invitation_sudo
                )
            response = self._render_decline(invitation_sudo, known, status)
            self._set_cookie(response, DECLINE_COOKIE, None)
            return response
        token = self._get_cookie(DECLINE_COOKIE)
        invitation_sudo, known, status = invitations._read_decline_token(token)
        error = False
        if is_post() and known:
            error = get_form_error(post.get("csrf_token"), login, known)
            if not error and action == "decline" and status == "valid":
                request.env["res.users"]._decline_portal_account(
                    known, invitation_sudo.partner_id, invitation_sudo.order_id
                )
                return self._finish("declined")
            if not error and action == "allow" and status == "declined":
                request.env["portal.decline"]._forget([known])
                return self._finish("allowed")
        if action == "keep" and status == "valid":
            status = "kept"
        if not token:
            status = request.session.get(DONE, "missing")
        return self._render_decline(invitation_sudo, known, status, error)

    # A mail program has neither a session nor a form of ours. The token is signed, and
    # can do nothing but this, and decline.
    @http.route(
        "/web/portal/unsubscribe",
        auth="public",
        csrf=False,
        save_session=False,
        methods=["GET", "POST"],
    )
    def portal_unsubscribe(self, token=None, **_post):
        """End the emails for a mail program, see RFC 8058; people who open the address
        see the page that declines.

        The answer is the same for each token.
        """
        if is_post():
            request.env["portal.invitation"]._unsubscribe(token)
            return request.make_response("", headers=[("Cache-Control", "no-store")])
        return request.redirect_query(DECLINE_PATH, {"token": token or ""})

    def _render_decline(self, invitation_sudo, login, status, error=False):
        """Return the response with the page."""
        # sudo: of the company, the name is shown
        company_sudo = invitation_sudo.company_id or request.website.company_id.sudo()
        values = {
            "login": login,
            "company": company_sudo,
            "status": status,
            "error": error,
        }
        return self._render_page("sales_confirm_user_create.decline", values)

    def _finish(self, status):
        """Redirect to what was done, and delete the cookie.

        :param status: "declined" or "allowed"
        """
        request.session[DONE] = status
        response = request.redirect(DECLINE_PATH)
        self._set_cookie(response, DECLINE_COOKIE, None)
        return self._keep_private(response)
