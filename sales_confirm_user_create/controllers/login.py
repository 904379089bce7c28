import re
from urllib.parse import parse_qs

from odoo import http
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.web.controllers.home import Home

from .page import PAGE, get_form_error, split_link

# of a page for which a visitor has to log in
ORDER_PATH = re.compile(r"(?:/\w+)?/my/orders/(\d{1,9})(?:/\w+)?")


class PortalLogin(Home):
    """The login page for customers who come from the link of an order, and have not
    chosen a password yet."""

    @http.route()
    def web_login(self, *args, **kw):
        """Override of `web` to offer the invitation again."""
        response = super().web_login(*args, **kw)
        url = split_link(str(request.params.get("redirect") or ""))
        if response.is_qweb and ORDER_PATH.fullmatch(url.path):
            response.qcontext["portal_order_link"] = url.geturl()
        return response

    @http.route("/web/portal/invite", auth="public", methods=["POST"], **PAGE)
    def portal_invite_again(self, redirect="", csrf_token=None, **_post):
        """Invite the customer of an order again; the answer is always the same.

        :param redirect: the link of the order
        """
        redirect = str(redirect)
        query = {"redirect": redirect}
        if error := get_form_error(csrf_token):
            return request.redirect_query("/web/login", query | {"message": error})
        if order_sudo := self._find_linked_order(redirect):
            order_sudo._invite_again()
        query["message"] = request.env._(
            "If your account has no password yet, the invitation is on its way again. "
            "We send at most one every 24 hours, so check your spam folder, too."
        )
        return request.redirect_query("/web/login", query)

    def _find_linked_order(self, link):
        """Return the order that a visitor has the link of, as superuser, or none."""
        url = split_link(link)
        # sudo: visitors may not read orders; the token, or the session, names theirs
        orders_sudo = request.env["sale.order"].sudo()
        if not (match := ORDER_PATH.fullmatch(url.path)):
            return orders_sudo
        order_sudo = orders_sudo.browse(int(match[1])).exists()
        [token] = parse_qs(url.query).get("access_token", [""])[:1]
        known = order_sudo.access_token or ""
        # bytes: it compares no other text than ASCII
        is_known = known and consteq(known.encode(), token.encode(errors="replace"))
        is_own = request.session.get("sale_last_order_id") == order_sudo.id
        return order_sudo if is_known or is_own else orders_sudo
