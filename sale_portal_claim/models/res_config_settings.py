from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_order_claims = fields.Boolean(
        related="website_id.company_id.portal_order_claims", readonly=False
    )
