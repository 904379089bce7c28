import contextlib
from datetime import timedelta
from unittest.mock import patch

from lxml import etree
from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.base.models import ir_cron

from ..models.past_orders import portal_account_batch
from .common import PortalAccountCommon

BATCH_CRON = "sales_confirm_user_create.ir_cron_portal_account_batch"


@tagged("post_install", "-at_install")
class TestPortalAccountBatch(PortalAccountCommon):
    """Accounts for orders that were confirmed before the addon was installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, "manager", "sales_team.group_sale_manager")

    def _create_past_orders(self, *emails):
        partners = [self._create_customer(f"Past {e}", e) for e in emails]
        orders = self._create_orders(partners)
        orders.state = "sale"
        return orders

    def _preview(self, orders, user=None):
        Batch = self.env["portal.account.batch"].with_user(user or self.manager)
        action = Batch.action_preview(orders.ids)
        return Batch.browse(action["res_id"])

    @contextlib.contextmanager
    def _one_step_each_run(self, size):
        """Have each run of the scheduled action process this many orders."""
        with (
            patch.object(portal_account_batch, "BATCH_SIZE", size),
            patch.object(ir_cron, "MIN_RUNS_PER_JOB", 1),
            patch.object(ir_cron, "MIN_TIME_PER_JOB", -1),
        ):
            yield

    def _run(self):
        with self.enter_registry_test_mode():
            self.env.ref(BATCH_CRON).method_direct_trigger()
        self.env.invalidate_all()

    def test_preview_counts_and_changes_nothing(self):
        self._create_order().action_confirm()
        orders = self._create_past_orders("new@example.com", False, "no address")
        orders += self._create_order(state="sale") + self._create_order()
        batch = self._preview(orders)
        self.assertEqual(batch.state, "draft")
        self.assertEqual(batch.order_count, 4, "the quotation is left out")
        self.assertEqual(batch.missing_count, 1)
        self.assertEqual(batch.existing_count, 1)
        self.assertEqual(batch.other_count, 2)
        self.assertFalse(self._get_users("new@example.com"))
        self._run()
        self.assertFalse(self._get_users("new@example.com"))

    def test_preview_does_not_count_a_guest_who_came_back_for_an_account(self):
        orders = self._create_past_orders(*["guest@example.com"] * 5)
        batch = self._preview(orders)
        self.assertEqual(batch.missing_count, 1)
        self.assertEqual(batch.existing_count, 0)
        self.assertEqual(batch.other_count, 4)
        self.assertEqual(batch.other_count, 4)

    def test_preview_does_not_count_archived_users_and_contacts_for_an_account(self):
        orders = self._create_past_orders("user@example.com", "contact@example.com")
        new_test_user(
            self.env, "x", "base.group_portal", partner_id=orders[0].partner_id.id
        ).active = False
        orders[1].partner_id.active = False
        batch = self._preview(orders)
        self.assertEqual(batch.missing_count, 0)
        self.assertEqual(batch.existing_count, 0)
        self.assertEqual(batch.other_count, 2)

    def test_preview_counts_an_account_without_address(self):
        orders = self._create_past_orders(False)
        new_test_user(
            self.env, "x", "base.group_portal", partner_id=orders.partner_id.id
        )
        orders.partner_id.email = False
        batch = self._preview(orders)
        self.assertEqual(batch.existing_count, 1)
        self.assertEqual(batch.other_count, 0)

    def test_preview_counts_the_same_in_several_steps(self):
        self._confirm_order()
        orders = self._create_past_orders(
            "a@example.com", "b@example.com", "a@example.com", False, "no address"
        )
        orders += self._create_order(state="sale")
        orders[0].copy().state = "sale"
        orders += self.env["sale.order"].search(
            [("partner_id", "=", orders[0].partner_id.id)]
        )
        counts = []
        for size in (1, 2, 1000):
            with patch.object(portal_account_batch, "PREVIEW_BATCH_SIZE", size):
                batch = self._preview(orders)
            [values] = batch.read(
                [name for name in batch._fields if name.endswith("_count")]
            )
            values.pop("id")
            counts.append(values)
        self.assertEqual(counts[0]["order_count"], 7)
        self.assertEqual(counts[0]["missing_count"], 2)
        self.assertEqual(counts[0]["existing_count"], 1)
        self.assertEqual(counts[0]["other_count"], 3)
        self.assertEqual(counts[1], counts[0])
        self.assertEqual(counts[2], counts[0])

    def test_step_during_which_another_transaction_writes_is_done_again(self):
        orders = self._create_past_orders("a@example.com")
        batch = self._preview(orders)
        batch.action_start()
        SaleOrder = self.env.registry["sale.order"]
        ensure = SaleOrder._ensure_portal_accounts
        failures = [SerializationFailure()]

        def fail_once(orders, **options):
            if failures:
                raise failures.pop()
            return ensure(orders, **options)

        with patch.object(SaleOrder, "_ensure_portal_accounts", fail_once):
            self._run()
        self.assertFalse(failures)
        self.assertEqual(batch.state, "done")
        self.assertTrue(orders.user_created)
        self.assertEqual(batch.created_count, 1)

    def test_batch_follows_the_rules_of_the_confirmation(self):
        orders = self._create_past_orders(
            "a@example.com", "a@example.com", "b@example.com", False
        )
        batch = self._preview(orders)
        with self.capture_triggers(BATCH_CRON) as capture:
            batch.action_start()
        self.assertEqual(len(capture.records), 1)
        self._run()
        self.assertEqual(batch.state, "done")
        self.assertEqual(batch.processed_count, 4)
        self.assertEqual(batch.created_count, 2)
        self.assertEqual(batch.failed_count, 2)
        self.assertEqual(batch.progress, 100)
        self.assertEqual(orders.mapped("user_created"), [True, False, True, False])
        self.assertEqual(len(self._send_invitations()), 2)

    def test_batch_counts_its_own_accounts_only(self):
        orders = self._create_past_orders("a@example.com", "b@example.com")
        batch = self._preview(orders)
        batch.action_start()
        orders[0].action_create_portal_account()
        self._run()
        self.assertEqual(orders.mapped("user_created"), [True, True])
        self.assertEqual(batch.created_count, 1)

    def test_batch_is_stopped_and_resumed(self):
        orders = self._create_past_orders(*(f"c{i}@example.com" for i in range(5)))
        batch = self._preview(orders)
        batch.action_start()
        with self._one_step_each_run(2):
            self._run()
        self.assertEqual(batch.state, "running")
        batch.action_stop()
        self._run()
        self.assertEqual(batch.state, "stopped")
        self.assertEqual((batch.processed_count, batch.created_count), (2, 2))
        batch.action_start()
        self._run()
        self.assertEqual(batch.state, "done")
        self.assertEqual(batch.processed_count, 5)
        self.assertTrue(all(orders.mapped("user_created")))

    def test_batches_take_turns_and_run_until_all_are_done(self):
        first = self._create_past_orders(*(f"first{i}@example.com" for i in range(4)))
        second = self._create_past_orders("second@example.com")
        batches = self._preview(first) + self._preview(second)
        batches.action_start()
        triggers = self.env["ir.cron.trigger"].sudo()
        steps = []
        with self._one_step_each_run(2):
            for _run in range(4):
                triggers.search([]).unlink()
                self._run()
                goes_on = bool(
                    triggers.search([("cron_id", "=", self.env.ref(BATCH_CRON).id)])
                )
                steps.append((batches.mapped("processed_count"), goes_on))
        self.assertEqual(
            steps,
            [
                ([2, 0], True),
                ([4, 0], True),
                # only now it shows that these were the last ones
                ([4, 0], True),
                ([4, 1], False),
            ],
        )
        self.assertEqual(batches.mapped("state"), ["done", "done"])

    def test_batch_that_is_done_does_not_start_again(self):
        batch = self._preview(self._create_past_orders("a@example.com"))
        batch.action_stop()
        self.assertEqual(batch.state, "draft", "there is nothing to stop")
        batch.action_start()
        self._run()
        batch.action_start()
        self.assertEqual(batch.state, "done")

    def test_order_cancelled_since_is_left_alone(self):
        orders = self._create_past_orders("a@example.com", "b@example.com")
        batch = self._preview(orders)
        batch.action_start()
        orders[0].state = "cancel"
        self._run()
        self.assertEqual(orders.mapped("user_created"), [False, True])

    def test_nothing_to_preview_is_told(self):
        with self.assertRaisesRegex(UserError, "confirmed"):
            self._preview(self._create_order())

    def test_batches_are_for_sales_managers_and_their_own(self):
        orders = self._create_past_orders("a@example.com")
        batch = self._preview(orders)
        other = new_test_user(self.env, "other", "sales_team.group_sale_manager")
        for user in (self.salesperson, other, self.env.ref("base.public_user")):
            for method in ("action_start", "action_stop", "read"):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaises(AccessError),
                ):
                    getattr(batch.with_user(user), method)()
        for user in (self.salesperson, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                self._preview(orders, user)

    def test_administrator_stops_the_batch_of_somebody_else(self):
        batch = self._preview(self._create_past_orders("a@example.com"))
        batch.action_start()
        administrator = new_test_user(
            self.env,
            "administrator",
            "base.group_system,sales_team.group_sale_manager",
        )
        menu = self.env.ref(
            "sales_confirm_user_create.portal_account_batch_website_menu"
        )
        self.assertIn(
            menu.id, self.env["ir.ui.menu"].with_user(administrator)._visible_menu_ids()
        )
        batch.with_user(administrator).search([("id", "=", batch.id)]).action_stop()
        self.assertEqual(batch.state, "stopped")

    def test_preview_that_nobody_starts_is_removed(self):
        old, new, started = (
            self._preview(self._create_past_orders(f"{name}@example.com"))
            for name in ("old", "new", "started")
        )
        started.action_start()
        self.env.cr.execute(
            "UPDATE portal_account_batch SET create_date = create_date - "
            "interval '25 hours' WHERE id IN %s",
            (tuple((old + started).ids),),
        )
        self.env.invalidate_all()
        self.env["portal.account.batch"]._gc_previews()
        self.assertEqual((old + new + started).exists(), new + started)

    def test_customers_of_the_past_are_not_thanked_for_an_order(self):
        orders = self._create_past_orders("old@example.com")
        orders.date_order -= timedelta(days=400)
        self._preview(orders).action_start()
        self._run()
        [mail] = self._send_invitations()
        self.assertNotIn(orders.name, mail["body"])
        self.assertIn("open your account", mail["body"])

    def test_second_batch_notes_nothing_again(self):
        orders = self._create_past_orders(False)
        for _batch in range(2):
            self._preview(orders).action_start()
            self._run()
        self.assertNoAccount(orders, "no email address")

    def test_menus_are_there_without_the_sales_app(self):
        website_menus = self.env["ir.ui.menu"]
        for name in ("portal_account_batch", "portal_adoption_report"):
            website_menus += self.env.ref(
                f"sales_confirm_user_create.{name}_website_menu"
            )
        self.assertLessEqual(
            set(website_menus.ids),
            self.env["ir.ui.menu"].with_user(self.manager)._visible_menu_ids(),
        )

    def test_nobody_writes_on_batches(self):
        batch = self._preview(self._create_past_orders("a@example.com"))
        with self.assertRaises(AccessError):
            batch.write({"state": "running"})
        with self.assertRaises(AccessError):
            batch.create({"state": "running"})
        with self.assertRaises(AccessError):
            batch.unlink()

    def test_orders_of_another_company_are_refused(self):
        company = self.env["res.company"].create({"name": "Second company"})
        order = self._create_order(
            company_id=company.id, order_line=False, state="sale"
        )
        with self.assertRaises(AccessError):
            self._preview(order)

    def _open(self, batch, button):
        """Return the records behind a button of the form, by the name of its number."""
        form = self.env["portal.account.batch"].get_view(view_type="form")
        [node] = etree.fromstring(form["arch"]).xpath(
            f"//button[field[@name='{button}']]"
        )
        action = getattr(batch, node.get("name"))()
        return self.env[action["res_model"]].search(action["domain"])

    def test_each_button_opens_what_it_counts(self):
        self._create_order().action_confirm()
        self._send_invitations()
        orders = self._create_past_orders("new@example.com", "new@example.com", False)
        orders += self._create_order(state="sale")
        orders += self._create_order(self._create_customer("B", "b@example.com"))
        orders[-1].action_confirm()
        self._send_invitations()
        batch = self._preview(orders)
        self.assertEqual(batch.missing_count, 1)
        self.assertEqual(batch.other_count, 2)
        self.assertEqual(batch.existing_count, 2)
        batch.action_start()
        self._run()
        self.assertEqual(self._open(batch, "order_count"), orders)
        self.assertEqual(self._open(batch, "created_count"), orders[0])
        self.assertEqual(self._open(batch, "failed_count"), orders[1:3])
        self.assertEqual(batch.email_count, 1)
        invitation = self._open(batch, "email_count")
        self.assertEqual(invitation, self._get_invitation(orders[0].partner_id))
        self._send_invitations()
        self.env.invalidate_all()
        self.assertEqual(batch.email_count, 0)
