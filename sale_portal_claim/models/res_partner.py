from odoo import fields, models


class ResPartner(models.Model):
    """Contacts whose orders are in the account of another one."""

    _inherit = "res.partner"

    portal_claim_due = fields.Selection(
        selection=[("activation", "Activation"), ("search", "Search in the portal")],
        copy=False,
        readonly=True,
        index="btree_not_null",
        groups="base.group_system",
        help="The scheduled action adds more orders to this contact's account.",
    )

    def write(self, vals):
        """Override of `base`: claims end with the guest and the address they rest
        on."""
        res = super().write(vals)
        if not {"email", "is_company", "parent_id"}.isdisjoint(vals):
            self._end_unfit_claims()
        return res

    def unlink(self):
        """Override of `base`: an account that ends releases its claims."""
        # sudo: those who delete a contact may not edit orders of others
        orders = self.env["sale.order"].sudo()
        orders.search([("portal_partner_id", "in", self.ids)])._unclaim()
        return super().unlink()

    def _end_unfit_claims(self):
        """End the claims by and on these contacts that nothing supports any more."""
        # sudo: those who change a contact or a user may not edit orders of others
        self.env["sale.order"].sudo().search(
            [
                ("portal_partner_id", "!=", False),
                "|",
                ("portal_partner_id", "in", self.ids),
                ("partner_id", "in", self.ids),
            ]
        )._end_unfit_claims()
