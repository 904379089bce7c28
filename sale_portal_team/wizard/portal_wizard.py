from odoo import fields, models

from ..models.role.res_users import ROLES


class PortalWizardUser(models.TransientModel):
    _inherit = "portal.wizard.user"

    portal_role = fields.Selection(selection=ROLES, string="Role")

    def _create_user(self):
        """Override of `portal` to give the new portal user a role."""
        user = super()._create_user()
        if self.portal_role:
            user.portal_role = self.portal_role
        return user
