from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_own_documents = fields.Boolean(
        related="website_id.company_id.portal_own_documents", readonly=False
    )
