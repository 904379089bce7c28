from unittest.mock import patch

from odoo.tests import tagged

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

    def _count_queries(self, partners):
        orders = self._create_orders(partners)
        # Else some are confirmed in the second of their creation, and keep their date.
        orders.date_order = "2020-01-01"
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        orders.action_confirm()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _count_floor(self, partners):
        with patch.object(type(self.env["sale.order"]), "_ensure_portal_accounts"):
            return self._count_queries(partners)

    def test_batch_of_customers_with_accounts(self):
        partners = self._create_customers("known", 100)
        self._create_orders(partners).action_confirm()
        self._count_floor(partners), self._count_queries(partners)  # warm caches
        floor = self._count_floor(partners)
        self.assertLessEqual(self._count_queries(partners), floor + 3)

    def test_batch_of_new_customers(self):
        self._count_floor(self._create_customers("warm", 10))
        self._count_queries(self._create_customers("warmer", 10))
        floor = self._count_floor(self._create_customers("floor", 100))
        queries = self._count_queries(self._create_customers("new", 100))
        self.assertLessEqual(queries, floor + 7 * 100)
        self.assertLessEqual(queries, floor + 400)

    def test_confirmation_page(self):
        """Odoo's own link to sign up costs no more for our asking for an account."""

        def count(is_shown):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            if is_shown():
                order.partner_id.signup_prepare()
                order.partner_id._get_signup_url()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        order = self._create_orders(self._create_customers("page", 1))
        count(lambda: True), count(lambda: not order._has_customer_user())
        floor = count(lambda: True)
        self.assertEqual(count(lambda: not order._has_customer_user()), floor)

    def test_lookups_use_an_index(self):
        self.env.cr.execute(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename IN ('res_users', 'res_partner')"
        )
        indexes = dict(self.env.cr.fetchall())
        self.assertIn("lower(btrim", indexes["res_users_login_normalized_idx"])
        self.assertIn("UNIQUE", indexes["res_users_login_without_website_uniq"])
        self.assertIn("email_normalized", indexes["res_partner_email_normalized_idx"])
