from unittest.mock import patch

from odoo.api import Environment
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..models.sale_order import SaleOrder
from .common import PortalAccountCommon

# to begin one and to release it
SAVEPOINT = 2


@tagged("post_install", "-at_install")
class TestPerformance(PortalAccountCommon):
    """Queries that the accounts cost, compared to the same batch without them."""

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

    def _count_floor(self, partners, *, with_contacts=True):
        """Count what a confirmation takes without the addon's part of it.

        :param with_contacts: count reading the customers, which other addons may do
        """
        orders = self._create_cold_orders(partners)

        def confirm():
            orders.action_confirm()
            if with_contacts:
                partners.mapped("email")

        with patch.object(
            SaleOrder,
            "action_confirm",
            lambda self: super(SaleOrder, self).action_confirm(),
        ):
            return self._count_queries(confirm)

    def _warm_up(self, partners):
        """Have caches as they are in a shop that has confirmed orders before."""
        self._count_floor(partners)
        self._create_cold_orders(partners).action_confirm()
        self.env.flush_all()

    def test_order_that_the_settings_leave_out(self):
        partners = self._create_customers("left", 10)
        self._warm_up(partners)
        floor = self._count_floor(partners, with_contacts=False)
        self.company.portal_account_policy = "never"
        orders = self._create_cold_orders(partners)
        with self.assertQueryCount(floor):
            orders.action_confirm()

    def test_batch_of_customers_with_accounts(self):
        partners = self._create_customers("known", 100)
        self._create_cold_orders(partners).action_confirm()
        self._warm_up(partners[:1])
        floor = self._count_floor(partners)
        orders = self._create_cold_orders(partners)
        # and three that read what was sent to those who have not activated theirs
        with self.assertQueryCount(floor + 1 + 3 + SAVEPOINT):
            orders.action_confirm()
        partners.user_ids.portal_activation_date = "2020-02-20"
        orders = self._create_cold_orders(partners)
        with self.assertQueryCount(floor + 1 + SAVEPOINT):
            orders.action_confirm()

    def test_batch_of_new_customers(self):
        self._warm_up(self._create_customers("warm", 10))
        floor = self._count_floor(self._create_customers("floor", 100))
        orders = self._create_cold_orders(self._create_customers("new", 100))
        with self.assertQueryCount(floor + 36 + self._count_others_queries(100)):
            orders.action_confirm()
        self.assertTrue(all(orders.mapped("user_created")))

    def test_one_new_customer(self):
        """As many statements as on the first release, whose limit this is, and one that
        looks at the groups that the new user really has."""
        self._warm_up(self._create_customers("warm", 1))
        floor = self._count_floor(self._create_customers("floor", 1))
        orders = self._create_cold_orders(self._create_customers("new", 1))
        with self.assertQueryCount(floor + 35 + self._count_others_queries(1)):
            orders.action_confirm()
        self.assertTrue(orders.user_created)

    def _count_others_queries(self, users):
        """Return what `website_slides` takes for courses and ranks of new users,
        `stock` for pickings that it writes in other groups, and OCA's
        `base_tier_validation` and `mail_multicompany` for each order and note."""
        count = users + 2 if "slide.channel" in self.env else 0
        count += users // 8 if "stock.picking" in self.env else 0
        return count + (5 * users + 5 if "tier.review" in self.env else 0)

    def test_batch_of_customers_without_an_account(self):
        partners = self._create_customers("bad", 100)
        partners.email = False
        self._create_cold_orders(partners).action_confirm()
        self._warm_up(partners[:1])
        floor = self._count_floor(partners)
        orders = self._create_cold_orders(partners)
        with self.assertQueryCount(
            floor + 6 + SAVEPOINT + self._count_others_queries(100)
        ):
            orders.action_confirm()

    def test_invitations_take_a_third_fewer_statements_than_those_of_odoo(self):
        def invite_as_odoo():
            for user in users:
                # as after the commit that follows each invitation
                self.env.invalidate_all()
                user.partner_id.signup_prepare()
                template.send_mail(user.id, force_send=True)

        template = self.env.ref("auth_signup.portal_set_password_email")
        others, partners = (
            self._create_customers(prefix, 11) for prefix in ("other", "invited")
        )
        self._create_orders(others + partners).action_confirm()
        users = others.user_ids
        users.portal_invitation_ids.due_date = False
        with self.mock_mail_gateway(mail_unlink_sent=True):
            invite_as_odoo()
            floor = self._count_queries(invite_as_odoo)
        with self.assertQueryCount(floor * 2 // 3):
            self.assertEqual(len(self._send_invitations()), 11)

    def test_confirmation_page(self):
        """Odoo's link to sign up takes one statement more: whether to show it."""

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
        with self.assertQueryCount(floor + 1):
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
        partners = self.env["res.partner"].browse(partner_ids[:100])
        users_by_customer, nodes = self._explain_lookup(partners)
        self.assertEqual(len(users_by_customer), 100)
        orders = self.env["sale.order"]
        _found, more = self._explain(
            "'technical'", orders._get_contacts_without_account, {"a@example.com"}
        )
        indexes = {node.get("Index Name") for node in nodes}
        self.assertIn("res_users__partner_id_index", indexes)
        self.assertIn("res_users_login_normalized_idx", indexes)
        self.assertIn("res_partner_internal_email_idx", indexes)
        read = {
            node["Relation Name"]
            for node in nodes + more
            if node["Node Type"] == "Seq Scan"
        }
        self.assertFalse(read & {"res_users", "res_partner"})

    def _explain_lookup(self, partners):
        """Return the users of customers, and the nodes of the plan that found them."""
        find = self.env["res.users"]._find_customer_users
        return self._explain("WITH customer", find, partners)

    def _explain(self, part, method, *args):
        """Return what a method does, and the nodes of the plan of one of its queries.

        :param part: of the query
        """
        nodes = []

        def explain(env, query):
            if part in query.code:
                env.cr.execute(SQL("EXPLAIN (ANALYZE, FORMAT JSON) %s", query))
                [[[plan]]] = env.cr.fetchall()
                nodes.extend(self._get_nodes(plan["Plan"]))
            return execute_query(env, query)

        execute_query = Environment.execute_query
        with patch.object(Environment, "execute_query", explain):
            found = method(*args)
        self.assertTrue(nodes)
        return found, nodes

    def _get_nodes(self, node):
        """Yield the nodes of a plan."""
        yield node
        for child in node.get("Plans", ()):
            yield from self._get_nodes(child)

    def test_the_lookup_reads_no_contacts_of_a_shared_address(self):
        partner_ids = self._copy_row(self.customer, 5_000)
        partners = self.env["res.partner"].browse(partner_ids[:100])
        _found, nodes = self._explain_lookup(partners)
        rows = [
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            * node["Actual Loops"]
            for node in nodes
            if node.get("Alias") == "contact"
        ]
        self.assertTrue(rows)
        self.assertEqual(sum(rows), 0)

    def test_a_login_without_website_is_unique_in_the_database(self):
        self.env.cr.execute(
            "SELECT indexdef FROM pg_indexes "
            "WHERE indexname = 'res_users_login_without_website_uniq'"
        )
        [[definition]] = self.env.cr.fetchall()
        self.assertIn("UNIQUE", definition)
