from odoo import fields, models


class PortalAccountBatch(models.Model):
    _inherit = "portal.account.batch"

    claimable_count = fields.Integer(
        string="Orders Added on Activation",
        readonly=True,
        help="Orders of other contacts with the addresses of the new accounts. They "
        "are added to an account once its customer activates it.",
    )
