from odoo.http import request

from odoo.addons.website_sale.controllers.main import WebsiteSale

from ..tools import Trusted


class WebsiteSalePortalAccount(WebsiteSale):
    def _prepare_shop_payment_confirmation_values(self, order):
        """Override of `website_sale` to hide the *Sign Up* link of customers who have,
        had or get an account, or are asked for it: its token needs no email that
        somebody has read.

        Shops remove or change the link, so that a template cannot do it.
        """
        if (
            order.portal_account_offered
            or order._gets_portal_account()
            or order._has_customer_user()
            or order.partner_id._had_portal_account()
        ):
            request.update_context(sales_confirm_user_create_no_signup=Trusted)
        return super()._prepare_shop_payment_confirmation_values(order)
