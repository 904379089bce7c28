from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL, consteq

from odoo.addons.sale.controllers.portal import CustomerPortal


class PortalClaims(CustomerPortal):
    """How customers add orders that they placed as guests to their account."""

    def _prepare_orders_domain(self, partner):
        """Override of `sale` to list the orders that were added to the account."""
        domain = super()._prepare_orders_domain(partner)
        if not request.env.user._is_portal():
            return domain
        # Customers may not read the field.
        claimed = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s = %s", SQL.identifier(alias, "portal_partner_id"), partner.id
            )
        )
        return list(
            Domain(domain).map_conditions(
                lambda condition: (
                    condition | claimed
                    if condition.field_expr == "partner_id"
                    else condition
                )
            )
        )

    @http.route(
        "/my/orders/<int:order_id>/claim",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_claim_order(self, order_id, access_token=None, **_post):
        """Add an order to the account of its address, as a proof allows.

        :param access_token: of the order, from the email; not needed in the browser
            that has just ordered
        """
        # sudo: nobody can read the order who has no account for it
        order = request.env["sale.order"].sudo().browse(order_id).exists()
        method = None
        if request.session.get("sale_last_order_id") == order.id:
            method = "browser"
        elif access_token and consteq(order.access_token or "", access_token):
            method = "email"
        if not order or not method or not order._is_claimable_by(request.env.user):
            return request.redirect("/my/orders")
        order._claim_for(request.env.user.sudo(), method)
        return request.redirect(order.get_portal_url())

    @http.route(
        "/my/orders/missing",
        type="http",
        auth="user",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
    )
    def portal_missing_orders(self, token=None, **_post):
        """Email a link to the login, list what it finds, or add that.

        :param token: from the link
        """
        requests, orders = (
            request.env["portal.claim.request"],
            request.env["sale.order"],
        )
        if not requests._is_available(request.website):
            return request.redirect("/my/orders")
        is_post = request.httprequest.method == "POST"
        values = {"page_name": "order", "token": token, "status": "ask"}
        if token:
            values["status"] = "invalid"
            if requests._is_valid_token(token):
                orders = orders._find_claimable_orders(request.env.user)
                values |= {"status": "found", "orders": orders}
                if is_post:
                    orders._claim_for(request.env.user.sudo(), "search")
                    return request.redirect("/my/orders")
        elif is_post:
            requests._send_link(request.website)
            values["status"] = "sent"
        response = request.render(
            "sales_confirm_user_create.portal_missing_orders", values
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        return response
