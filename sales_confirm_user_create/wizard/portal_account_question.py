from odoo import Command, api, fields, models


class PortalAccountQuestion(models.TransientModel):
    """What to ask staff before something is done about the accounts of customers.

    An operation `x` is done by a method `_confirm_x`, which returns an action.
    """

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
        return {
            "type": "ir.actions.act_window",
            "name": labels[operation],
            "res_model": self._name,
            "res_id": asked.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_confirm(self):
        """Do what was asked about.

        :return: the action of the operation; it closes the dialog
        """
        self.ensure_one()
        action = getattr(self, f"_confirm_{self.operation}")()
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action

    def _confirm_create(self):
        """Create the accounts; see ``sale.order``."""
        return self.order_ids._create_accounts_on_purpose()

    def _confirm_resend(self):
        """Send the invitations again; see where it was asked."""
        if self.order_ids:
            return self.order_ids._resend_portal_invitations()
        return self.invitation_ids._resend_chosen()

    def _confirm_cancel(self):
        """Delete the unused accounts; see ``portal.invitation``."""
        return self.invitation_ids._cancel_chosen()
