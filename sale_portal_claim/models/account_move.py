from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column


class AccountMove(models.Model):
    _inherit = "account.move"

    portal_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="In Account Of",
        compute="_compute_portal_partner_id",
        store=True,
        index="btree_not_null",
        groups="base.group_system",
        help="The contact whose portal account shows all orders of this invoice. Empty "
        "if the invoice is not addressed to their customer.",
    )

    def _auto_init(self):
        """Override of `base` not to compute what is empty for all that exist."""
        if not column_exists(self.env.cr, self._table, "portal_partner_id"):
            create_column(self.env.cr, self._table, "portal_partner_id", "int4")
        return super()._auto_init()

    @api.depends("partner_id", "line_ids.sale_line_ids.order_id.portal_partner_id")
    def _compute_portal_partner_id(self):
        for move in self:
            orders = move.line_ids.sale_line_ids.order_id
            accounts = {order.portal_partner_id for order in orders}
            customers = orders.partner_id.commercial_partner_id
            is_shown = len(accounts) == 1 and move.commercial_partner_id in customers
            move.portal_partner_id = is_shown and accounts.pop()
