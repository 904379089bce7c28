from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_account_policy = fields.Selection(
        related="website_id.company_id.portal_account_policy",
        required=True,
        readonly=False,
    )
    portal_company_contacts = fields.Selection(
        related="website_id.company_id.portal_company_contacts",
        required=True,
        readonly=False,
    )
    portal_account_expiry_days = fields.Integer(
        related="website_id.company_id.portal_account_expiry_days", readonly=False
    )
    portal_reminder_max = fields.Integer(
        related="website_id.company_id.portal_reminder_max", readonly=False
    )
    portal_reminder_days = fields.Integer(
        related="website_id.company_id.portal_reminder_days", readonly=False
    )
    portal_email_limit = fields.Integer(
        related="website_id.portal_email_limit", readonly=False
    )
    portal_validity_hours = fields.Integer(
        string="Link Validity (Hours)",
        config_parameter="auth_signup.signup.validity.hours",
        default=144,
    )

    @api.constrains("portal_validity_hours")
    def _check_portal_validity_hours(self):
        if any(settings.portal_validity_hours < 1 for settings in self):
            raise ValidationError(self.env._("Choose at least 1 hour for links."))

    def action_open_portal_invitation_template(self):
        """Open the mail template of the invitation.

        :return: an action; the list of templates if the template is deleted
        """
        return self._open_portal_template("invitation")

    def action_open_portal_reminder_template(self):
        """Open the mail template of the reminder; as for the invitation."""
        return self._open_portal_template("reminder")

    def _open_portal_template(self, name):
        xmlid = f"sales_confirm_user_create.mail_template_portal_{name}"
        template = self.env.ref(xmlid, raise_if_not_found=False)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mail.action_email_template_tree_all"
        )
        if template:
            action |= {"res_id": template.id, "views": [(False, "form")]}
        return action
