from odoo import api, fields, models


class PortalWizardUser(models.TransientModel):
    _inherit = "portal.wizard.user"

    portal_own_documents = fields.Boolean(
        string="Own Documents Only",
        compute="_compute_portal_own_documents",
        compute_sudo=True,
        store=True,
        readonly=False,
    )

    @api.depends("partner_id")
    def _compute_portal_own_documents(self):
        for line in self:
            company = line.partner_id.company_id or self.env.company
            is_own = company.portal_own_documents and not line.partner_id.is_company
            user = line.user_id
            line.portal_own_documents = user.portal_own_documents if user else is_own

    def _create_user(self):
        """Override of `portal` to decide what the new portal user sees."""
        is_own = self.portal_own_documents and not self.partner_id.is_company
        user = super()._create_user()
        user.portal_own_documents = is_own
        return user
