from odoo import fields, models


class PortalInvitationResend(models.TransientModel):
    """What sending the invitations of several orders again would do."""

    _name = "portal.invitation.resend"
    _description = "Resend Portal Invitations"

    order_ids = fields.Many2many(comodel_name="sale.order", readonly=True)
    email_count = fields.Integer(string="Emails to Send", readonly=True)
    reasons = fields.Text(string="Not Sent", readonly=True)

    def action_send(self):
        """Send the emails; see ``sale.order``.

        :return: an action that shows who gets an email, and why others do not
        """
        self.ensure_one()
        action = self.order_ids.action_resend_portal_invitation()
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action
