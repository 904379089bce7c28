from odoo import fields, models


class PortalAccountQuestion(models.TransientModel):
    _inherit = "portal.account.question"

    operation = fields.Selection(
        selection_add=[("claim", "Add to this account")],
        ondelete={"claim": "cascade"},
    )

    def _confirm_claim(self):
        """Add the orders to the accounts; see ``sale.order``."""
        return self.order_ids._claim_by_staff(is_confirmed=True)
