from odoo import api, fields, models

from ..models.role.res_users import ROLES


class PortalWizardUser(models.TransientModel):
    _inherit = "portal.wizard.user"

    portal_role = fields.Selection(selection=ROLES, string="Role")

    @api.depends("portal_role")
    def _compute_portal_own_documents(self):
        """Extend: a role decides."""
        res = super()._compute_portal_own_documents()
        for line in self.filtered("portal_role"):
            line.portal_own_documents = line.portal_role == "buyer"
        return res

    def _create_user(self):
        """Override of `portal` to give the new portal user a role."""
        user = super()._create_user()
        if self.portal_role:
            user.portal_role = self.portal_role
        return user
