from contextlib import suppress

from psycopg2 import IntegrityError

from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from odoo.addons.sales_confirm_user_create.models.account.res_users import (
    NotPortalUserError,
)
from odoo.addons.sales_confirm_user_create.models.notes.sale_order import ADVICE

# for notes, in the language of those who read them
_lt = LazyTranslate(__name__)

CHANGED = _lt("Portal role of %(name)s: %(before)s → %(after)s.")
ENDED = _lt("Ended the access of %(name)s to the portal.")
WATCHED = {
    "active",
    "group_ids",
    "partner_id",
    "portal_own_documents",
    "portal_role",
}


class ResUsers(models.Model):
    """How the people of a company change and go."""

    _inherit = "res.users"

    portal_ended_date = fields.Datetime(
        copy=False, readonly=True, groups="base.group_erp_manager"
    )

    def write(self, vals):
        """Override of `base`: a role is given for the company of the contact, and
        decides what the portal shows. Staff hear when nobody manages a company."""
        if not vals.keys() & WATCHED:
            return super().write(vals)
        if "active" in vals:
            # Whom staff archive, no administrator brings back.
            vals = {"portal_ended_date": False, **vals}
        companies = self._get_administered_companies()
        companies._lock_portal_team()
        before = {}
        if "portal_role" in vals:
            if len(self) > 1:
                return all(user.write(vals) for user in self)
            before = {user: user._get_portal_role() for user in self}
            role, team = vals["portal_role"], self.partner_id.commercial_partner_id
            vals = {**vals, "portal_team_id": role and team.id}
            if role:
                vals["portal_own_documents"] = role == "buyer"
        elif "portal_own_documents" in vals:
            # Staff decide about people who had a role in another company. sudo: whoever
            # may set the switch need not set roles
            gone_sudo = self.sudo().filtered(
                lambda user: user.portal_team_id and not user._get_portal_role()
            )
            values = {"portal_role": False, "portal_team_id": False}
            super(ResUsers, gone_sudo).write(values)
        res = super().write(vals)
        for user, role in before.items():
            user._note_role(role)
        companies._warn_without_administrator()
        return res

    def unlink(self):
        """Override of `base` for staff to hear of a company without administrator, and
        to withdraw the invitations that nobody has accepted."""
        companies = self._get_administered_companies()
        companies._lock_portal_team()
        # Emails could not say any more who has invited. sudo: see `_process_all`
        requests_sudo = self.env["portal.team.request"].sudo()
        requests_sudo.search([("inviter_id", "in", self.ids)]).unlink()
        res = super().unlink()
        companies._warn_without_administrator()
        return res

    def _note_role(self, before):
        """Note that the role of this user has changed."""
        after = self._get_portal_role()
        if before != after:
            names = {"before": before or "–", "after": after or "–", "name": self.name}
            company, author = self.commercial_partner_id, self.env.user.partner_id
            company._note_portal_team(self.partner_id, author, CHANGED, **names)

    def _get_administered_companies(self):
        """Return the companies whose people these users manage now."""
        return self.filtered(
            lambda user: user.active and user._get_portal_role() == "administrator"
        ).partner_id.commercial_partner_id

    def _get_grantable_roles(self):
        """Return the roles that an administrator can give: none that shows more than
        this user sees."""
        # sudo: the switch is not for everybody to read
        is_limited = self.sudo().portal_own_documents
        return {"buyer"} if is_limited else {"administrator", "buyer", "viewer"}

    def _check_administrator_stays(self):
        """Check that the company of this user has another administrator.

        :raise UserError: this user is the last one
        """
        companies = self._get_administered_companies()
        if companies and not companies._find_portal_administrators() - self:
            raise UserError(self.env._("Make somebody else an administrator first."))

    def _end_portal_access(self, author):
        """End the access of this user. The contact, and its orders, stay.

        :param author: the contact who does it
        """
        # Odoo lets nobody archive themselves. sudo: customers may not edit users; the
        # caller has checked who may do this
        user_sudo = self.with_user(self.env.ref("base.user_root")).sudo()
        company = self.partner_id.commercial_partner_id
        if not user_sudo._get_portal_role():
            user_sudo.write({"portal_role": False})
            user_sudo.portal_team_id = company.id  # who may invite again
        user_sudo.write({"active": False, "portal_ended_date": fields.Datetime.now()})
        user_sudo._end_proof(keep_password=True)
        user_sudo._clear_credentials()
        # An accepted invitation would be open again.
        requests_sudo = user_sudo.env["portal.team.request"].search(
            [("user_id", "=", self.id)]
        )
        requests_sudo.is_withdrawn = True
        company._note_portal_team(self.partner_id, author, ENDED, name=self.name)

    def _restore_portal_access(self, role):
        """Give this user access again, once the new invitation is accepted."""
        self.write(
            {"active": True, "portal_role": role, "portal_activation_date": False}
        )
        self._end_proof(keep_password=True)
        self._clear_credentials()
        self.portal_invitation_ids.is_account_created = False

    def _delete_unused(self):
        """Override of `sales_confirm_user_create`: a contact that was created by an
        invitation, and stayed, would tell that the invitation had an effect."""
        invitations = self.portal_invitation_ids.filtered("is_contact_created")
        contacts = invitations.partner_id
        res = super()._delete_unused()
        for contact in contacts.exists():
            with suppress(UserError, IntegrityError), self.env.cr.savepoint():
                contact.unlink()
        return res

    def _create_colleague(self, contact):
        """Return a new portal user of a contact, with no more than this user has.

        :raise UserError: Odoo's template for new portal users is not one
        """
        template_values = self._prepare_portal_user_template_values()
        if not template_values:
            raise UserError(ADVICE["template"])
        values = {
            **template_values,
            "active": True,
            "login": contact._get_portal_address(),
            "partner_id": contact.id,
            "company_id": self.company_id.id,
            "company_ids": [Command.set(self.company_ids.ids)],
            "website_id": self.website_id.id,
        }
        try:
            return self._create_portal_users([values])
        except NotPortalUserError as error:
            raise UserError(ADVICE["template"]) from error
