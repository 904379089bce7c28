from unittest.mock import patch

from odoo.api import Environment
from odoo.fields import Domain
from odoo.http import request
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.http_routing.tests.common import MockRequest
from odoo.addons.sales_confirm_user_create.tests.common import PortalAccountCommon

from ..controllers.portal import PortalClaims

COUNT = 5_000


@tagged("post_install", "-at_install")
class TestClaimPerformance(PortalAccountCommon):
    """Plans and statements with many guests, as PostgreSQL knows them or not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env, "jane@example.com", "base.group_portal", email="jane@example.com"
        )
        cls.guest = cls._create_customer("Guest", "guest@example.com")

    def _copy_row(self, record, count, **own):
        """Add copies of a record to its table, with SQL for some columns.

        PostgreSQL does not know yet how many there are.
        """
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = %s AND column_name != 'id'",
            (record._table,),
        )
        columns = [column for [column] in self.env.cr.fetchall()]
        table = SQL.identifier(record._table)
        self.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s "
                "FROM %(table)s, generate_series(1, %(count)s) n "
                "WHERE %(table)s.id = %(id)s RETURNING id",
                table=table,
                columns=SQL(", ").join(map(SQL.identifier, columns)),
                values=SQL(", ").join(
                    SQL(own[column])
                    if column in own
                    else SQL.identifier(record._table, column)
                    for column in columns
                ),
                count=count,
                id=record.id,
            )
        )
        self.env.invalidate_all()
        return record.browse(row_id for [row_id] in self.env.cr.fetchall())

    def _create_guest_orders(self, count, others):
        """Return orders of one address, each of its own contact, among others."""
        order = self._create_order(self.guest)
        order.state = "sale"
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.guest.id,
                "invoice_line_ids": [(0, 0, {"name": "x", "price_unit": 1})],
            }
        )
        invoice.action_post()
        contacts = self._copy_row(
            self.guest,
            count + others,
            email_normalized=f"CASE WHEN n <= {count} THEN 'jane@example.com' "
            "ELSE 'guest' || n || '@example.com' END",
            email=f"CASE WHEN n <= {count} THEN 'jane@example.com' "
            "ELSE 'guest' || n || '@example.com' END",
        )
        partner = f"{contacts.ids[0] - 1} + n"
        orders = self._copy_row(
            order,
            count + others,
            partner_id=partner,
            portal_address=f"CASE WHEN n <= {count} THEN 'jane@example.com' "
            "ELSE 'guest' || n || '@example.com' END",
        )
        self._copy_row(invoice, others, partner_id=partner, name="'T' || n")
        return orders[:count]

    def _explain(self, work):
        """Return the plans of the searches that some work makes."""
        plans = []

        def explain(env, query):
            env.cr.execute(SQL("EXPLAIN %s", query))
            plans.append("\n".join(row[0] for row in env.cr.fetchall()))
            return execute_query(env, query)

        execute_query = Environment.execute_query
        self.env.invalidate_all()
        with patch.object(Environment, "execute_query", explain):
            work()
        return plans

    def _search_my_orders(self):
        user = self.portal_user
        website = self.env["website"].get_current_website()
        with MockRequest(self.env(user=user), website=website):
            domain = PortalClaims()._prepare_orders_domain(user.partner_id)
            return request.env["sale.order"].search(
                domain, order="date_order desc", limit=80
            )

    def _search_my_invoices(self):
        domain = Domain("state", "not in", ("cancel", "draft"))
        domain &= Domain("move_type", "in", ("out_invoice", "out_refund"))
        return (
            self.env["account.move"]
            .with_user(self.portal_user)
            .search(domain, order="invoice_date desc", limit=80)
        )

    def test_searches_use_indexes_with_and_without_statistics(self):
        self._create_guest_orders(10, COUNT)[:5]._claim_for(self.portal_user, "staff")
        searches = {
            "claimable": lambda: self.env["sale.order"]._find_claimable_orders(
                self.portal_user
            ),
            "orders": self._search_my_orders,
            "invoices": self._search_my_invoices,
        }
        # How Odoo finds users by contact is not the subject.
        self.env.cr.execute("ANALYZE res_users")
        for is_known in (False, True):
            if is_known:
                for table in ("res_partner", "sale_order", "account_move"):
                    self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
                # Without statistics, all orders are expected to be claimed.
                searches["nightly check"] = self.env["sale.order"]._gc_unfit_claims
            for name, search in searches.items():
                with self.subTest(name, is_known=is_known):
                    plans = self._explain(search)
                    self.assertTrue(plans)
                    for table in ("sale_order", "account_move", "res_partner"):
                        scan = f"Seq Scan on {table}"
                        self.assertFalse([p for p in plans if f"{scan} " in f"{p} "])
        self.assertEqual(len(self._search_my_orders()), 5)

    def test_a_thousand_orders_are_claimed_by_a_few_statements(self):
        orders = self._create_guest_orders(1_000, 1_000)
        user = self.portal_user
        self.env["sale.order"]._find_claimable_orders(user)[:1]._claim_for(
            user, "search"
        )
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        found = self.env["sale.order"]._find_claimable_orders(user)
        self.assertEqual(len(found), 999)
        found._claim_for(user, "search")
        self.env.flush_all()
        # OCA's `base_tier_validation` and `mail_multicompany` look at each order.
        others = 3_000 if "tier.review" in self.env else 0
        self.assertLess(self.env.cr.sql_log_count - before, 60 + others)
        self.assertEqual(orders.portal_partner_id, user.partner_id)

    def test_confirmation_of_known_customers_costs_no_query_more(self):
        def confirm(orders):
            orders.date_order = "2020-01-01"
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders.action_confirm()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        partners = self.portal_user.partner_id
        confirm(self._create_orders(partners))
        count = confirm(self._create_orders(partners))
        self._create_guest_orders(10, 0)._claim_for(self.portal_user, "staff")
        self.assertEqual(confirm(self._create_orders(partners)), count)

    def test_reasons_that_staff_read_take_no_query_for_each_order(self):
        guests = self.env["res.partner"]
        for number in range(12):
            email = f"known{number}@example.com"
            new_test_user(self.env, email, "base.group_portal", email=email)
            guests += self._create_customer("Guest", email)
        orders = self._create_orders(guests)
        orders.action_confirm()

        def count(orders):
            self.env.flush_all()
            self.env.invalidate_all()
            self.env.registry.clear_cache()
            before = self.env.cr.sql_log_count
            self.assertTrue(all(orders.mapped("portal_known_partner_id.email")))
            self.assertFalse(any(orders.mapped("portal_claim_issue")))
            return self.env.cr.sql_log_count - before

        count(orders[:1])
        self.assertEqual(count(orders[1:]), count(orders[:1]))
