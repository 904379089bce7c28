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
    def account(self, *args, **kwargs):
        """Override of `portal` not to show the company to an undecided account."""
        if request.env.user._is_account_undecided():
            return request.redirect("/my")
        return super().account(*args, **kwargs)

    @http.route()
    def portal_address(self, *args, **kwargs):
        """Override of `portal` not to show the company to an undecided account."""
        if request.env.user._is_account_undecided():
            return request.redirect("/my")
        return super().portal_address(*args, **kwargs)

    @http.route()
    def cart(self, *args, **kwargs):
        """Override of `website_sale` to have visitors log in to go on with a cart that
        is not for them, see ``website._get_and_cache_current_cart``."""
        # A cart that has ended leaves the session as soon as it is looked at.
        is_closed = not request.cart and request.session.get("sale_order_id")
        if is_closed and request.env.user._is_public():
            return request.redirect("/web/login?redirect=/shop/cart")
        return super().cart(*args, **kwargs)

    def _prepare_order_history(self):
        """Override of `website_sale` not to show an undecided account what the company
        has ordered."""
        if request.env.user._is_account_undecided():
            return {"order_history": []}
        return super()._prepare_order_history()

    def _prepare_address_data(self, partner_sudo, **kwargs):
        """Override of `portal` to leave out the addresses of colleagues."""
        return {
            key: value._filter_shown_to_current_customer()
            for key, value in super()
            ._prepare_address_data(partner_sudo, **kwargs)
            .items()
        }

    def _parse_form_data(self, form_data):
        """Override of `portal` to leave out what is the company's: its name, and what
        Odoo keeps the same in the whole company."""
        values, extra = super()._parse_form_data(form_data)
        if request.env.user._get_own_contact() is not None:
            for name in (
                "company_name",
                *request.env["res.partner"]._commercial_fields(),
            ):
                values.pop(name, None)
        return values, extra

    def _complete_address_values(self, address_values, *args, **kwargs):
        """Override of `portal` to make a new address the user's own, and not one of the
        company: nothing else would tell it from those of colleagues.

        :raise Forbidden: nobody knows whose the account is
        """
        self._check_decided()
        res = super()._complete_address_values(address_values, *args, **kwargs)
        own = request.env.user._get_own_contact()
        if own and address_values.get("parent_id"):
            # Odoo takes those of other types for the orders of the company, too.
            address_values |= {"parent_id": own.id, "type": "other"}
        return res

    def _find_child_partner(self, commercial_partner_id, address):
        """Override of `website_sale` to find no address of a colleague."""
        own = request.env.user._get_own_contact()
        if own is not None:
            commercial_partner_id = own.ids
        return super()._find_child_partner(commercial_partner_id, address)

    @http.route()
    def shop_update_address(self, partner_id, *args, **kwargs):
        """Override of `website_sale` to refuse the addresses of colleagues."""
        if request.cart:
            # sudo: of an address, only whether the customer may see it
            address = request.env["res.partner"].sudo().browse(int(partner_id))
            self._check_shown(address)
        return super().shop_update_address(partner_id, *args, **kwargs)

    @http.route()
    def process_express_checkout(self, *args, **kwargs):
        """Override of `website_sale` to write on no address of others."""
        self._check_decided()
        self._release_address_of_others()
        return super().process_express_checkout(*args, **kwargs)

    @http.route()
    def express_checkout_process_delivery_address(self, *args, **kwargs):
        """Override of `website_sale` to write on no address of others."""
        self._check_decided()
        self._release_address_of_others()
        return super().express_checkout_process_delivery_address(*args, **kwargs)

    def _release_address_of_others(self):
        """Deliver the cart to the own contact, if express checkout would take another
        address, which bears the name of the cart, for the one it has created."""
        own = request.env.user._get_own_contact()
        if own is None or not (cart := request.cart):
            return
        address = cart.partner_shipping_id
        is_taken = cart.name in (address.name or "")
        if is_taken and not address._can_be_edited_by_current_customer():
            cart.partner_shipping_id = own

    @http.route()
    def shop_payment_transaction(self, *args, **kwargs):
        """Override of `website_sale` to buy nothing in the name of a company."""
        self._check_decided()
        return super().shop_payment_transaction(*args, **kwargs)

    def _check_decided(self):
        """Check that somebody knows whose account it is.

        :raise Forbidden: nobody does
        """
        if request.env.user._is_account_undecided():
            raise Forbidden()

    @http.route()
    def archive_token(self, token_id):
        """Override of `payment` to keep the cards of the company."""
        self._check_card_shown(token_id)
        return super().archive_token(token_id)

    def _create_transaction(self, *args, flow, token_id=None, **kwargs):
        """Override of `payment` not to charge the cards of the company."""
        if flow == "token":
            self._check_card_shown(token_id)
        return super()._create_transaction(
            *args, flow=flow, token_id=token_id, **kwargs
        )

    def _check_card_shown(self, token_id):
        """Check that the current customer may use a saved card.

        :raise Forbidden: it is the company's, or a colleague's
        """
        user = request.env.user
        if user._is_internal():
            return
        # sudo: of a card, only whether it is the customer's
        cards = request.env["payment.token"].sudo().search([("id", "=", token_id)])
        self._check_shown(cards)
        # Odoo compares a card with the customer of the order, which may be another one.
        family = user.partner_id.commercial_partner_id
        if not user._is_public() and cards.partner_id.commercial_partner_id - family:
            raise Forbidden()

    def _check_shown(self, records):
        """Check that the current customer may see addresses or cards.

        :raise Forbidden: they are the company's, or a colleague's
        """
        if records - records._filter_shown_to_current_customer():
            raise Forbidden()
