from odoo import api, fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="Latest Order",
        compute="_compute_portal_order_id",
        groups="sales_team.group_sale_salesman",
    )

    @api.depends("sale_order_ids.state")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_portal_order_id(self):
        """Of the confirmed orders that the user may read."""
        domain = [("partner_id", "in", self.ids), ("state", "=", "sale")]
        orders = self.env["sale.order"]
        rows = orders._read_group(domain, ["partner_id"], ["id:max"])
        latest = {partner.id: order_id for partner, order_id in rows}
        for partner in self:
            partner.portal_order_id = latest.get(partner.id)

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
        if not self.portal_order_id:
            raise UserError(self.env._("This contact has no confirmed order."))
        return self.portal_order_id
