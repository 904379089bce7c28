from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _filter_guests(self):
        """Return the contacts that have no company, no people and no user, archived or
        not; the checkout creates addresses below a guest, for a delivery elsewhere."""
        contacts = self.with_context(active_test=False)
        domain = [("parent_id", "in", self.ids), ("type", "in", ("contact", False))]
        return (
            contacts.filtered(
                lambda contact: (
                    not (contact.parent_id or contact.is_company or contact.user_ids)
                )
            )
            - contacts.search(domain).parent_id
        )

    def write(self, vals):
        """Override of `base`: a claim ends with the guest and the addresses it rests
        on."""
        res = super().write(vals)
        if not {"company_id", "email", "is_company", "parent_id"}.isdisjoint(vals):
            self._end_unfit_claims()
        return res

    def _end_unfit_claims(self):
        """End the claims of these contacts that no longer fit."""
        # sudo: those who change a contact or a user may not edit orders of others
        self.env["sale.order"].sudo().search(
            [
                ("portal_partner_id", "!=", False),
                "|",
                ("portal_partner_id", "in", self.ids),
                ("partner_id", "in", self.ids),
            ]
        )._end_unfit_claims()
