from odoo import models


class MergePartners(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Override of `base`, which moves users to another contact by SQL: where the
        emails of an account go somewhere else now, its proof ends, and nobody gets in
        who was sent a link before it was used."""
        partners = self.env["res.partner"].browse(partner_ids)
        res = super()._merge(partner_ids, dst_partner, extra_checks)
        # sudo: editing users takes more rights than merging contacts
        users_sudo = partners.exists().sudo().user_ids
        users_sudo = users_sudo.filtered(lambda user: not user._get_mailbox())
        users_sudo._filter_unused_accounts()._clear_credentials()
        users_sudo.filtered("portal_proof_login")._end_proof(keep_password=True)
        return res
