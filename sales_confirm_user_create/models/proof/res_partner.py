from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _end_typed_addresses(self):
        """Archive addresses that the customer does not know, and detach them: Odoo
        unarchives one for somebody who signs up by a link that was mailed there."""
        self.parent_id = False
        self.filtered(lambda address: not address.user_ids).active = False
