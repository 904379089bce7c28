from werkzeug.exceptions import Forbidden

from odoo import http
from odoo.http import request

from odoo.addons.website_sale.controllers.cart import Cart
from odoo.addons.website_sale.controllers.delivery import Delivery
from odoo.addons.website_sale.controllers.payment import PaymentPortal


class PortalOwnDocuments(Cart, Delivery, PaymentPortal):
    """Addresses, cards and carts of portal users who see their own documents only.

    Odoo reads and writes them as superuser, so that record rules do not concern them.
    """

    @http.route()
    def cart(self, *args, **kwargs):
        """Override of `website_sale` to have visitors log in to go on with a cart that
        is not for them, see ``website._get_and_cache_current_cart``."""
        # A cart that has ended leaves the session as soon as it is looked at.
        is_closed = not request.cart and request.session.get("sale_order_id")
        is_visitor = request.env.user._is_public()
        if (is_closed and is_visitor) or self._is_closed(kwargs.get("id")):
            return request.redirect("/web/login?redirect=/shop/cart")
        return super().cart(*args, **kwargs)

    @http.route()
    def shop_payment_transaction(self, order_id, *args, **kwargs):
        """Override of `website_sale` to have visitors log in to order such a cart.

        :raise Forbidden: the visitor is not logged in
        """
        if self._is_closed(order_id):
            raise Forbidden()
        return super().shop_payment_transaction(order_id, *args, **kwargs)

    def _is_closed(self, order_id):
        """Return whether visitors must log in to continue a cart."""
        is_id = str(order_id or "").isdecimal() and len(str(order_id)) < 10
        # sudo: visitors may not read orders, and learn nothing but this
        carts_sudo = request.env["sale.order"].sudo()
        cart_sudo = carts_sudo.browse(int(order_id) if is_id else None).exists()
        return cart_sudo._is_closed_to_visitor()

    def _prepare_address_data(self, partner_sudo, **kwargs):
        """Override of `portal` to leave out the addresses of colleagues."""
        data = super()._prepare_address_data(partner_sudo, **kwargs)
        return {key: value._filter_for_customer() for key, value in data.items()}

    def _parse_form_data(self, form_data):
        """Override of `portal` to leave out what Odoo keeps the same in a company."""
        values, extra = super()._parse_form_data(form_data)
        if request.env.user._get_own_contact():
            for name in request.env["res.partner"]._commercial_fields():
                values.pop(name, None)
        return values, extra

    def _complete_address_values(self, address_values, *args, **kwargs):
        """Override of `portal` to make a new address the user's own, and not one of the
        company: nothing else would tell it from those of colleagues."""
        res = super()._complete_address_values(address_values, *args, **kwargs)
        if own := request.env.user._get_own_contact():
            # Odoo takes those of other types for the orders of the company, too.
            address_values |= {"parent_id": own.id, "type": "other"}
        return res

    def _find_child_partner(self, commercial_partner_id, address):
        """Override of `website_sale` to find no address of a colleague."""
        own = request.env.user._get_own_contact()
        return super()._find_child_partner(
            own.id if own else commercial_partner_id, address
        )

    @http.route()
    def archive_token(self, token_id):
        """Override of `payment` to keep the cards of the company."""
        self._check_card(token_id)
        return super().archive_token(token_id)

    def _create_transaction(self, *args, flow, token_id=None, **kwargs):
        """Override of `payment` to charge no card of the company, and to save a new one
        for the contact itself, not for the invoice address."""
        if flow == "token":
            self._check_card(token_id)
        own = request.env.user._get_own_contact()
        if own and kwargs.get("tokenization_requested"):
            kwargs["partner_id"] = own.id
        return super()._create_transaction(
            *args, flow=flow, token_id=token_id, **kwargs
        )

    def _check_card(self, token_id):
        """Check that the current customer may use a saved card.

        :raise Forbidden: it is the company's, or somebody else's
        """
        # sudo: of a card, only whether it is the customer's
        card_sudo = request.env["payment.token"].sudo().search([("id", "=", token_id)])
        if card_sudo - card_sudo._filter_for_customer():
            raise Forbidden()
