from odoo import models


class PaymentToken(models.Model):
    _inherit = "payment.token"

    def _get_available_tokens(self, *args, **kwargs):
        """Override of `payment` not to show the cards of the company."""
        tokens = super()._get_available_tokens(*args, **kwargs)
        return tokens._filter_shown_to_current_customer()

    def _filter_shown_to_current_customer(self):
        """Return the cards that a customer may see: the own ones, or all.

        A visitor with the link of a document is not logged in, and sees no card of
        customers with an account: the link may be that of somebody who ordered in their
        name, or of a colleague.
        """
        user = self.env.user
        if user._is_public():
            # sudo: visitors may not read users, and learn nothing of them
            tokens = self.sudo()
            holders = tokens.partner_id.commercial_partner_id._filter_account_holders()
            return self - tokens.filtered(
                lambda token: token.partner_id.commercial_partner_id in holders
            )
        own = user._get_own_contact()
        if own is None:
            return self
        return self.filtered(lambda token: token.partner_id == own)
