from odoo import api, fields, models
from odoo.exceptions import UserError

from .res_users import ROLES, STAFF


class ResPartner(models.Model):
    """What staff see, and set, of the roles of a company's people."""

    _inherit = "res.partner"

    portal_role = fields.Selection(
        selection=ROLES,
        compute="_compute_portal_role",
        inverse="_inverse_portal_role",
        compute_sudo=True,
        groups=STAFF,
        help="Administrator: sees all, orders, manages people. Buyer: sees their own "
        "documents, orders. Viewer: sees all, orders nothing. No role: the access of "
        "Odoo's portal.",
    )
    portal_administrator_ids = fields.Many2many(
        comodel_name="res.partner",
        string="Portal Administrators",
        compute="_compute_portal_administrator_ids",
        groups=STAFF,
    )

    @api.depends("user_ids.portal_role", "commercial_partner_id")
    def _compute_portal_role(self):
        for partner in self:
            user = partner.user_ids.filtered("share")[:1]
            partner.portal_role = user._get_portal_role()

    def _inverse_portal_role(self):
        for partner in self:
            # sudo: sales managers may change this of portal users, and nothing else
            user_sudo = partner.sudo().user_ids.filtered("share")[:1]
            if not user_sudo:
                raise UserError(self.env._("This contact has no portal user."))
            user_sudo.portal_role = partner.portal_role

    def _can_be_edited_by_current_customer(self, **kwargs):
        """Override of `portal` to keep addresses of the company from viewers."""
        user = self.env.user
        is_open = not user._is_viewer() or self == user.partner_id
        return is_open and super()._can_be_edited_by_current_customer(**kwargs)

    def _fields_sync(self, values):
        """Override of `base`, which copies the address of a person to the company: not
        that of a viewer."""
        # sudo: reading users takes more rights than editing contacts
        if self.sudo().user_ids[:1]._is_viewer():
            closed = {*self._address_fields(), *self._synced_commercial_fields()}
            values = {name: values[name] for name in values.keys() - closed}
        return super()._fields_sync(values)

    def _compute_portal_administrator_ids(self):
        for partner in self:
            users = partner._find_portal_administrators()
            partner.portal_administrator_ids = users.partner_id.ids
