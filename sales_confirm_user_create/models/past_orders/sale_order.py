from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _group_customers(self, counted):
        """Group the customers of these orders by what would become of their accounts.

        :param counted: set of the contacts' ids and addresses counted before, extended
        :return: dict of counting fields of ``portal.account.batch`` to contacts, or
            orders if the field counts these
        """
        orders = self.filtered(lambda order: order.partner_id.id not in counted)
        due, issues = orders._split_orders_without_account(
            orders._find_customer_users()
        )
        missing = due.partner_id.filtered(
            lambda partner: partner._get_portal_address() not in counted
        )
        refused = (
            self.browse([order.id for order in issues]).partner_id | due.partner_id
        )
        unusable = refused.filtered(lambda partner: not partner._get_portal_address())
        counted.update(orders.partner_id.ids)
        counted.update(partner._get_portal_address() for partner in missing)
        return {
            "missing_count": missing,
            "existing_count": orders.partner_id - refused,
            "unusable_count": unusable,
            "other_count": refused - unusable - missing,
        }
