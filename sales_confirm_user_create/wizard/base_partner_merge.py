from odoo import models


class MergePartners(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Override of `base`, which moves users to another contact by SQL, to let
        nobody into unused accounts who was sent a link before."""
        partners = self.env["res.partner"].browse(partner_ids)
        res = super()._merge(partner_ids, dst_partner, extra_checks)
        # sudo: those who merge contacts may not edit users
        users = partners.exists().sudo().user_ids
        users.filtered(lambda user: not user._get_mailbox())._clear_unused()
        return res
