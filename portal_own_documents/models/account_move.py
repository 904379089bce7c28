from odoo import api, fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    portal_buyer_id = fields.Many2one(
        "res.partner",
        compute="_compute_portal_buyer_id",
        store=True,
        index="btree_not_null",
        help="The only customer of this invoice's orders. Their portal shows it even "
        "if it is addressed to a colleague.",
    )

    @api.depends("partner_id", "line_ids.sale_line_ids.order_id.partner_id")
    def _compute_portal_buyer_id(self):
        for move in self:
            buyer = move.line_ids.sale_line_ids.order_id.partner_id
            is_shown = (
                len(buyer) == 1
                and move.move_type in ("out_invoice", "out_refund")
                and move.commercial_partner_id == buyer.commercial_partner_id
            )
            move.portal_buyer_id = is_shown and buyer
