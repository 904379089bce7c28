from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_decline_date = fields.Datetime(
        string="Portal Account Declined On",
        compute="_compute_portal_decline_date",
        groups="base.group_user",
        help="When the owner of the address declined a portal account. Orders create "
        "none for it.",
    )

    @api.depends("email")
    def _compute_portal_decline_date(self):
        addresses = [partner._get_portal_address() for partner in self]
        declines = self.env["portal.decline"]._find(addresses)
        for partner in self:
            decline = declines.get(partner._get_portal_address())
            partner.portal_decline_date = decline and decline.create_date

    def action_erase_portal_decline(self):
        """Erase the declines of these contacts' addresses; for administrators.

        :raise AccessError: the user may not
        """
        self.env["portal.decline"].check_access("unlink")
        self.env["portal.decline"]._forget(self.mapped("email"))
