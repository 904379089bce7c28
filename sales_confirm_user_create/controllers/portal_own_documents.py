from werkzeug.exceptions import Forbidden

from odoo import http
from odoo.http import request

from odoo.addons.website_sale.controllers.main import WebsiteSale


class PortalOwnDocuments(WebsiteSale):
    """Addresses and cards of portal users who see their own documents only.

    Odoo reads both as superuser, so that record rules do not concern them.
    """

    def _prepare_address_data(self, partner_sudo, **kwargs):
        """Override of `portal` to leave out the addresses of colleagues."""
        return {
            key: value._filter_shown_to_current_customer()
            for key, value in super()
            ._prepare_address_data(partner_sudo, **kwargs)
            .items()
        }

    def _complete_address_values(self, address_values, *args, **kwargs):
        """Override of `portal` to make a new address the user's own, and not one of the
        company: nothing else would tell it from those of colleagues."""
        res = super()._complete_address_values(address_values, *args, **kwargs)
        own = request.env.user._get_own_contact()
        if own and address_values.get("parent_id"):
            address_values["parent_id"] = own.id
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
        if user._is_public() or user._get_own_contact() is not None:
            # sudo: of a card, only whether it is the customer's
            cards = request.env["payment.token"].sudo()
            self._check_shown(cards.search([("id", "=", token_id)]))

    def _check_shown(self, records):
        """Check that the current customer may see addresses or cards.

        :raise Forbidden: they are the company's, or a colleague's
        """
        if records - records._filter_shown_to_current_customer():
            raise Forbidden()
