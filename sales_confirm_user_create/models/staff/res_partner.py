from odoo import models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_open_portal_user(self):
        """Open the user of the contact, for administrators.

        :return: an action
        :raise UserError: the contact has no user
        """
        self.ensure_one()
        if not self.portal_user_id:
            raise UserError(self.env._("This contact has no user."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.users",
            "res_id": self.portal_user_id.id,
            "views": [(self.env.ref("base.view_users_form").id, "form")],
        }

    def action_resend_portal_invitation(self):
        """Invite the contact again, about its latest order; see ``sale.order``.

        :return: an action that shows who gets an email, or why not
        :raise UserError: the contact has no confirmed order
        """
        return self._get_latest_order().action_resend_portal_invitation()

    def action_create_portal_account(self):
        """Create the account of the contact, for its latest order; see ``sale.order``.

        :return: an action that shows who gets an email, or why not
        :raise UserError: the contact has no confirmed order
        """
        return self._get_latest_order().action_create_portal_account()

    def _get_latest_order(self):
        """Return the latest confirmed order of the contact.

        :raise UserError: there is none that the user may read
        """
        self.ensure_one()
        domain = [("partner_id", "=", self.id), ("state", "=", "sale")]
        order = self.env["sale.order"].search(domain, limit=1)
        if not order:
            raise UserError(self.env._("This contact has no confirmed order."))
        return order
