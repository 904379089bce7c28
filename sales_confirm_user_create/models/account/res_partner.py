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
            ("invited", "Invited"),
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

    # Hashes have one size, whatever is typed. The first is for claims and refusals. The
    # second is for each confirmation, which needs the contacts of internal users only:
    # any number of others may share a placeholder address.
    _email_normalized_idx = models.Index("USING hash (email_normalized)")
    _internal_email_idx = models.Index(
        "USING hash (email_normalized) WHERE partner_share IS NOT TRUE"
    )

    @api.depends(
        "user_ids.active",
        "user_ids.share",
        "user_ids.log_ids",
        "user_ids.portal_activation_date",
        "user_ids.portal_invitation_ids.due_date",
        "user_ids.portal_invitation_ids.sent_date",
    )
    @api.depends_context("uid")
    def _compute_portal_account(self):
        self.portal_account_state = "none"
        self.portal_account_date = self.portal_user_id = False
        # An onchange does not check who may read a contact.
        readable = self._filtered_access("read")
        if not readable.ids:
            return
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner.id, account.id, account.state, account.date
                  FROM res_partner partner
                  JOIN LATERAL (%s) account ON TRUE
                 WHERE partner.id IN %s
                """,
                self._get_portal_account_sql("partner"),
                tuple(readable.ids),
            )
        )
        accounts = {partner_id: account for partner_id, *account in rows}
        for partner in readable:
            if account := accounts.get(partner._origin.id):
                user_id, state, date = account
                partner.portal_user_id = user_id
                partner.portal_account_state = state
                partner.portal_account_date = date

    @api.model
    def _get_portal_account_sql(self, alias):
        """Return the query for the account of a contact, the oldest active user.

        :param alias: what the table of contacts is called around the query
        :return: SQL with the columns id, state and date; no row without a user
        """
        self.env["res.users"].flush_model(
            ["partner_id", "active", "share", "portal_activation_date"]
        )
        self.env["res.users.log"].flush_model(["create_uid"])
        self.env["portal.invitation"].flush_model(
            ["user_id", "due_date", "sent_date", "cancel_reason"]
        )
        return SQL(
            """
            SELECT users.id,
                   CASE WHEN NOT users.active THEN 'archived'
                        WHEN NOT users.share THEN 'internal'
                        WHEN activated THEN 'activated'
                        WHEN invitation.sent_date IS NULL
                         AND (
                                invitation.due_date IS NOT NULL
                             OR invitation.cancel_reason = 'order'
                         ) THEN 'due'
                        ELSE 'invited'
                    END AS state,
                   CASE WHEN NOT (users.active AND users.share) THEN NULL
                        WHEN activated THEN users.portal_activation_date
                        ELSE invitation.sent_date
                    END AS date
              FROM res_users users
              LEFT JOIN portal_invitation invitation ON invitation.user_id = users.id,
           LATERAL (SELECT EXISTS (
                        SELECT FROM res_users_log log WHERE log.create_uid = users.id
                   ) AS activated) latest
             WHERE users.partner_id = %s
             ORDER BY users.active DESC, users.id
             LIMIT 1
            """,
            SQL.identifier(alias, "id"),
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override of `base` to search and group by the state of the account, which is
        not stored: a login writes nothing but its log."""
        if field_expr != "portal_account_state":
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        return SQL(
            "COALESCE((SELECT state FROM (%s) account), 'none')",
            self._get_portal_account_sql(alias),
        )

    @api.model
    def _search_portal_account_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        # there is no contact without a state, as "is not set" asks for
        states = tuple(state for state in value if state)
        if not states:
            return Domain.FALSE
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

    def _get_portal_own_documents(self, company):
        """Return whether a new account of this contact shows its own documents only.

        :param company: the company of the shop
        """
        is_contact = self != self.commercial_partner_id
        shows_all = is_contact and company.portal_company_contacts == "all"
        return not self.is_company and not shows_all

    def _filter_account_holders(self):
        """Override of `portal_own_documents`: the account that an order created counts
        also when it is deleted."""
        holders = super()._filter_account_holders()
        if others := self - holders:
            orders = self.env["sale.order"].search(
                [("partner_id", "child_of", others.ids), ("user_created", "=", True)]
            )
            holders |= orders.partner_id.commercial_partner_id
        return holders

    def _had_portal_account(self):
        """Return whether the contact, or the person it is an address of, has or had an
        account."""
        above = self.commercial_partner_id
        family = self if above.is_company else above
        return bool(family._filter_account_holders())

    def write(self, vals):
        """Override of `base` so that an unused account follows a corrected address, or
        ends if there is none."""
        if "email" not in vals:
            return super().write(vals)
        # sudo: those who edit contacts may not read invitations
        invitations = (
            self.env["portal.invitation"]
            .sudo()
            .search(
                [
                    ("user_id.partner_id", "in", self.ids),
                    ("user_id.log_ids", "=", False),
                    ("user_id.active", "=", True),
                    ("user_id.share", "=", True),
                ]
            )
        )
        before = {
            invitation: invitation.partner_id._get_portal_address()
            for invitation in invitations
        }
        res = super().write(vals)
        for invitation, address in before.items():
            # What customers type about themselves proves nothing.
            corrected = invitation.partner_id._get_portal_address()
            is_cancelled = invitation.cancel_reason == "address"
            if (
                (invitation.login == address or is_cancelled)
                and address != corrected
                and self.env.user._is_internal()
            ):
                invitation._follow_address(corrected)
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
