from odoo import api, fields, models
from odoo.tools import SQL, Query


class PortalAdoptionReport(models.Model):
    """One row per confirmed order, with what it tells about portal accounts.

    Invited, activated and the days to activation are about the account that the
    confirmation of this very order created, so that they can be compared with the
    accounts created in each group.
    """

    _name = "portal.adoption.report"
    _description = "Portal Adoption Report"
    _auto = False
    _rec_name = "order_id"
    _order = "date desc, id desc"
    _depends = {
        "portal.invitation": ["account_order_id", "sent_date", "user_id"],
        "res.partner": ["email", "email_normalized", "website_id"],
        "res.users": [
            "create_date",
            "login",
            "partner_id",
            "portal_activation_date",
            "share",
            "website_id",
        ],
        "sale.order": [
            "company_id",
            "date_order",
            "partner_id",
            "portal_account_issue",
            "portal_offer_date",
            "state",
            "team_id",
            "user_created",
            "user_id",
            "website_id",
        ],
    }

    order_id = fields.Many2one(comodel_name="sale.order", readonly=True)
    date = fields.Datetime(string="Order Date", readonly=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    website_id = fields.Many2one(comodel_name="website", readonly=True)
    team_id = fields.Many2one(
        comodel_name="crm.team", string="Sales Team", readonly=True
    )
    user_id = fields.Many2one(
        comodel_name="res.users", string="Salesperson", readonly=True
    )

    order_count = fields.Integer(string="Orders", readonly=True)
    customer_count = fields.Integer(
        string="Customers", aggregator="count_distinct", readonly=True
    )
    account_count = fields.Integer(
        string="Accounts Created",
        readonly=True,
        help="Portal accounts created by the confirmation of the orders.",
    )
    offered_count = fields.Integer(
        string="Customers Asked",
        readonly=True,
        help="Orders whose customer was asked whether to create an account.",
    )
    accepted_count = fields.Integer(
        string="Accepted",
        readonly=True,
        help="Of the customers asked, those who accepted.",
    )
    declined_count = fields.Integer(
        string="Accounts Declined",
        readonly=True,
        help="Of the accounts created, those that the customer declined.",
    )
    invited_count = fields.Integer(
        string="Accounts Invited",
        readonly=True,
        help="Of the accounts created, those whose invitation was accepted by the "
        "mail server. Accounts deleted since are not counted.",
    )
    activated_count = fields.Integer(
        string="Accounts Activated",
        readonly=True,
        help="Of the accounts created, those whose customer has logged in.",
    )
    activation_rate = fields.Float(
        aggregator="avg",
        readonly=True,
        help="Share of the accounts created that were activated.",
    )
    activation_days = fields.Float(
        string="Days to Activation (Median)",
        aggregator="median",
        readonly=True,
        help="Of the accounts created and activated, the days from the creation to the "
        "first login: half of the customers took less, half of them more.",
    )
    activated_rate = fields.Float(
        string="Orders with an Activated Account",
        aggregator="avg",
        readonly=True,
        help="Share of the orders whose customer already had an activated account: the "
        "contact's, or one with the same email address.",
    )

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s WHERE sale.state = 'sale'", self._select(), self._from())

    def _select(self) -> SQL:
        return SQL(
            """
            SELECT sale.id,
                   sale.id AS order_id,
                   sale.date_order AS date,
                   sale.partner_id,
                   sale.company_id,
                   sale.website_id,
                   sale.team_id,
                   sale.user_id,
                   1 AS order_count,
                   sale.partner_id AS customer_count,
                   (sale.user_created IS TRUE)::int AS account_count,
                   (sale.portal_offer_date IS NOT NULL)::int AS offered_count,
                   (
                       sale.portal_offer_date IS NOT NULL AND sale.user_created IS TRUE
                   )::int AS accepted_count,
                   (
                       sale.user_created IS TRUE
                       AND sale.portal_account_issue IS NOT DISTINCT FROM 'declined'
                   )::int AS declined_count,
                   (invitation.sent_date IS NOT NULL)::int AS invited_count,
                   (account.portal_activation_date IS NOT NULL)::int AS activated_count,
                   CASE WHEN sale.user_created
                        THEN (account.portal_activation_date IS NOT NULL)::int
                    END AS activation_rate,
                   EXTRACT(
                       EPOCH FROM account.portal_activation_date - account.create_date
                   ) / 86400 AS activation_days,
                   (activated.order_id IS NOT NULL)::int AS activated_rate
            """
        )

    def _from(self) -> SQL:
        return SQL(
            """
            FROM sale_order sale
            LEFT JOIN (
                    SELECT DISTINCT ON (account_order_id)
                           account_order_id, user_id, sent_date
                      FROM portal_invitation
                     WHERE account_order_id IS NOT NULL
                     ORDER BY account_order_id, id DESC
                 ) invitation
                ON invitation.account_order_id = sale.id
            LEFT JOIN res_users account
                ON account.id = invitation.user_id
            LEFT JOIN (%s) activated ON activated.order_id = sale.id
            """,
            self._query_activated(),
        )

    def _query_activated(self) -> SQL:
        """Return the orders whose customer had an activated account at that time.

        Which accounts are the customer's is what the confirmation goes by, too.
        """
        # A join on either the contact or the address would be one with OR, which can be
        # no hash join.
        return SQL(
            """
            SELECT DISTINCT sale.id AS order_id
              FROM sale_order sale
              JOIN res_partner buyer ON buyer.id = sale.partner_id
              JOIN (
                    SELECT partner_id, website_id, portal_activation_date,
                           TRUE AS by_contact
                      FROM res_users
                     WHERE share AND portal_activation_date IS NOT NULL
                     UNION ALL
                    SELECT customer.id, users.website_id, users.portal_activation_date,
                           FALSE
                      FROM res_users users
                      JOIN res_partner customer
                        ON lower(customer.email_normalized COLLATE "C")
                           = lower(btrim(users.login) COLLATE "C")
                       AND customer.email NOT LIKE '%%@%%@%%'
                     WHERE users.share AND users.portal_activation_date IS NOT NULL
                   ) account
                ON account.partner_id = sale.partner_id
               AND account.portal_activation_date <= sale.date_order
               AND (
                       account.by_contact
                    OR account.website_id IS NULL
                    OR account.website_id
                       = COALESCE(sale.website_id, buyer.website_id, account.website_id)
                   )
             WHERE sale.state = 'sale'
            """
        )

    def _read_group_select(self, aggregate_spec: str, query: Query) -> SQL:
        """Extend with the median, which Odoo has no aggregator for."""
        if aggregate_spec == "activation_days:median":
            return SQL(
                "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)",
                self._field_to_sql(self._table, "activation_days", query),
            )
        return super()._read_group_select(aggregate_spec, query)

    @api.readonly
    def action_open_order(self):
        """Open the order of this row."""
        self.ensure_one()
        return self.order_id.get_formview_action()
