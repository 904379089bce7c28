from odoo import models

from ...tools import Trusted


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _get_braked_website(self):
        """Return the website whose limit this order's emails count toward; none if
        staff confirm it."""
        website, user = self.website_id, self.env.user
        is_batch = self.env.context.get("sales_confirm_user_create_batch") is Trusted
        if website and (is_batch or (user._is_internal() and not user._is_superuser())):
            return website.browse()
        return website

    def _has_received_money(self):
        """Return whether a payment of this order arrived, or is reserved."""
        states = set(self.transaction_ids.mapped("state"))
        return not states.isdisjoint({"authorized", "done"})

    def _get_sales_manager(self):
        """Return the employee who manages the sales of this order, or none."""
        group = self.env.ref("sales_team.group_sale_manager")
        managers = group.all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        leader = self.team_id.user_id or self.website_id.salesteam_id.user_id
        return leader & managers or managers.sorted("id")[:1]
