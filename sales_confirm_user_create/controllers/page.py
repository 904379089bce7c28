from datetime import timedelta
from urllib.parse import urlsplit

from odoo import http
from odoo.http import request

# How our pages are routed. With `multilang`, Odoo would redirect to another language,
# with the token. They check the CSRF token themselves: Odoo's page for a form that is
# too old is no help to customers.
PAGE = {"website": True, "multilang": False, "sitemap": False, "csrf": False}
# of a sentence that the next page of the portal shows once, in the session
NOTICE = "portal_notice"
COOKIE_AGE = timedelta(minutes=30)


def set_notice(text):
    """Have the next page of the portal show a sentence, once."""
    request.session[NOTICE] = text


def split_link(text):
    """Return the parts of a URL from a visitor; empty parts if it is none."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def is_post():
    """Return whether a form was sent, in whatever session."""
    return request.httprequest.method == "POST"


def get_form_error(csrf_token, login=None, known=None):
    """Return why a form is not accepted, or False.

    :param csrf_token: what a visitor sent, also a file
    :param login: whose account the form is about
    :param known: whose account the page is about now
    """
    is_text = isinstance(csrf_token, str) and csrf_token.isascii()
    if not is_text or not request.validate_csrf(csrf_token):
        return request.env._(
            "Nothing was done because this page was out of date. Please try again. If "
            "that doesn't help, allow cookies in your browser."
        )
    if known and login != known:
        return request.env._(
            "Nothing was done: you opened another link in this browser. "
            "This page is now about %s.",
            known,
        )
    return False


class PortalPage(http.Controller):
    """Base of the pages that links in emails open.

    The token leaves the address at once, and waits in a cookie of its own: the session
    may be known to others who use the computer.
    """

    def _hide_token(self, path, cookie, token, invitation):
        """Redirect to a page without its token, in the customer's language."""
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
            max_age=COOKIE_AGE if token else 0,
            expires=None,
            httponly=True,
            samesite="Lax",
            secure=request.httprequest.scheme == "https",
        )

    def _render_page(self, template, values):
        """Return the response with a page of ours."""
        # sudo: visitors may not read parameters
        get_param = request.env["ir.config_parameter"].sudo().get_param
        is_reset = get_param("auth_signup.reset_password") == "True"
        values["is_reset_offered"] = is_reset
        return self._keep_private(request.render(template, values))

    def _keep_private(self, response):
        """Keep a response out of caches, frames and the next page's referrer."""
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        return response
