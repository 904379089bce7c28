from odoo import models


class PaymentToken(models.Model):
    _inherit = "payment.token"

    def _get_available_tokens(self, *args, **kwargs):
        """Override of `payment` not to show the cards of others."""
        return super()._get_available_tokens(*args, **kwargs)._filter_for_customer()

    def _filter_for_customer(self):
        """Return the cards that the current customer may see and use.

        A visitor with the link of a document sees none: the link may be that of a
        colleague, or of somebody who ordered in the customer's name.
        """
        user = self.env.user
        if user._is_internal():
            return self
        if user._is_public():
            return self.browse()
        own = user._get_own_contact()
        if own is not None:
            addresses = self.partner_id._filter_addresses(own)
            return self.filtered(lambda card: card.partner_id in addresses)
        family = user.partner_id.commercial_partner_id
        return self.filtered(
            lambda card: card.partner_id.commercial_partner_id == family
        )
