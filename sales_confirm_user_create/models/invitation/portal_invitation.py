from babel.units import format_unit

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import babel_locale_parse, get_lang

REMINDER, PAST_ORDER, RESENT, NEW_ORDER = "0", "1", "2", "3"


class PortalInvitation(models.Model):
    _name = "portal.invitation"
    _description = "Portal Invitation"
    _rec_name = "login"
    _order = "id desc"

    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Portal User",
        required=True,
        ondelete="cascade",
        index=True,
    )
    # stored for the Privacy Lookup
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        readonly=False,  # saves an UPDATE of who creates it
        index="btree_not_null",
    )
    login = fields.Char(related="user_id.login")
    activation_date = fields.Datetime(related="user_id.portal_activation_date")
    is_account_created = fields.Boolean(
        string="Account Created",
        help="The account was created together with the invitation.",
    )
    # the order that created the account; the other one is what the email is about
    account_order_id = fields.Many2one(
        comodel_name="sale.order", ondelete="set null", index="btree_not_null"
    )
    order_id = fields.Many2one(
        comodel_name="sale.order", ondelete="set null", index="btree_not_null"
    )
    phone = fields.Char(related="partner_id.phone")
    order_date = fields.Datetime(
        related="order_id.date_order", help="When the order was confirmed."
    )
    order_amount = fields.Monetary(related="order_id.amount_total")
    order_user_id = fields.Many2one(related="order_id.user_id")
    currency_id = fields.Many2one(related="order_id.currency_id")
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, help="The sender of the email."
    )
    email_from = fields.Char(string="From", compute="_compute_email_from")
    validity = fields.Char(compute="_compute_validity", help="How long a link works.")
    priority = fields.Selection(
        selection=[
            (REMINDER, "Reminder"),
            (PAST_ORDER, "Past order"),
            (RESENT, "Sent again"),
            (NEW_ORDER, "New order"),
        ],
        string="Type",
        required=True,
        default=NEW_ORDER,
    )
    state = fields.Selection(
        selection=[
            ("due", "Due"),
            ("held", "Held"),
            ("sent", "Sent"),
            ("failed", "Failed"),
            ("bounced", "Bounced"),
            ("expired", "Expired"),
            ("activated", "Activated"),
            ("cancelled", "Cancelled"),
        ],
        string="Status",
        compute="_compute_state",
        search="_search_state",
    )
    due_date = fields.Datetime(help="When to send the next email. Empty: none is due.")
    sent_date = fields.Datetime(
        string="Sent On", help="When the mail server accepted the latest email."
    )
    expiry_date = fields.Datetime(
        string="Expires On", help="When the link of the latest email stops working."
    )
    sent_count = fields.Integer(string="Emails Sent")
    reminder_count = fields.Integer(string="Reminders")
    # zero, as PostgreSQL sorts what is empty last
    failure_count = fields.Integer(string="Failed Attempts", default=0)
    failure = fields.Char(string="Last Failure")
    cancel_reason = fields.Selection(
        selection=[
            ("order", "No order left"),
            ("held", "Held too long"),
            ("access", "Access revoked"),
            ("address", "Address removed or changed"),
        ]
    )
    revision = fields.Integer(help="Links of an earlier revision do not work.")

    _user_uniq = models.Constraint(
        "UNIQUE (user_id)", "A portal user has one invitation only."
    )
    _due_idx = models.Index(
        "(priority DESC, failure_count, interrupted_count, due_date, id) "
        "WHERE due_date IS NOT NULL"
    )
    _sent_idx = models.Index("(company_id, sent_date) WHERE due_date IS NULL")

    @api.depends("user_id.partner_id")
    def _compute_partner_id(self):
        for invitation in self:
            invitation.partner_id = invitation.user_id.partner_id

    @api.depends("company_id", "order_id")
    def _compute_email_from(self):
        for invitation in self:
            invitation.email_from = next(iter(invitation._get_senders()), False)

    @api.depends_context("lang")
    def _compute_validity(self):
        hours = self._get_validity_hours()
        # in days from two days on
        amount = (hours, "hour") if hours < 48 else (hours // 24, "day")
        locale = babel_locale_parse(get_lang(self.env).code)
        self.validity = format_unit(*amount, locale=locale)

    @api.model
    def _get_validity_hours(self):
        """Return how long a link works, in hours."""
        # sudo: whoever renders the email may not read parameters
        get_param = self.env["ir.config_parameter"].sudo().get_param
        return int(get_param("auth_signup.signup.validity.hours", 144))

    @api.depends(
        "activation_date",
        "bounce_date",
        "cancel_reason",
        "due_date",
        "expiry_date",
        "failure",
        "held_date",
    )
    def _compute_state(self):
        self.state = False
        domain = [("id", "in", self.ids)]
        for state, invitations in self._read_group(domain, ["state"], ["id:recordset"]):
            invitations.state = state

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override of `base` to search and group by the state, which is not stored: it
        changes with time, too."""
        if field_expr != "state":
            return super()._field_to_sql(alias, field_expr, query)
        date = self._field_to_sql(alias, "activation_date", query)
        return self._get_state_sql(alias, date)

    @api.model
    def _get_state_sql(self, alias, activation_date):
        """Return the state of invitations as SQL.

        :param alias: of their table
        :param activation_date: SQL
        """
        names = (
            "cancel_reason",
            "held_date",
            "due_date",
            "bounce_date",
            "failure",
            "sent_date",
            "expiry_date",
        )
        return SQL(
            """
            CASE WHEN %(activation_date)s IS NOT NULL THEN 'activated'
                 WHEN %(cancel_reason)s IS NOT NULL THEN 'cancelled'
                 WHEN %(held_date)s IS NOT NULL THEN 'held'
                 WHEN %(due_date)s IS NOT NULL THEN 'due'
                 WHEN %(bounce_date)s IS NOT NULL THEN 'bounced'
                 WHEN %(failure)s IS NOT NULL THEN 'failed'
                 WHEN %(sent_date)s IS NULL THEN 'cancelled'
                 WHEN %(expiry_date)s < %(now)s THEN 'expired'
                 ELSE 'sent'
             END
            """,
            activation_date=activation_date,
            now=fields.Datetime.now(),
            **{name: self._field_to_sql(alias, name) for name in names},
        )

    @api.model
    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        states = tuple(state for state in value if state) or (None,)
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN %s", model._field_to_sql(alias, "state", query), states
            )
        )

    def _get_mail_xmlid(self):
        """Return the external id of the mail template of an invitation.

        Override it for invitations that are about no order.
        """
        name = "reminder" if self.priority == REMINDER else "invitation"
        return f"sales_confirm_user_create.mail_template_portal_{name}"

    @api.model
    def _trigger(self, at=None):
        """Have the scheduled action send what is due.

        :param at: datetime in UTC; None for right after the commit
        """
        name = "sales_confirm_user_create.ir_cron_portal_invitation"
        if job_id := self.env["ir.model.data"]._xmlid_to_res_id(name):
            # sudo: whoever confirms an order may cause its invitation to be sent
            self.env["ir.cron"].sudo().browse(job_id)._trigger(at)

    def _make_due(self, **values):
        """Have the invitations sent now.

        :param values: more to write on them
        """
        if self:
            now = fields.Datetime.now()
            self.write(
                {
                    "due_date": now,
                    "cancel_reason": False,
                    "held_date": False,
                    "bounce_date": False,
                    "failure": False,
                    "failure_count": 0,
                    "interrupted_count": 0,
                    **values,
                }
            )
            self._trigger()

    def _resend(self, **values):
        """Have the invitations sent again because somebody asked for it.

        :param values: more to write on them
        """
        self._make_due(priority=RESENT, **values)

    def _cancel(self, reason):
        """Stop sending; end all links if the account is no longer the customer's.

        :param reason: see ``cancel_reason``
        """
        self.write({"due_date": False, "held_date": False, "cancel_reason": reason})
        if reason in ("access", "address"):
            for invitation in self:
                invitation.revision += 1
