import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from odoo.addons.sales_confirm_user_create.models.notes.sale_order import ADVICE
from odoo.addons.sales_confirm_user_create.tools import (
    RETRIED_EXCEPTIONS,
    get_deliverable_address,
    get_spellings,
)

from ..res_config_settings import MAX
from ..role.res_users import ROLES

_logger = logging.getLogger(__name__)
# for notes, in the language of those who read them
_lt = LazyTranslate(__name__)

PAUSE = timedelta(minutes=10)
ADDRESS_MAX = 3
NAME_MAX = 64
ELSEWHERE = _lt(
    "the address belongs to somebody else, or its owner declined an account."
)
NO_RIGHT = _lt("the inviter is no longer an administrator.")
INVITED = _lt("Invited %(name)s, %(email)s: %(role)s.")
WITHDRAWN = _lt("Withdrew the invitation of %(name)s, %(email)s.")


class PortalTeamRequest(models.TransientModel):
    """Somebody whom an administrator of a company invites: the page shows it the same
    whether or not the address can be invited, which the job finds out."""

    _name = "portal.team.request"
    _description = "Invitation by a Colleague"
    _transient_max_hours = 30 * 24
    _order = "id"

    team_id = fields.Integer(required=True, index=True)  # a number, as on the user
    inviter_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True)
    user_id = fields.Many2one("res.users", ondelete="set null", index=True)
    name = fields.Char(required=True)
    email = fields.Char(required=True)
    role = fields.Selection(selection=ROLES, required=True)
    is_withdrawn = fields.Boolean()
    is_due = fields.Boolean(default=True)
    is_mail_due = fields.Boolean(default=True)

    def unlink(self):
        """Override of `base`: after a month nobody accepts what is in no list."""
        for request in self.filtered(lambda request: not request.is_withdrawn):
            request._withdraw_user()
        return super().unlink()

    @api.model
    def _invite(self, inviter, company, name, email, role):
        """Have somebody invited.

        :param company: of the shop, which sends the email
        :raise UserError: with what to correct
        """
        name = " ".join(name.replace("\0", " ").split())
        address = get_deliverable_address(email)
        if not name or len(name) > NAME_MAX:
            raise UserError(
                self.env._("Enter a name of up to %s characters.", NAME_MAX)
            )
        if not address:
            raise UserError(self.env._("Enter a valid email address."))
        if role not in inviter._get_grantable_roles():
            raise UserError(self.env._("Choose a role."))
        team = inviter.partner_id.commercial_partner_id
        logins = team._find_portal_members().filtered("active").mapped("login")
        known = map(get_deliverable_address, logins)
        if address in {*known, *self._find_open(team).mapped("email")}:
            raise UserError(self.env._("%s is already in the list.", address))
        self._check_limits(team, address)
        values = {"inviter_id": inviter.id, "company_id": company.id, "role": role}
        self.create({**values, "team_id": team.id, "name": name, "email": address})
        self.env["portal.invitation"]._trigger()

    @api.model
    def _find_open(self, team):
        """Return the invitations of a company that nobody has accepted."""
        return self.search(
            [
                ("team_id", "=", team.id),
                ("is_withdrawn", "=", False),
                "|",
                ("user_id", "=", False),
                ("user_id.portal_activation_date", "=", False),
            ]
        )

    @api.model
    def _check_limits(self, team, address):
        """Check that a company can invite one more, and this address again.

        :raise UserError: it has reached a limit
        """
        sent = [("team_id", "=", team.id), ("email", "=", address)]
        since = fields.Datetime.now() - PAUSE
        if self.search_count([*sent, ("create_date", ">", since)]):
            raise UserError(self.env._("An email was sent less than ten minutes ago."))
        # sudo: visitors may not read parameters
        get_param = self.env["ir.config_parameter"].sudo().get_param
        limits = {
            key: int(get_param(f"sale_portal_team.{key}", default))
            for key, default in MAX.items()
        }
        invited = self._find_open(team)
        people = team._find_portal_members().filtered("active")
        since = fields.Datetime.now() - timedelta(days=1)
        today = [("team_id", "=", team.id), ("create_date", ">", since)]
        if self.search_count([*today, *sent]) >= ADDRESS_MAX:
            raise UserError(
                self.env._(
                    "You have invited this address three times in 24 hours. Try again "
                    "tomorrow."
                )
            )
        if (
            len(people) + len(invited) >= limits["people"]
            or len(invited) >= limits["open"]
            or self.search_count(today) >= limits["daily"]
        ):
            raise UserError(
                self.env._(
                    "You have reached a limit: %(people)s people, %(open)s open "
                    "invitations, %(daily)s invitations in 24 hours.",
                    **limits,
                )
            )

    def _change(self, action, inviter, role):
        """Have an invitation changed.

        :param action: "resend", which counts as a new one; "role" or "withdraw"
        """
        values = {"inviter_id": inviter.id, "is_due": True}
        if action == "resend":
            self.is_withdrawn = True
            self._check_limits(inviter.partner_id.commercial_partner_id, self.email)
            self.is_due = False
            self.copy({**values, "is_withdrawn": False, "is_mail_due": True})
        elif action == "role":
            self.write({**values, "role": role})
        else:
            self.write({**values, "is_withdrawn": True})
        self.env["portal.invitation"]._trigger()

    @api.model
    def _process_all(self):
        """Do what is due, each in a transaction of its own."""
        while request := self.search([("is_due", "=", True)], limit=1):
            try:
                with self.env.cr.savepoint():
                    # the inviter is who does it, in notes too; sudo: as OdooBot does
                    request.with_user(request.inviter_id).sudo()._process()
            except RETRIED_EXCEPTIONS:
                _logger.info("Portal team: request %s is in use", request.id)
            except Exception:
                _logger.exception("Portal team: request %s failed", request.id)
                request.is_due = False
            if not self.env["ir.cron"]._commit_progress(1):
                break  # the job goes on after a pause

    def _process(self):
        """Do what is due; what cannot be done is noted for staff."""
        self.is_due, reason = False, False
        team = self.env["res.partner"].browse(self.team_id).exists()
        if self.user_id.partner_id.commercial_partner_id != team:
            self.user_id = False  # somebody else's by now
        note = WITHDRAWN if self.is_withdrawn else INVITED
        person = self.user_id.partner_id
        try:
            with self.env.cr.savepoint():
                if self.is_withdrawn:
                    self._withdraw_user()
                else:
                    self._invite_user(team)
        except UserError as error:
            [reason] = error.args
        names = {"name": self.name, "email": self.email, "role": self.role}
        person = person.exists() | self.user_id.partner_id
        author = self.inviter_id.partner_id
        team._note_portal_team(person, author, note, reason, **names)

    def _withdraw_user(self):
        """Delete the account that nobody has used, or end it again."""
        user = self.user_id._filter_unused_accounts()
        if user.active and user.partner_id.commercial_partner_id.id == self.team_id:
            if user.portal_invitation_ids.is_account_created:
                user._delete_unused()
            else:
                user._end_portal_access(self.inviter_id.partner_id)

    def _invite_user(self, team):
        """Create the account or give it back, set its role, and send the email."""
        inviter, user = self.inviter_id, self.user_id
        is_theirs = inviter.active and team == inviter._get_administered_companies()
        if not is_theirs or self.role not in inviter._get_grantable_roles():
            raise UserError(NO_RIGHT)
        created = {}
        if not user.active:
            user, created = self._find_or_create_user(inviter, team)
            self.user_id = user
        if user._get_portal_role() != self.role:
            user.portal_role = self.role
        if self.is_mail_due and not user.portal_activation_date:
            self.is_mail_due = False
            invitation = (
                user.portal_invitation_ids
                or user.portal_invitation_ids.create(
                    {
                        "user_id": user.id,
                        "partner_id": user.partner_id.id,
                        "company_id": self.company_id.id,
                        **created,
                    }
                )
            )
            invitation._resend(portal_inviter_id=inviter.id, order_id=False)

    def _find_or_create_user(self, inviter, team):
        """Return the new user of the address, or one whose access was ended, and what
        its invitation notes of it."""
        address, orders = self.email, self.env["sale.order"]
        contacts = team.search([("email_normalized", "in", [*get_spellings(address)])])
        if address in orders._get_contacts_without_account(
            {address}
        ) or contacts.filtered(lambda known: known.commercial_partner_id != team):
            raise UserError(ELSEWHERE)
        contacts = (contacts - team).filtered(lambda known: known.type == "contact")
        contact = contacts[:1] or contacts.create(
            {
                "name": self.name,
                "email": address,
                "parent_id": team.id,
                "lang": inviter.lang,
                "company_id": team.company_id.id,
                "website_id": inviter.website_id.id,
            }
        )
        if contact._get_portal_address() != address:
            raise UserError(ADVICE["several_addresses"])
        users = self.env["res.users"]
        found = users._find_customer_users(contact)[contact.id]
        user = users.browse([known.id for known in found])
        if not user:
            created = {"is_account_created": True, "is_contact_created": not contacts}
            return inviter._create_colleague(contact), created
        is_ended = len(user) == 1 and not user.active and user.portal_ended_date
        is_theirs = is_ended and user.share and user.portal_team_id == team.id
        is_same = user.partner_id == contact and user._get_mailbox() == address
        if not is_theirs or not is_same:
            raise UserError(ELSEWHERE)
        user._restore_portal_access(self.role)
        return user, {}
