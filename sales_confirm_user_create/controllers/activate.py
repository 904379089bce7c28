from passlib.exc import PasswordSizeError

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.web.controllers.utils import _get_login_redirect_url

from .page import PAGE, PortalPage, get_form_error, is_post, set_notice

PATH = "/web/portal/activate"
COOKIE = "portal_activation"


class PortalActivation(PortalPage):
    """The page that the link in an invitation opens."""

    @http.route(PATH, auth="public", methods=["GET", "POST"], **PAGE)
    def portal_activate(self, token=None, login=None, action=None, **post):
        """Show the page of the link, or do what its button says.

        :param token: from the link
        :param login: whose account the form is about; in another window of the browser,
            another link may have been opened since
        :param action: "password", "renew" or "switch", from a form of the page
        """
        invitations = request.env["portal.invitation"]
        if token:
            invitation_sudo, status = invitations._read_token(token)
            if invitation_sudo:
                return self._hide_token(PATH, COOKIE, token, invitation_sudo)
            response = self._render({"invitation": invitation_sudo, "status": status})
            self._set_cookie(response, COOKIE, None)
            return response
        invitation_sudo, status = self._read_cookie()
        values = {"invitation": invitation_sudo, "status": status}
        if is_post():
            values["error"] = self._get_error(invitation_sudo, status, login, **post)
            if not values["error"]:
                if action == "switch" and status == "other_user":
                    request.session.logout(keep_db=True)
                    return request.redirect(PATH)
                if action == "renew" and status == "expired":
                    values["status"] = (
                        "renewed" if invitation_sudo._renew() else "invalid"
                    )
                if action == "password" and status == "valid":
                    try:
                        return self._activate(invitation_sudo, **post)
                    except UserError as error:
                        values["error"] = error.args[0]
        if status == "used" and request.session.uid:
            if values.get("error"):
                set_notice(values["error"])
            return request.redirect(invitation_sudo._get_destination())
        return self._render(values)

    def _read_cookie(self):
        """Return the invitation in the cookie, and its status."""
        token = self._get_cookie(COOKIE)
        invitation_sudo, status = request.env["portal.invitation"]._read_token(token)
        if not token:
            # The cookie is gone with the activation. sudo: the customer's own
            own_sudo = (
                request.session.uid and request.env.user.sudo().portal_invitation_ids
            )
            return (own_sudo, "used") if own_sudo else (invitation_sudo, "missing")
        if invitation_sudo and request.session.uid not in (
            None,
            invitation_sudo.user_id.id,
        ):
            status = "other_user"
        return invitation_sudo, status

    def _get_error(self, invitation_sudo, status, login, csrf_token=None, **post):
        """Return why the form is not accepted, or False."""
        if status == "used":
            return request.env._(
                "This account is already active. Its password has not changed."
            )
        if status in ("missing", "invalid", "expired") and "password" in post:
            return request.env._("Your password was not saved.")
        return get_form_error(csrf_token, login, invitation_sudo.login)

    def _activate(self, invitation_sudo, password=None, confirm_password=None, **_post):
        """Set the password and log in, or do nothing.

        :return: the response
        :raise UserError: a rule rejects the password or the login
        """
        user_sudo = invitation_sudo.user_id
        if user_sudo.website_id - request.website:
            raise UserError(
                request.env._("This account is for %s.", user_sudo.website_id.name)
            )
        # A form can send a file.
        if not isinstance(password, str) or password != confirm_password:
            raise UserError(request.env._("The passwords do not match."))
        credential = {
            "type": "password",
            "login": user_sudo.login,
            "password": password,
        }
        with request.env.cr.savepoint():
            kept = request.httprequest.form.getlist("keep")
            try:
                user_sudo._activate_portal_account(password, kept)
            except PasswordSizeError as error:
                raise UserError(request.env._("The password is too long.")) from error
            auth_info = request.session.authenticate(request.env, credential)
        set_notice(
            request.env._(
                "Your account is active. You are logged in as %s.", user_sudo.login
            )
        )
        response = request.redirect(
            _get_login_redirect_url(
                auth_info["uid"], invitation_sudo._get_destination()
            )
        )
        self._set_cookie(response, COOKIE, None)
        return response

    def _render(self, values):
        """Return the response with the page."""
        # sudo: visitors may not read users and parameters
        users_sudo = request.env["res.users"].sudo()
        if hasattr(users_sudo, "get_password_policy"):
            values["password_policy"] = users_sudo.get_password_policy()
        if values["status"] == "valid":
            values["unproven"] = values["invitation"].user_id._get_unproven()
        return self._render_page("sales_confirm_user_create.activate", values)
