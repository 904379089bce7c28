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
        "/my/orders/<int(max=2147483647):order_id>/claim",
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
        elif access_token and consteq(
            # bytes: it compares no other text than ASCII
            (order.access_token or "").encode(),
            str(access_token).encode(errors="replace"),
        ):
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
        requests = request.env["portal.claim.request"]
        if not requests._is_available(request.website):
            return request.redirect("/my/orders")
        # sudo: customers may not read how they log in
        user = request.env.user.sudo()
        is_post = request.httprequest.method == "POST"
        token = token if isinstance(token, str) else None  # or an uploaded file
        values = {"page_name": "order", "token": token, "status": "ask"}
        if not requests._has_mailbox():
            values["status"] = "address"
        elif token and not requests._is_valid_token(token):
            values["status"] = "invalid"
        elif token and is_post:
            user._on_mailbox_proven("search", request.httprequest.form.getlist("keep"))
            return request.redirect("/my/orders")
        elif token:
            values |= {
                "status": "found",
                "orders": request.env["sale.order"]._find_claimable_orders(user),
                "unproven": user._get_unproven(),
                "is_proven": user._get_proof_date(),
            }
        elif is_post:
            requests._send_link(request.website)
            values["status"] = "sent"
        response = request.render("sale_portal_claim.portal_missing_orders", values)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        return response
