from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_account_policy = fields.Selection(
        selection=[
            ("all", "All confirmed orders"),
            ("website", "Website orders only"),
            ("ask", "Ask the customer"),
            ("never", "Never"),
        ],
        string="Create Portal Accounts",
        default="all",
        required=True,
        help="Which confirmed orders create a portal account.",
    )
    portal_reminder_max = fields.Integer(
        string="Reminders",
        default=1,
        help="Maximum number of reminders per invitation. 0 turns reminders off.",
    )
    portal_reminder_days = fields.Integer(
        string="Days Between Reminders",
        default=3,
        help="Days from an invitation or a reminder to the next reminder.",
    )
    portal_company_contacts = fields.Selection(
        selection=[
            ("own", "Own documents only"),
            ("all", "The whole company's documents"),
            ("none", "No account"),
        ],
        string="Contacts of Companies",
        default="own",
        required=True,
        help="What new accounts of company contacts can see.",
    )
    portal_account_expiry_days = fields.Integer(
        string="Delete Unused Accounts",
        help="Delete accounts not activated within this many days of the latest "
        "invitation. 0: never.",
    )

    @api.constrains("portal_reminder_max", "portal_reminder_days")
    def _check_portal_reminder(self):
        for company in self:
            if not 0 <= company.portal_reminder_max <= 10:
                raise ValidationError(
                    self.env._("Choose between 0 and 10 reminders; 0 turns them off.")
                )
            if company.portal_reminder_days < 1:
                raise ValidationError(
                    self.env._("Choose at least 1 day between two reminders.")
                )

    @api.constrains("portal_account_expiry_days")
    def _check_portal_account_expiry_days(self):
        if any(company.portal_account_expiry_days < 0 for company in self):
            raise ValidationError(
                self.env._("Choose 0 or more days before unused accounts are deleted.")
            )

    def _get_portal_reminder_domain(self):
        """Return the domain of the invitations that this company is to repeat now."""
        self.ensure_one()
        latest = fields.Datetime.now() - timedelta(days=self.portal_reminder_days)
        is_on = self.portal_account_policy != "never" and self.portal_reminder_max
        return [
            ("company_id", "=" if is_on else "in", self.id if is_on else []),
            ("sent_date", "<=", latest),
            ("due_date", "=", False),
            ("cancel_reason", "=", False),
            ("failure", "=", False),
            ("bounce_date", "=", False),
            ("held_date", "=", False),
            ("reminder_count", "<", self.portal_reminder_max),
            ("user_id.active", "=", True),
            ("user_id.portal_activation_date", "=", False),
        ]
