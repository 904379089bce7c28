import logging
import re

from odoo import http
from odoo.http import request

from odoo.addons.auth_signup.controllers.main import AuthSignupHome

# Not Odoo's own key, which holds what a mailed document says of who may sign up.
SESSION_KEY = "portal_invitation_token"
ODOO_SESSION_KEY = "auth_signup_token"
# Not `error`: Odoo hands the query on to its other pages, which do nothing on an error.
DEAD_LINK = "dead_link"
INVITATION = {"invitation": 1}


class SignupTokenFilter(logging.Filter):
    """Keep activation tokens out of the log of requests."""

    _token = re.compile(r"(/web/(?:signup|reset_password|login)\?\S*?\btoken=)[^&\s]+")

    def filter(self, record):
        message = record.getMessage()
        cleaned = self._token.sub(r"\1…", message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        return True


logging.getLogger("werkzeug").addFilter(SignupTokenFilter())


class PortalInvitation(AuthSignupHome):
    """Keep the activation token out of the address bar and the page.

    The session holds it for the page that the link leads to, and for no other. A dead
    link leads to the login page, which says so.
    """

    @http.route()
    def web_auth_signup(self, *args, **kw):
        """Extend to take the token from the link, and check it at each step."""
        if request.httprequest.method == "GET" and (token := kw.pop("token", None)):
            if not self._get_token_info(token):
                return self._redirect_dead_link(kw)
            request.session[SESSION_KEY] = token
            return request.redirect_query("/web/signup", query=INVITATION | kw)
        self._forget_dead_tokens_of_odoo()
        if "invitation" in kw and (token := request.session.get(SESSION_KEY)):
            info = self._get_token_info(token)
            if not info:
                del request.session[SESSION_KEY]
                return self._redirect_dead_link(kw)
            # Another link was opened meanwhile: the page is about another account.
            if "email" not in info and kw.get("login", info["login"]) != info["login"]:
                return request.redirect_query("/web/signup", query=INVITATION)
            request.params["token"] = token
        elif not (
            kw.get("token")
            or request.session.get(ODOO_SESSION_KEY)
            or self.get_auth_signup_config()["signup_enabled"]
        ):
            # such as a page that was opened in another browser than the link
            return self._redirect_dead_link(kw)
        return super().web_auth_signup(*args, **kw)

    @http.route()
    def web_auth_reset_password(self, *args, **kw):
        """Extend to forget what a mailed document said of who may sign up.

        Odoo would take it for the link to a new password, which has its own token.
        """
        request.session.pop(ODOO_SESSION_KEY, None)
        return super().web_auth_reset_password(*args, **kw)

    @http.route()
    def web_login(self, *args, **kw):
        """Extend to say what to do about a link that is dead."""
        if request.httprequest.method == "GET" and DEAD_LINK in request.params:
            request.params["error"] = request.env._(
                "This link no longer works: it was used, replaced or is too old. "
                "Log in, or choose Reset Password to get a new link."
            )
        return super().web_login(*args, **kw)

    def get_auth_signup_qcontext(self):
        """Extend to tell a link to an account from one to create an account with."""
        qcontext = super().get_auth_signup_qcontext()
        qcontext["is_token_in_session"] = "invitation" in request.params
        qcontext["is_invitation"] = bool(
            qcontext.get("token")
            and not qcontext.get("invalid_token")
            # `_signup_retrieve_info` gives the address only where there is no user
            and "email" not in qcontext
        )
        return qcontext

    def _forget_dead_tokens_of_odoo(self):
        """Forget what a mailed document said, once its customer has an account.

        Odoo would answer everybody who signs up in this browser that it is invalid.
        """
        token = request.session.get(ODOO_SESSION_KEY)
        if token and not self._get_token_info(token):
            del request.session[ODOO_SESSION_KEY]

    def _redirect_dead_link(self, params):
        """Send the visitor to the login page, which says that the link is dead."""
        query = {DEAD_LINK: 1}
        if redirect := params.get("redirect"):
            query["redirect"] = redirect
        return request.redirect_query("/web/login", query=query)

    def _get_token_info(self, token):
        """Return what a token is about, or None when it is dead or garbled."""
        try:
            # sudo: a visitor may not read contacts; who has the token may see its own
            return request.env["res.partner"].sudo()._signup_retrieve_info(token)
        except (ValueError, TypeError, LookupError):
            # what decoding makes of a link that a mail program has cut
            return None
