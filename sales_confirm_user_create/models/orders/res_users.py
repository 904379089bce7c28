from odoo import Command, models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _allow_company(self, company):
        """Let these portal users see the company that they buy from."""
        users = self.filtered(lambda user: company not in user.company_ids)
        if users:
            users.write({"company_ids": [Command.link(company.id)]})
        # What one company shows by its settings, another one need not.
        users.filtered(
            lambda user: (
                user.portal_invitation_ids
                and user.partner_id._get_portal_own_documents(company)
            )
        ).portal_own_documents = True
