from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.sale.controllers.portal import CustomerPortal
from odoo.addons.sales_confirm_user_create.controllers.page import (
    PAGE,
    get_form_error,
    is_post,
    set_notice,
)


def claim_order(order_id, access_token=None):
    """Add an order to the current user's account, if they prove it is theirs; say so on
    the next page. Whoever made an account that another one's mailbox never opened may
    have other ways in, which the page for missing orders removes.

    :param access_token: of the order, from the email; not needed in the browser that
        has just ordered
    :return: where to go on, as a local address
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
    # sudo: customers may not read how they log in
    user_sudo = request.env.user.sudo()
    if method and order_sudo._filter_claimable(user_sudo):
        # A new password ends sessions, and cards let nobody in.
        kinds = {item.key.partition("-")[0] for item in user_sudo._get_credentials()}
        kinds -= {"res.device", "payment.token"}
        if not kinds or user_sudo._get_proof_date():
            order_sudo._claim_for(user_sudo, method)
        elif request.env["portal.claim.request"]._is_available(request.website):
            set_notice(request.env._("Confirm your address first."))
            return "/web/portal/missing"
    if method and order_sudo.portal_partner_id == user_sudo.partner_id:
        set_notice(request.env._("Order %s is in your account.", order_sudo.name))
        return order_sudo.get_portal_url()
    set_notice(
        request.env._(
            "The order was not added to the account of %s. Contact us if it is yours.",
            user_sudo.login,
        )
    )
    return order_sudo.get_portal_url() if method == "email" else "/my/orders"


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
        auth="user",
        website=True,
        csrf=False,
        methods=["GET", "POST"],
    )
    def portal_claim_order(self, order_id, access_token=None, csrf_token=None, **_post):
        """Add an order to the account of its address; without the form, show that.

        :param access_token: of the order, from the email
        """
        if is_post():
            error = get_form_error(csrf_token)
            if not error:
                return request.redirect(claim_order(order_id, access_token))
            set_notice(error)
        if not access_token:
            return request.redirect("/shop/confirmation")
        page = f"/my/orders/{order_id}"
        return request.redirect_query(page, {"access_token": access_token})

    @http.route("/web/portal/missing", auth="user", methods=["GET", "POST"], **PAGE)
    def portal_missing_orders(self, token=None, **post):
        """Email a link to the login, list what it finds, or add that.

        :param token: from the link
        """
        requests = request.env["portal.claim.request"]
        if not requests._is_available(request.website):
            return request.redirect("/my/orders")
        # sudo: customers may not read how they log in
        user_sudo = request.env.user.sudo()
        error = is_post() and get_form_error(post.get("csrf_token"))
        is_sent = is_post() and not error
        if not user_sudo._get_mailbox():
            status = "address"
        elif not token:
            status = requests._send_link(request.website) if is_sent else "ask"
        else:
            status = "found" if requests._is_valid_token(token) else "invalid"
        if status == "found" and is_sent:
            found_sudo = request.env["sale.order"]._find_claimable_orders(user_sudo)
            kept = request.httprequest.form.getlist("keep")
            user_sudo._on_mailbox_proven("search", kept)
            notice = request.env._("Your address is confirmed.")
            if added := found_sudo.filtered("portal_partner_id"):
                names = ", ".join(added[:10].mapped("name"))
                notice = request.env._("Added to your account: %s.", names)
            set_notice(notice)
            return request.redirect("/my/orders")
        if error:
            set_notice(error)
        response = request.render(
            "sale_portal_claim.portal_missing_orders",
            {
                "page_name": "portal_missing_orders",
                "status": status,
                "token": token,
                "user_sudo": user_sudo,
            },
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        return response
