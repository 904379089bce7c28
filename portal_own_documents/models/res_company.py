from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_own_documents = fields.Boolean(
        string="New Portal Users: Own Documents Only",
        help="What granting access to the portal suggests.",
    )
