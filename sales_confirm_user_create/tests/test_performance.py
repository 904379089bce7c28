from unittest.mock import patch

from odoo.api import Environment
from odoo.tests import new_test_user, tagged
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
        # `website_slides` itself looks for the courses of each new user
        courses = 100 if "slide.channel" in self.env else 0
        with self.assertQueryCount(floor + 40 + courses):
            orders.action_confirm()
        self.assertTrue(all(orders.mapped("user_created")))

    def test_one_new_customer(self):
        self._warm_up(self._create_customers("warm", 1))
        floor = self._count_floor(self._create_customers("floor", 1))
        orders = self._create_cold_orders(self._create_customers("new", 1))
        with self.assertQueryCount(floor + 40):
            orders.action_confirm()
        self.assertTrue(orders.user_created)

    def test_invitations_cost_little_more_than_those_of_odoo(self):
        def invite_as_odoo():
            for user in users:
                # as after the commit that follows each invitation
                self.env.invalidate_all()
                user.partner_id.signup_prepare()
                template.send_mail(user.id, force_send=True)

        template = self.env.ref("auth_signup.portal_set_password_email")
        partners = self._create_customers("invited", 11)
        self._create_orders(partners).action_confirm()
        users = partners.user_ids
        with self.mock_mail_gateway(mail_unlink_sent=True):
            invite_as_odoo()
            floor = self._count_queries(invite_as_odoo)
        # a lock and a savepoint, whether it is due still, that it is sent, progress
        with self.assertQueryCount(floor + 6 * len(users)):
            self.assertEqual(len(self._send_invitations()), 11)

    def test_invitations_are_read_one_by_one(self):
        """What is read of the others is forgotten at the commit of the first one."""
        read = []

        def fetch_query(users, query, fields):
            fetched = fetch_query_of(users, query, fields)
            if fields:  # else it is a search
                read.append(len(fetched))
            return fetched

        Users = type(self.env["res.users"])
        fetch_query_of = Users._fetch_query
        self._create_orders(self._create_customers("alone", 3)).action_confirm()
        with patch.object(Users, "_fetch_query", fetch_query):
            self.assertEqual(len(self._send_invitations()), 3)
        self.assertEqual(set(read), {1})

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

    def _copy_row(self, record, count, *own):
        """Add copies of a record to its table, with expressions for columns of theirs.

        :param own: pairs of a column and SQL, in which `n` is the number of the copy
        """
        self.env.flush_all()
        own = dict(own)
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = %s AND column_name != 'id'",
            (record._table,),
        )
        columns = [column for [column] in self.env.cr.fetchall()]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s "
                "FROM %(table)s, generate_series(1, %(count)s) n WHERE id = %(id)s "
                "RETURNING id",
                table=SQL.identifier(record._table),
                columns=SQL(", ").join(map(SQL.identifier, columns)),
                values=SQL(", ").join(
                    own.get(column, SQL.identifier(column)) for column in columns
                ),
                count=count,
                id=record.id,
            )
        )
        ids = [row_id for [row_id] in self.env.cr.fetchall()]
        self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(record._table)))
        return ids

    def test_the_lookup_uses_an_index_for_each_way(self):
        """Also for a batch, in a shop so small that reading all users looks cheap."""
        address = SQL("'customer' || n || '@example.com'")
        partner_ids = self._copy_row(
            self.customer, 10_000, ("email", address), ("email_normalized", address)
        )
        user = new_test_user(self.env, "copied", "base.group_portal")
        self._copy_row(
            user,
            10_000,
            ("login", address),
            ("partner_id", SQL("%s + n", partner_ids[0] - 1)),
        )
        plans = []

        def explain(env, query):
            env.cr.execute(SQL("EXPLAIN %s", query))
            plans.append("\n".join(row[0] for row in env.cr.fetchall()))
            return execute_query(env, query)

        execute_query = Environment.execute_query
        customers = SQL(
            "SELECT id, email_normalized FROM res_partner WHERE id IN %s",
            tuple(partner_ids[:100]),
        )
        with patch.object(Environment, "execute_query", explain):
            users_by_customer = self.env["res.users"]._find_customer_users(customers)
        self.assertEqual(len(users_by_customer), 100)
        [plan] = plans
        self.assertIn("res_users__partner_id_index", plan)
        self.assertIn("res_users_login_normalized_idx", plan)
        self.assertIn("res_partner_email_normalized_idx", plan)
        self.assertNotIn("Seq Scan on res_users", plan)
        self.assertNotIn("Seq Scan on res_partner", plan)

    def test_a_login_without_website_is_unique_in_the_database(self):
        self.env.cr.execute(
            "SELECT indexdef FROM pg_indexes "
            "WHERE indexname = 'res_users_login_without_website_uniq'"
        )
        [[definition]] = self.env.cr.fetchall()
        self.assertIn("UNIQUE", definition)
