from unittest.mock import patch

from odoo.api import Environment
from odoo.tests import tagged
from odoo.tools import SQL

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestPerformance(PortalAccountCommon):
    """Queries that the accounts cost, counted against the same batch without them."""

    def _create_customers(self, prefix, count):
        return self.env["res.partner"].create(
            [
                {"name": f"{prefix} {i}", "email": f"{prefix}{i}@example.com"}
                for i in range(count)
            ]
        )

    def _create_cold_orders(self, partners):
        orders = self._create_orders(partners)
        # Else some are confirmed in the second of their creation, and keep their date.
        orders.date_order = "2020-01-01"
        self.env.flush_all()
        self.env.invalidate_all()
        return orders

    def _count_queries(self, work):
        before = self.env.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _count_floor(self, partners):
        orders = self._create_cold_orders(partners)
        with patch.object(type(orders), "_ensure_portal_accounts"):
            return self._count_queries(orders.action_confirm)

    def _warm_up(self, partners):
        """Have caches as they are in a shop that has confirmed orders before."""
        self._count_floor(partners)
        self._create_cold_orders(partners).action_confirm()
        self.env.flush_all()

    def test_batch_of_customers_with_accounts(self):
        partners = self._create_customers("known", 100)
        self._create_cold_orders(partners).action_confirm()
        self._warm_up(partners[:1])
        floor = self._count_floor(partners)
        orders = self._create_cold_orders(partners)
        with self.assertQueryCount(floor + 3):
            orders.action_confirm()

    def test_batch_of_new_customers(self):
        self._warm_up(self._create_customers("warm", 10))
        floor = self._count_floor(self._create_customers("floor", 100))
        orders = self._create_cold_orders(self._create_customers("new", 100))
        with self.assertQueryCount(floor + 40):
            orders.action_confirm()
        self.assertTrue(all(orders.mapped("user_created")))

    def test_one_new_customer(self):
        self._warm_up(self._create_customers("warm", 1))
        floor = self._count_floor(self._create_customers("floor", 1))
        orders = self._create_cold_orders(self._create_customers("new", 1))
        with self.assertQueryCount(floor + 40):
            orders.action_confirm()
        self.assertTrue(orders.user_created)

    def test_confirmation_page(self):
        """Odoo's own link to sign up costs no more for our asking for an account."""

        def link_to_sign_up():
            order.partner_id.signup_prepare()
            order.partner_id._get_signup_url()

        def link_to_sign_up_unless_there_is_an_account():
            self.assertFalse(order._has_customer_user())
            link_to_sign_up()

        order = self._create_orders(self._create_customers("page", 1))
        link_to_sign_up()
        self.env.flush_all()
        self.env.invalidate_all()
        floor = self._count_queries(link_to_sign_up)
        self.env.invalidate_all()
        with self.assertQueryCount(floor):
            link_to_sign_up_unless_there_is_an_account()

    def test_the_lookup_uses_an_index_for_each_way(self):
        plans = []

        def explain(env, query):
            env.cr.execute(SQL("EXPLAIN %s", query))
            plans.append("\n".join(row[0] for row in env.cr.fetchall()))
            return execute_query(env, query)

        execute_query = Environment.execute_query
        order = self._create_order()
        # a table of a few rows is read faster as a whole
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        with patch.object(Environment, "execute_query", explain):
            order._find_customer_users()
        [plan] = plans
        self.assertIn("res_users__partner_id_index", plan)
        self.assertIn("res_users_login_normalized_idx", plan)
        self.assertIn("res_partner_email_normalized_idx", plan)
        self.assertNotIn("Seq Scan on res_", plan)

    def test_a_login_without_website_is_unique_in_the_database(self):
        self.env.cr.execute(
            "SELECT indexdef FROM pg_indexes "
            "WHERE indexname = 'res_users_login_without_website_uniq'"
        )
        [[definition]] = self.env.cr.fetchall()
        self.assertIn("UNIQUE", definition)
