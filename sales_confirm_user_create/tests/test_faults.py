import contextlib
import logging
from unittest.mock import patch

from psycopg2.errors import NotNullViolation, SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.base.models.res_users import ResUsers

from .common import CRON, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestFaults(PortalAccountCommon):
    """The sale never fails for the account."""

    def test_missing_template_user(self):
        for value in ("987654321", False):
            self.env["ir.config_parameter"].set_param(
                "base.template_portal_user_id", value
            )
            order = self._create_order()
            with self._mute_odoo() as log:
                order.action_confirm()
            self.assertEqual(len(log.output), 1)
            self.assertNoAccount(order, "template for new portal users")
            self.assertFalse(self.customer.user_ids)

    def test_missing_template_user_concerns_new_customers_only(self):
        self._create_order().action_confirm()
        user = self.customer.user_ids
        company = self.env["res.company"].create({"name": "Second"})
        self.env.user.company_ids |= company
        known = self._create_order(company_id=company.id)
        new = self._create_order(self._create_customer("New", "new@example.com"))
        notes = self._get_notes(known)
        self.env["ir.config_parameter"].set_param(
            "base.template_portal_user_id", "987654321"
        )
        with self._mute_odoo():
            (known + new).action_confirm()
        self.assertNoAccount(new, "template")
        self.assertEqual(self._get_notes(known), notes)
        self.assertIn(company, user.company_ids)

    def test_internal_template_user_gives_nobody_rights(self):
        template = self.env.ref("base.template_portal_user_id")
        template.group_ids = self.env.ref("base.group_user")
        order = self._create_order()
        with self._mute_odoo():
            order.action_confirm()
        self.assertNoAccount(order, "other rights than the portal's")

    def _confirm_with_more_groups(self, orders, xml_id):
        """Confirm orders while another module adds a group to the first new user, as
        OCA's `base_user_role` does to all."""
        group, create = self.env.ref(xml_id), ResUsers.create

        def create_with_group(users, vals_list):
            users = create(users, vals_list)
            customers = users.filtered(lambda user: user.login == "jane@example.com")
            customers.group_ids = group
            return users

        with (
            patch.object(ResUsers, "create", create_with_group),
            self._mute_odoo() as log,
        ):
            orders.action_confirm()
        self.assertEqual(len(log.output), 1)

    def test_account_with_more_rights_is_undone(self):
        for xml_id in (
            "base.group_user",
            "base.group_public",
            "sales_team.group_sale_manager",
            "base.group_allow_export",
        ):
            with self.subTest(xml_id), self.env.cr.savepoint() as savepoint:
                orders = self._create_orders(
                    self.customer + self._create_customer("S", "second@example.com")
                )
                self._confirm_with_more_groups(orders, xml_id)
                self.assertNoAccount(orders[0], "other rights than the portal's")
                self.assertEqual(orders[0].portal_account_issue, "template")
                self.assertFalse(self._get_users("jane@example.com"))
                self.assertTrue(orders[1].user_created)
                self.assertSent(self._send_invitations(), "second")
                savepoint.rollback()

    def test_hook_gives_a_group_of_its_own(self):
        group = self.env["res.groups"].create({"name": "Club"})
        portal = self.env.ref("base.group_portal")
        internal = self.env["res.groups"].create(
            {"name": "Boss", "implied_ids": self.env.ref("base.group_user").ids}
        )
        prepare = type(self.env["sale.order"])._prepare_portal_user_values
        for groups, is_created in (
            (portal + group, True),
            (group, False),
            (portal + internal, False),
            (internal, False),
        ):

            def prepare_groups(order, values, groups=groups):
                return {**prepare(order, values), "group_ids": [(6, 0, groups.ids)]}

            with self.subTest(groups.mapped("name")):
                email = f"{'.'.join(map(str, groups.ids))}@example.com"
                order = self._create_order(self._create_customer("C", email))
                with (
                    patch.object(
                        type(order), "_prepare_portal_user_values", prepare_groups
                    ),
                    contextlib.nullcontext() if is_created else self._mute_odoo(),
                ):
                    order.action_confirm()
                self.assertEqual(order.user_created, is_created)
                self.assertEqual(bool(order.partner_id.user_ids), is_created)

    def test_archived_template_user_still_serves(self):
        template = self.env.ref("base.template_portal_user_id")
        self.assertFalse(template.active, "as Odoo ships it")
        self._create_order().action_confirm()
        self.assertTrue(self.customer.user_ids.active)

    def test_unreadable_parameter_is_noted(self):
        self.env["ir.config_parameter"].set_param(
            "base.template_portal_user_id", "not (a number"
        )
        order = self._create_order()
        with self._mute_odoo():
            order.action_confirm()
        self.assertNoAccount(order)

    def _check_batch_with_one_failure(self, size, failing):
        """Confirm a batch in which another module refuses the user of one customer."""
        partners = self.env["res.partner"].create(
            [
                {"name": f"Customer {i}", "email": f"{i}.with.{failing}@example.com"}
                for i in range(size)
            ]
        )
        orders = self._create_orders(partners)
        create = ResUsers.create
        unwanted, message = partners[failing].email, "This customer <is> unwanted"

        def create_or_fail(model, vals_list):
            if any(vals["login"] == unwanted for vals in vals_list):
                raise UserError(message)
            return create(model, vals_list)

        with patch.object(ResUsers, "create", create_or_fail), self._mute_odoo() as log:
            orders.action_confirm()
        self.assertEqual(len(log.output), 1)
        self.assertIn("Traceback", log.output[0])
        self.assertNoAccount(orders[failing], message)
        others = orders - orders[failing]
        self.assertTrue(all(others.mapped("user_created")))
        users = others.partner_id.user_ids
        self.assertEqual(len(users), size - 1)
        self.assertTrue(all(users.portal_invitation_ids.mapped("due_date")))
        self.assertEqual(users.portal_invitation_ids.user_id, users)

    def test_one_customer_of_fifty_fails(self):
        self._check_batch_with_one_failure(50, failing=17)

    def test_one_customer_of_three_fails(self):
        for failing in range(3):
            with self.subTest(failing=failing):
                self._check_batch_with_one_failure(3, failing)
                self.assertEqual(len(self._send_invitations()), 2)

    def test_account_made_at_the_same_moment_is_no_error(self):
        """Another transaction is seen by the index alone, and not by the lookup."""
        self._create_order().action_confirm()
        order = self._create_order(self._create_customer("Jane", "jane@example.com"))
        with (
            patch.object(
                self.env.registry["res.users"],
                "_find_customer_users",
                lambda *args: {},
            ),
            self.assertNoLogs("odoo.addons.sales_confirm_user_create", logging.ERROR),
        ):
            order.action_confirm()
        self.assertNoAccount(order, "Another order has just created an account")

    def test_rule_of_another_module_that_fails_is_noted(self):
        def refuse(orders):
            # as `UserError(error)` often does with an error that has no text
            raise UserError(AssertionError())

        for name, rule in {
            "raises": lambda orders: 1 / 0,
            "returns nothing": lambda orders: None,
            "returns a list": list,
            "refuses without a word": refuse,
        }.items():
            order = self._create_order()
            with (
                self.subTest(name),
                patch.object(
                    self.env.registry["sale.order"],
                    "_filter_portal_account_orders",
                    rule,
                ),
                self._mute_odoo(),
            ):
                order.action_confirm()
                self.assertNoAccount(order, "administrator")

    def test_values_of_another_module_that_fail_cost_nobody_else_the_account(self):
        orders = self._create_orders(
            self.customer + self._create_customer("Second", "second@example.com")
        )
        prepare = type(orders)._prepare_portal_user_values
        message = "VAT is missing"

        def prepare_or_fail(order, values):
            if order == orders[0]:
                raise UserError(message)
            return prepare(order, values)

        with (
            patch.object(type(orders), "_prepare_portal_user_values", prepare_or_fail),
            self._mute_odoo(),
        ):
            orders.action_confirm()
        self.assertNoAccount(orders[0], message)
        self.assertTrue(orders[1].user_created)

    def test_rule_of_another_module_reads_more_than_the_user(self):
        def filter_without_users(orders):
            return orders.filtered(lambda order: not order.partner_id.portal_user_id)

        order = self._create_order(user_id=self.salesperson.id)
        with patch.object(
            self.env.registry["sale.order"],
            "_filter_portal_account_orders",
            filter_without_users,
        ):
            order.with_user(self.salesperson).action_confirm()
        self.assertTrue(order.user_created)

    def test_text_of_technical_errors_is_not_shown(self):
        order = self._create_order()
        with (
            patch.object(ResUsers, "create", side_effect=ValueError("secret detail")),
            self._mute_odoo() as log,
        ):
            order.action_confirm()
        self.assertIn("secret detail", log.output[0])
        self.assertNoAccount(order, "administrator")
        self.assertNotIn("secret", self._get_notes(order)[0])

    def test_error_of_the_whole_batch_is_noted_on_each_order(self):
        orders = self._create_orders(
            self.customer + self._create_customer("Second", "second@example.com")
        )
        with (
            patch.object(
                type(orders), "_allow_order_company", side_effect=UserError("Not <now>")
            ),
            self._mute_odoo(),
        ):
            orders.action_confirm()
        for order in orders:
            self.assertNoAccount(order, "Not <now>")

    def test_database_error_does_not_break_the_transaction(self):
        def fail(model, *args):
            model.env.cr.execute("SELECT no_such_column FROM res_users")

        order = self._create_order()
        with (
            patch.object(type(self.env["res.users"]), "_find_customer_users", fail),
            self._mute_odoo(),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            order.action_confirm()
        self.assertNoAccount(order)

    def test_errors_of_the_sale_itself_propagate(self):
        order = self._create_order()
        confirm = type(order)._action_confirm

        def confirm_without_date(orders):
            orders.date_order = False
            return confirm(orders)

        with (
            patch.object(type(order), "_action_confirm", confirm_without_date),
            self.assertRaises(NotNullViolation),
            self.assertLogs("odoo.sql_db", "ERROR"),
        ):
            order.action_confirm()

    def test_failing_note_does_not_fail_the_sale(self):
        order = self._create_order()
        with (
            patch.object(ResUsers, "create", side_effect=ValueError("broken")),
            patch.object(
                type(order), "_message_log_batch", side_effect=ValueError("also broken")
            ),
            self._mute_odoo() as log,
        ):
            order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(len(log.output), 3)

    def test_salesperson_gets_an_answer_though_the_note_fails(self):
        self.company.portal_account_policy = "never"
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        with (
            patch.object(ResUsers, "create", side_effect=UserError("VAT is missing")),
            patch.object(
                type(order), "_message_log_batch", side_effect=ValueError("broken")
            ),
            self._mute_odoo(),
        ):
            action = order.with_user(self.salesperson).action_create_portal_account()
        self.assertIn(order.name, action["params"]["message"])
        self.assertEqual(action["params"]["type"], "warning")

    def test_errors_that_odoo_retries_propagate(self):
        for target in ("_find_customer_users", "_create_portal_users"):
            with (
                self.subTest(target),
                self.assertRaises(SerializationFailure),
                self.env.cr.savepoint(),
                patch.object(
                    type(self.env["res.users"]),
                    target,
                    side_effect=SerializationFailure(),
                ),
            ):
                self._create_order().action_confirm()

    def test_notes_that_odoo_retries_propagate(self):
        order = self._create_order()
        with (
            patch.object(ResUsers, "create", side_effect=ValueError("broken")),
            patch.object(
                type(order),
                "_message_log_batch",
                side_effect=[ValueError("also broken"), SerializationFailure()],
            ),
            self._mute_odoo(),
            self.assertRaises(SerializationFailure),
        ):
            order.action_confirm()

    def test_rollback_leaves_nothing(self):
        order = self._create_order()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            order.action_confirm()
            self.env.flush_all()
            raise ZeroDivisionError
        self.assertEqual(order.state, "draft")
        self.assertFalse(order.user_created)
        self.assertFalse(self._get_users("jane@example.com"))
        cron = self.env.ref(CRON)
        self.assertFalse(
            self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        )
        self.assertFalse(self._send_invitations())

    def test_failing_confirmation_creates_nothing(self):
        order = self._create_order()
        order._action_cancel()
        with self.assertRaises(UserError):
            order.action_confirm()
        self.assertFalse(self._get_users("jane@example.com"))
