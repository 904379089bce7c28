from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_own_documents = fields.Boolean(
        string="New Portal Users: Own Documents Only",
        help="The suggestion when you grant portal access.",
    )
