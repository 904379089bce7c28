from datetime import timedelta

from odoo import http
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request

from odoo.addons.web.controllers.utils import _get_login_redirect_url

COOKIE = "portal_activation"
COOKIE_AGE = timedelta(minutes=30)


class PortalActivation(http.Controller):
    """The page that the link in an invitation opens.

    The token leaves the address at once, and waits in a cookie of its own: the session
    may be known to others who use the computer.
    """

    @http.route(
        "/my/activate",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
    )
    def portal_activate(self, token=None, action=None, **post):
        """Show what the link is good for, or do what its button says.

        :param token: from the link
        :param action: "password", "renew" or "switch", from a form of the page
        """
        if token:
            return self._hide_token(token)
        invitation, status = self._get_invitation()
        user = invitation.user_id
        values = {"invitation": invitation, "status": status}
        if request.session.uid and request.session.uid != user.id and invitation:
            values["status"] = "other_user"
        if request.httprequest.method == "POST":
            if action == "switch" and values["status"] == "other_user":
                request.session.logout(keep_db=True)
                return request.redirect("/my/activate")
            if action == "renew" and values["status"] == "expired":
                values["status"] = "renewed"
                invitation._renew()
            if action == "password" and values["status"] == "valid":
                try:
                    return self._activate(invitation, **post)
                except UserError as error:
                    values["error"] = error.args[0]
        return self._render(values)

    def _hide_token(self, token):
        """Redirect to the page without the token, in the customer's language."""
        invitation, _status = request.env["portal.invitation"]._read_token(token)
        url = request.env["ir.http"]._url_for(
            "/my/activate", self._get_website_lang(invitation.user_id)
        )
        response = request.redirect(url, code=303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=COOKIE_AGE,
            expires=None,
            httponly=True,
            samesite="Lax",
            secure=request.httprequest.scheme == "https",
        )
        return self._keep_private(response)

    def _get_website_lang(self, user):
        """Return the code of a user's language if the website has it, or None."""
        codes = request.website.language_ids.mapped("code")
        return user.lang if user.lang in codes else None

    def _get_invitation(self):
        """Return the invitation of the visitor's cookie and what it is good for."""
        token = request.cookies.get(COOKIE)
        return request.env["portal.invitation"]._read_token(token)

    def _activate(self, invitation, password=None, confirm_password=None, **_post):
        """Set the password and log in; all of it, or nothing.

        :return: the response
        :raise UserError: a rule refuses the password, or the login
        """
        if password != confirm_password:
            raise UserError(request.env._("The passwords do not match."))
        credential = {
            "type": "password",
            "login": invitation.login,
            "password": password,
        }
        url = invitation._get_destination()
        try:
            with request.env.cr.savepoint():
                invitation.user_id._activate_portal_account(password)
                auth_info = request.session.authenticate(request.env, credential)
        except AccessDenied as error:
            raise UserError(
                request.env._("This account belongs to another website.")
            ) from error
        response = request.redirect(_get_login_redirect_url(auth_info["uid"], url))
        response.delete_cookie(COOKIE)
        return response

    def _render(self, values):
        """Return the response with the page."""
        # sudo: visitors may not read users and parameters
        users = request.env["res.users"].sudo()
        if hasattr(users, "get_password_policy"):
            values["password_policy"] = users.get_password_policy()
        response = request.render("sales_confirm_user_create.activate", values)
        return self._keep_private(response)

    def _keep_private(self, response):
        """Keep a response out of caches, frames and the next page's referrer."""
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        return response
