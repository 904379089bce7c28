from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


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
        compute_sudo=True,
        groups="base.group_user",
    )
    portal_account_date = fields.Datetime(
        string="Portal Account Since",
        compute="_compute_portal_account",
        compute_sudo=True,
        groups="base.group_user",
        help="When the customer was invited, or activated the account.",
    )
    portal_user_id = fields.Many2one(
        comodel_name="res.users",
        compute="_compute_portal_account",
        compute_sudo=True,
        groups="base.group_erp_manager",
    )

    # The customer's user is looked up by address at each confirmation.
    _email_normalized_idx = models.Index(
        "(email_normalized) WHERE email_normalized IS NOT NULL"
    )

    @api.depends(
        "user_ids.active",
        "user_ids.share",
        "user_ids.log_ids",
        "user_ids.portal_activation_date",
        "user_ids.portal_invitation_date",
        "user_ids.portal_invitation_due",
    )
    def _compute_portal_account(self):
        self.portal_account_state = "none"
        self.portal_account_date = self.portal_user_id = False
        if not self.ids:
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
                tuple(self.ids),
            )
        )
        accounts = {partner_id: account for partner_id, *account in rows}
        for partner in self:
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
        users = self.env["res.users"].sudo()
        users.flush_model(
            [
                "partner_id",
                "active",
                "share",
                "portal_activation_date",
                "portal_invitation_date",
                "portal_invitation_due",
            ]
        )
        self.env["res.users.log"].flush_model(["create_uid"])
        return SQL(
            """
            SELECT users.id,
                   CASE WHEN NOT users.active THEN 'archived'
                        WHEN NOT users.share THEN 'internal'
                        WHEN activated THEN 'activated'
                        WHEN users.portal_invitation_due IS NOT NULL
                         AND users.portal_invitation_date IS NULL THEN 'due'
                        ELSE 'invited'
                    END AS state,
                   CASE WHEN NOT (users.active AND users.share) THEN NULL
                        WHEN activated THEN users.portal_activation_date
                        ELSE users.portal_invitation_date
                    END AS date
              FROM res_users users,
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
        """Extend to search and group by the state of the account, which is not stored:
        a login writes nothing but its log."""
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

    def _get_login_date(self):
        """Extend ``auth_signup`` so that a new invitation ends the older ones.

        The date of the latest login is a part of the activation token, which is why
        a token is dead after the first login. Before it there is no date, and the
        number of the latest invitation, negative, takes its place.

        :return: seconds since the epoch, or minus the number of invitations sent, or
            None where there is neither
        """
        # sudo: invitations are for administrators, the token is checked for anybody
        counts = self.sudo().user_ids.mapped("portal_invitation_count")
        return super()._get_login_date() or -max(counts, default=0) or None

    def action_open_portal_user(self):
        """Open the user of the contact, for who may.

        :return: an action
        :raise UserError: when the contact has no user
        """
        self.ensure_one()
        if not self.portal_user_id:
            raise UserError(self.env._("This contact has no user."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.users",
            "res_id": self.portal_user_id.id,
            "views": [(False, "form")],
        }
