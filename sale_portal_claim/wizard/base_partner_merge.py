from odoo import models


class MergePartners(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Override of `base`, which moves orders and users to another contact by SQL,
        to end what was claimed by or on the old ones."""
        partners = self.env["res.partner"].browse(partner_ids)
        res = super()._merge(partner_ids, dst_partner, extra_checks)
        partners.exists()._end_unfit_claims()
        return res
