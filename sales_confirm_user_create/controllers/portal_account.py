from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

from .page import PAGE, get_form_error, set_notice


class PortalAccount(CustomerPortal):
    """The button for customers who are asked whether they want an account."""

    @http.route("/web/portal/account", auth="public", methods=["POST"], **PAGE)
    def portal_create_account(
        self, order_id=None, access_token=None, csrf_token=None, **_post
    ):
        """Create the account, and return to the page that asked.

        :param order_id: of the order whose portal page asked; without it, the order is
            the latest of this session
        """
        if error := get_form_error(csrf_token):
            return self._show_notice(error)
        if not order_id:
            # sudo: what this session has ordered
            orders_sudo = request.env["sale.order"].sudo()
            order_sudo = orders_sudo.browse(request.session.get("sale_last_order_id"))
            order_sudo.exists()._accept_portal_account()
            return request.redirect("/shop/confirmation")
        # Odoo compares tokens of ASCII only; and a form can send files.
        is_token = isinstance(access_token, str) and access_token.isascii()
        try:
            order_sudo = self._document_check_access(
                "sale.order", int(order_id), access_token if is_token else None
            )
        except (AccessError, MissingError, TypeError, ValueError):
            return self._show_notice(
                request.env._("Open the link to the order in our email again.")
            )
        order_sudo._accept_portal_account()
        return request.redirect(order_sudo.get_portal_url())

    def _show_notice(self, text):
        """Return a page with a notice only."""
        set_notice(text)
        return request.render("sales_confirm_user_create.notice")
