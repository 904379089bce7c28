from odoo import api, fields, models
from odoo.exceptions import ValidationError


class Website(models.Model):
    _inherit = "website"

    portal_email_limit = fields.Integer(
        string="Emails per Hour",
        default=100,
        help="Maximum number of invitations and reminders an hour for orders that are "
        "neither paid nor confirmed by you. Further ones wait until you release them. "
        "0: no limit.",
    )

    @api.constrains("portal_email_limit")
    def _check_portal_email_limit(self):
        if any(website.portal_email_limit < 0 for website in self):
            raise ValidationError(
                self.env._("Choose 0 or more emails an hour; 0 sets no limit.")
            )
