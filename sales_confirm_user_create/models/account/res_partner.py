from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, hash_sign, verify_hash_signed

from ...tools import get_deliverable_address


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_account_state = fields.Selection(
        selection=[
            ("none", "No account"),
            ("due", "Invitation due"),
            ("held", "Invitation held"),
            ("invited", "Invited"),
            ("inactive", "Not activated"),
            ("cancelled", "Invitation cancelled"),
            ("failed", "Invitation failed"),
            ("bounced", "Invitation bounced"),
            ("activated", "Activated"),
            ("archived", "Archived"),
            ("internal", "Internal user"),
        ],
        string="Portal Account",
        compute="_compute_portal_account",
        search="_search_portal_account_state",
        groups="base.group_user",
    )
    portal_account_date = fields.Datetime(
        string="Portal Account Since",
        compute="_compute_portal_account",
        groups="base.group_user",
        help="When the customer was invited, or activated the account.",
    )
    portal_user_id = fields.Many2one(
        comodel_name="res.users",
        compute="_compute_portal_account",
        groups="base.group_erp_manager",
    )

    # Hashes have one size, whatever is typed. The first is for customers who
    # declined, the second for each confirmation, which needs the contacts of internal
    # users only: any number of others may share a placeholder address.
    _email_normalized_idx = models.Index("USING hash (email_normalized)")
    _internal_email_idx = models.Index(
        "USING hash (email_normalized) WHERE partner_share IS NOT TRUE"
    )

    @api.depends_context("uid")
    @api.depends(
        "user_ids.active",
        "user_ids.share",
        "user_ids.portal_activation_date",
        "user_ids.portal_invitation_ids.bounce_date",
        "user_ids.portal_invitation_ids.cancel_reason",
        "user_ids.portal_invitation_ids.due_date",
        "user_ids.portal_invitation_ids.failure",
        "user_ids.portal_invitation_ids.held_date",
        "user_ids.portal_invitation_ids.sent_date",
    )
    def _compute_portal_account(self):
        rows = []
        # An onchange does not check who may read a contact.
        readable = self._filtered_access("read")
        if ids := tuple(readable._origin.ids):
            sql = "SELECT partner_id, id, state, date FROM (%s) account "
            sql += "WHERE partner_id IN %s"
            query = SQL(sql, self._get_portal_account_sql(), ids)
            rows = self.env.execute_query(query)
        accounts = {partner_id: account for partner_id, *account in rows}
        for partner in self:
            user_id, state, date = accounts.get(
                partner._origin.id, (False, "none", False)
            )
            partner.portal_user_id = user_id
            partner.portal_account_state = partner in readable and state
            partner.portal_account_date = date

    @api.model
    def _get_portal_account_sql(self):
        """Return the query for the accounts of contacts: of each the oldest active, or
        else archived, user.

        :return: SQL with the columns partner_id, id, state and date
        """
        self.env["res.users"].flush_model()
        # All of it is a join, so that PostgreSQL can begin at either end.
        return SQL(
            """
            SELECT users.partner_id,
                   users.id,
                   CASE WHEN NOT users.active THEN 'archived'
                        WHEN NOT users.share THEN 'internal'
                        WHEN users.portal_activation_date IS NULL
                         AND invitation.id IS NULL THEN 'inactive'
                        WHEN state.name IN ('sent', 'expired')
                          OR (state.name = 'due' AND invitation.sent_date IS NOT NULL)
                        THEN 'invited'
                        ELSE state.name
                    END AS state,
                   CASE WHEN users.active AND users.share
                        THEN COALESCE(
                                users.portal_activation_date, invitation.sent_date
                             )
                    END AS date
              FROM res_users users
              LEFT JOIN portal_invitation invitation ON invitation.user_id = users.id
             CROSS JOIN LATERAL (SELECT %s AS name) state
             WHERE NOT EXISTS (
                        SELECT FROM res_users better
                         WHERE better.partner_id = users.partner_id
                           AND (better.active, -better.id) > (users.active, -users.id)
                   )
            """,
            self.env["portal.invitation"]._get_state_sql(
                "invitation", SQL("users.portal_activation_date")
            ),
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override of `base` to search and group by the state of the account, which is
        not stored: an email that is sent must not lock the contact."""
        if field_expr != "portal_account_state":
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        account = query.make_alias(alias, "portal_account")
        query.add_join(
            "LEFT JOIN",
            account,
            SQL("(%s)", self._get_portal_account_sql()),
            SQL(
                "%s = %s",
                SQL.identifier(account, "partner_id"),
                SQL.identifier(alias, "id"),
            ),
        )
        return SQL("COALESCE(%s, 'none')", SQL.identifier(account, "state"))

    @api.model
    def _search_portal_account_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        # "is not set" finds nothing: each contact has a state
        states = ("", *filter(None, value))
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN %s",
                model._field_to_sql(alias, "portal_account_state", query),
                states,
            )
        )

    def _get_portal_address(self):
        """Return the address that emails can be delivered to, or False."""
        self.ensure_one()
        return get_deliverable_address(self.email or "")

    def _get_address_issue(self):
        """Return why the address can be no login, see ``portal_account_issue``, or
        False."""
        if not (self.email or "").strip():
            return "no_email"
        if self._get_portal_address():
            return False
        return "several_addresses" if self.email.count("@") > 1 else "invalid_email"

    def _get_portal_own_documents(self, companies):
        """Return whether an account of this contact shows its own documents only.

        :param companies: those of the shop whose documents it may show
        """
        above = self.commercial_partner_id
        is_contact = self.parent_id == above and (self.type or "contact") == "contact"
        is_contact = is_contact and above.is_company
        settings = set(companies.mapped("portal_company_contacts"))
        return not self.is_company and not (is_contact and settings <= {"all"})

    @api.model
    def _get_gone_account_domain(self):
        """Extend with the orders that created an account."""
        return super()._get_gone_account_domain() | Domain("user_created", "=", True)

    def _had_portal_account(self):
        """Return whether the contact, or the person it is an address of, has or had an
        account."""
        above = self.commercial_partner_id
        return (self if above.is_company else above)._family_had_user()

    def write(self, vals):
        """Override of `base` to update the accounts of contacts whose address
        changes."""
        if "email" not in vals:
            return super().write(vals)
        # sudo: reading users takes more rights than editing contacts
        accounts_sudo = self.sudo().with_context(active_test=False).user_ids
        accounts_sudo = accounts_sudo.filtered("share")
        before = {user: user.partner_id._get_portal_address() for user in accounts_sudo}
        res = super().write(vals)
        for user_sudo, address in before.items():
            if address != user_sudo.partner_id._get_portal_address():
                user_sudo._follow_address(address)
        return res

    def _get_login_date(self):
        """Override of `auth_signup`, whose links name this date: they end with a change
        of the login, too. Odoo would mail the next one to the new address, and accept
        those to the old one again."""
        date = super()._get_login_date()
        # sudo: as in super, a token tells nobody what it is made from
        revision = sum(self.sudo().user_ids.mapped("portal_login_revision"))
        return f"{date} {revision}" if revision else date

    @api.model
    def _get_partner_from_token(self, token):
        """Override of `auth_signup` for links of 19.0.1: instead of the date of a login
        they have the number of the latest email, negative.

        Without it `test_the_latest_link_activates_the_account` fails. These links
        expire after days: remove it in 19.0.4.
        """
        sudo = self.sudo()  # as in super: the token names the contact
        payload = verify_hash_signed(sudo.env, "signup", token)
        if payload and isinstance(payload[2], int):
            invitation = sudo.browse(payload[0]).user_ids.portal_invitation_ids
            if -payload[2] in invitation.mapped("revision"):
                payload[2] = None
                token = hash_sign(sudo.env, "signup", payload)
        return super()._get_partner_from_token(token)
