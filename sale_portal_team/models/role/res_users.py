from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_list

ROLES = [
    ("administrator", "Administrator"),
    ("buyer", "Buyer"),
    ("viewer", "Viewer"),
]
STAFF = "base.group_erp_manager,sales_team.group_sale_manager"


class ResUsers(models.Model):
    """What portal users may do for their company."""

    _inherit = "res.users"

    portal_role = fields.Selection(
        selection=ROLES, copy=False, index="btree_not_null", groups=STAFF
    )
    # a number: a merge of contacts rewrites references, and roles would count in
    # another company
    portal_team_id = fields.Integer(
        copy=False, readonly=True, index=True, groups="base.group_erp_manager"
    )

    def _get_portal_role(self):
        """Return the role, or False: it counts as long as the contact belongs to the
        company it was given for, which is a customer."""
        user_sudo = self.sudo()  # sudo: roles are not for everybody to read
        if not user_sudo.portal_role or not user_sudo.share:
            return False
        company_sudo = user_sudo.partner_id.commercial_partner_id
        is_theirs = company_sudo.id == user_sudo.portal_team_id
        is_person = company_sudo.is_company and company_sudo != user_sudo.partner_id
        is_customer = is_theirs and is_person and not company_sudo.ref_company_ids
        return is_customer and user_sudo.portal_role

    def _get_own_contact(self):
        """Override of `portal_own_documents`: who was shown all documents by a role in
        one company is shown none of another's."""
        own = super()._get_own_contact()
        if own is not None or not self.share:
            return own
        # sudo: see `_get_portal_role`
        team_id, partner = self.sudo().portal_team_id, self.partner_id
        above = partner.commercial_partner_id
        if team_id and above.is_company and above.id != team_id:
            return partner - above
        return None

    def _is_viewer(self):
        """Return whether the user looks and reads, and orders nothing."""
        return self._get_portal_role() == "viewer"

    def _check_portal_role(self, operation):
        """Check that the role of the user allows an operation.

        :param operation: "manage" the people of the company, or "order": all that
            costs or promises something
        :raise AccessError: it does not
        """
        role = self._get_portal_role()
        if operation == "manage" and role != "administrator":
            raise AccessError(
                self.env._("Only administrators of a company manage its people.")
            )
        if operation == "order" and role == "viewer":
            raise AccessError(self._get_portal_role_advice())

    def _get_portal_role_advice(self):
        """Return what a viewer is told, as text: whom to ask."""
        company = self.partner_id.commercial_partner_id
        names = company._find_portal_administrators().mapped("name")
        names = [*filter(None, names)][:3]
        names = format_list(self.env, names, "or") if names else self.env._("us")
        return self.env._("Viewers cannot order or pay: ask %s.", names)

    @api.constrains("portal_role")
    def _check_portal_role_holder(self):
        if any(user.portal_role and not user._get_portal_role() for user in self):
            raise ValidationError(
                self.env._("Only portal users of a customer's company can have a role.")
            )
