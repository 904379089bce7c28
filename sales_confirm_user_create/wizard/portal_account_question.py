from odoo import Command, api, fields, models


class PortalAccountQuestion(models.TransientModel):
    """What to ask staff before something is done about the accounts of customers."""

    _name = "portal.account.question"
    _description = "Portal Account Question"

    operation = fields.Selection(
        selection=[
            ("create", "Create account"),
            ("resend", "Resend invitations"),
            ("cancel", "Cancel invitations"),
        ],
        required=True,
        readonly=True,
    )
    order_ids = fields.Many2many(comodel_name="sale.order", readonly=True)
    invitation_ids = fields.Many2many(comodel_name="portal.invitation", readonly=True)
    question = fields.Text(readonly=True)

    @api.model
    def _ask(self, operation, records, question):
        """Return the action that asks.

        :param operation: see the field
        :param records: the orders whose customers it is about, or invitations
        :param question: text
        """
        is_order = records._name == "sale.order"
        asked = self.create(
            {
                "operation": operation,
                "order_ids" if is_order else "invitation_ids": [
                    Command.set(records.ids)
                ],
                "question": question,
            }
        )
        labels = dict(self._fields["operation"]._description_selection(self.env))
        return asked._get_records_action(
            name=labels[operation], target="new", context={}
        )

    def action_confirm(self):
        """Do what was asked about.

        :return: the action of the operation; it closes the dialog
        """
        self.ensure_one()
        if self.operation == "create":
            action = self.order_ids.action_create_portal_account(is_sure=True)
        elif self.operation == "cancel":
            action = self.invitation_ids.action_cancel(is_sure=True)
        elif self.order_ids:
            action = self.order_ids.action_resend_portal_invitation(is_sure=True)
        else:
            action = self.invitation_ids.action_resend(is_sure=True)
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action
