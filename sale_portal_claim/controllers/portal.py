from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.sale.controllers.portal import CustomerPortal


class PortalClaims(CustomerPortal):
    """How customers add orders that they placed as guests to their account."""

    def _prepare_orders_domain(self, partner):
        """Override of `sale` to list the orders that were added to the account."""
        # sudo: customers may not read the field
        orders_sudo = request.env["sale.order"].sudo()
        claimed = [("portal_partner_id", "=", partner.id), ("state", "=", "sale")]
        domain = Domain(super()._prepare_orders_domain(partner))
        return list(domain | Domain("id", "in", orders_sudo.search(claimed).ids))

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
        order_sudo = request.env["sale.order"].sudo().browse(order_id).exists()
        # bytes: it compares no other text than ASCII
        given = str(access_token or "").encode(errors="replace")
        method = None
        if request.session.get("sale_last_order_id") == order_id:
            method = "browser"
        elif given and consteq((order_sudo.access_token or "").encode(), given):
            method = "email"
        if not method or not order_sudo._filter_claimable(request.env.user):
            return request.redirect("/my/orders")
        order_sudo._claim_for(request.env.user.sudo(), method)
        return request.redirect(order_sudo.get_portal_url())

    @http.route(
        "/web/portal/missing",
        type="http",
        auth="user",
        website=True,
        multilang=False,
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
        user_sudo = request.env.user.sudo()
        is_post = request.httprequest.method == "POST"
        if not user_sudo._get_mailbox():
            status = "address"
        elif not token:
            status = "sent" if is_post else "ask"
        else:
            status = "found" if requests._is_valid_token(token) else "invalid"
        if status == "sent":
            requests._send_link(request.website)
        elif status == "found" and is_post:
            kept = request.httprequest.form.getlist("keep")
            user_sudo._on_mailbox_proven("search", kept)
            return request.redirect("/my/orders")
        response = request.render(
            "sale_portal_claim.portal_missing_orders",
            {
                "page_name": "order",
                "status": status,
                "token": token,
                "user_sudo": user_sudo,
            },
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        return response
