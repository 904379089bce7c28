from datetime import timedelta

from passlib.exc import PasswordSizeError

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.web.controllers.utils import _get_login_redirect_url

PATH = "/web/portal/activate"
COOKIE = "portal_activation"
COOKIE_AGE = timedelta(minutes=30)
NO_AGE = timedelta(0)


class PortalActivation(http.Controller):
    """The page that the link in an invitation opens.

    The token leaves the address at once, and waits in a cookie of its own: the session
    may be known to others who use the computer.
    """

    # Not `multilang`: Odoo would redirect to another language with the token.
    @http.route(
        PATH,
        type="http",
        auth="public",
        website=True,
        multilang=False,
        sitemap=False,
        methods=["GET", "POST"],
    )
    def portal_activate(self, token=None, login=None, action=None, **post):
        """Show what the link is good for, or do what its button says.

        :param token: from the link
        :param login: whose account the form is about; in another window of the browser,
            another link may have been opened since
        :param action: "password", "renew" or "switch", from a form of the page
        """
        invitations = request.env["portal.invitation"]
        if token:
            invitation, _status = invitations._read_token(token)
            return self._hide_token(PATH, COOKIE, invitation and token, invitation)
        token = self._get_cookie(COOKIE)
        invitation, status = invitations._read_token(token)
        if not token and request.session.uid:
            # The cookie is gone with the activation. sudo: the customer's own
            invitation = request.env.user.sudo().portal_invitation_ids
            status = "used" if invitation else "invalid"
        if invitation and request.session.uid not in (None, invitation.user_id.id):
            status = "other_user"
        values = {
            "invitation": invitation,
            "status": status,
            "unproven": invitation.user_id._get_unproven(),
        }
        if request.httprequest.method == "POST" and login == invitation.login:
            if action == "switch" and status == "other_user":
                request.session.logout(keep_db=True)
                return request.redirect(PATH)
            if action == "renew" and status == "expired":
                invitation._renew()
                values["status"] = "renewed"
            if action == "password" and status == "valid":
                try:
                    return self._activate(invitation, **post)
                except UserError as error:
                    values["error"] = error.args[0]
        return self._render(values)

    def _hide_token(self, path, cookie, token, invitation):
        """Redirect to a page without its token, in the customer's language.

        :param token: a good one; without it, that of an earlier link goes
        """
        response = request.redirect(path)
        self._set_cookie(response, cookie, token)
        if lang := request.env["ir.http"].get_nearest_lang(invitation.user_id.lang):
            request.future_response.set_cookie("frontend_lang", lang)
        return self._keep_private(response)

    def _get_cookie_name(self, name):
        """Return the name of a cookie, which over HTTPS no other host can set."""
        return f"__Host-{name}" if request.httprequest.scheme == "https" else name

    def _get_cookie(self, name):
        """Return the token that waits in a cookie, or None."""
        return request.cookies.get(self._get_cookie_name(name))

    def _set_cookie(self, response, name, token):
        """Keep a token in a cookie.

        :param token: without one, the cookie is deleted
        """
        response.set_cookie(
            self._get_cookie_name(name),
            token or "",
            max_age=COOKIE_AGE if token else NO_AGE,
            expires=None,
            httponly=True,
            samesite="Lax",
            secure=request.httprequest.scheme == "https",
        )

    def _activate(self, invitation, password=None, confirm_password=None, **_post):
        """Set the password and log in; all of it, or nothing.

        :return: the response
        :raise UserError: a rule refuses the password, or the login
        """
        user = invitation.user_id
        if user.website_id - request.website:
            raise UserError(
                request.env._("This account is for %s.", user.website_id.name)
            )
        # A form can send a file.
        if not isinstance(password, str) or password != confirm_password:
            raise UserError(request.env._("The passwords do not match."))
        credential = {"type": "password", "login": user.login, "password": password}
        with request.env.cr.savepoint():
            kept = request.httprequest.form.getlist("keep")
            try:
                user._activate_portal_account(password, kept)
            except PasswordSizeError as error:
                raise UserError(request.env._("The password is too long.")) from error
            auth_info = request.session.authenticate(request.env, credential)
        response = request.redirect(
            _get_login_redirect_url(auth_info["uid"], invitation._get_destination())
        )
        self._set_cookie(response, COOKIE, None)
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
