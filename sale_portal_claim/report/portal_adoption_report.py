from odoo import fields, models
from odoo.tools import SQL


class PortalAdoptionReport(models.Model):
    _inherit = "portal.adoption.report"
    _depends = {"sale.order": ["portal_partner_id"]}

    claimed_count = fields.Integer(
        string="Claimed Orders",
        readonly=True,
        help="Orders that were added to the portal account of another contact.",
    )

    def _select(self) -> SQL:
        return SQL(
            "%s, (sale.portal_partner_id IS NOT NULL)::int AS claimed_count",
            super()._select(),
        )
