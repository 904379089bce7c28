from ast import literal_eval
from datetime import timedelta
from unittest.mock import patch

from lxml import etree
from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from ..models import portal_account_batch
from .common import MAIL_TEMPLATE, PortalAccountCommon

BATCH_CRON = "sales_confirm_user_create.ir_cron_portal_account_batch"
REMINDER_CRON = "sales_confirm_user_create.ir_cron_portal_reminder"


@tagged("post_install", "-at_install")
class TestSettings(PortalAccountCommon):
    def test_installed_means_on_for_every_order(self):
        company = self.env["res.company"].create({"name": "New company"})
        self.assertEqual(company.portal_account_policy, "all")
        self.assertEqual(company.portal_reminder_max, 1)
        self.assertEqual(company.portal_reminder_days, 3)

    def test_never(self):
        self.company.portal_account_policy = "never"
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(self._get_notes(order))

    def test_website_orders_only(self):
        self.company.portal_account_policy = "website"
        backend = self._create_order()
        website = self._create_order(
            self._create_customer("Guest", "guest@example.com"),
            website_id=self.env["website"].get_current_website().id,
        )
        (backend + website).action_confirm()
        self.assertEqual((backend + website).mapped("user_created"), [False, True])

    def test_each_company_has_its_own(self):
        other = self.env["res.company"].create(
            {"name": "Second company", "portal_account_policy": "never"}
        )
        orders = self._create_order(company_id=other.id, order_line=False)
        orders += self._create_order(self._create_customer("B", "b@example.com"))
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [False, True])

    def test_settings_write_the_company(self):
        with Form(self.env["res.config.settings"]) as settings:
            settings.portal_account_policy = "website"
            settings.portal_reminder_max = 2
            settings.portal_reminder_days = 5
        settings.save().execute()
        self.assertEqual(self.company.portal_account_policy, "website")
        self.assertEqual(self.company.portal_reminder_max, 2)
        self.assertEqual(self.company.portal_reminder_days, 5)

    def test_settings_are_under_website_and_sales(self):
        arch = self.env["res.config.settings"].get_view(view_type="form")["arch"]
        apps = etree.fromstring(arch).xpath(
            "//app[.//field[@name='portal_account_policy']]/@name"
        )
        self.assertEqual(set(apps), {"website", "sale_management"})

    def test_bad_numbers_get_a_clear_answer(self):
        for values, words in (
            ({"portal_reminder_max": -1}, "between 0 and 10"),
            ({"portal_reminder_max": 11}, "between 0 and 10"),
            ({"portal_reminder_days": 0}, "at least 1 day"),
        ):
            with self.subTest(values):
                with self.assertRaises(ValidationError) as error:
                    self.company.write(values)
                self.assertIn(words, str(error.exception))

    def test_good_numbers_are_taken_up_to_the_limits(self):
        self.company.write({"portal_reminder_max": 10, "portal_reminder_days": 1})
        self.company.write({"portal_reminder_max": 0})
        self.assertEqual(self.company.portal_reminder_max, 0)

    def test_link_opens_the_invitation(self):
        settings = self.env["res.config.settings"].create({})
        template = self.env.ref(MAIL_TEMPLATE)
        action = settings.action_open_portal_invitation_template()
        self.assertEqual(
            (action["res_model"], action["res_id"], action["views"]),
            ("mail.template", template.id, [(False, "form")]),
        )
        template.unlink()
        self.assertFalse(
            settings.action_open_portal_invitation_template().get("res_id")
        )


@tagged("post_install", "-at_install")
class TestAccountState(PortalAccountCommon):
    def _assert_state(self, state, order):
        self.env.flush_all()
        self.env.invalidate_all()
        for user in (self.env.user, self.salesperson):
            self.assertEqual(order.with_user(user).portal_account_state, state)
        orders = self.env["sale.order"].with_user(self.salesperson)
        domain = [("id", "=", order.id)]
        self.assertTrue(orders.search([*domain, ("portal_account_state", "=", state)]))
        self.assertFalse(
            orders.search([*domain, ("portal_account_state", "!=", state)])
        )
        for value in ([], False):
            operator = "=" if value is False else "in"
            unset = [*domain, ("portal_account_state", operator, value)]
            self.assertFalse(orders.search(unset))
        self.assertTrue(orders.search([*domain, ("portal_account_state", "!=", False)]))
        [(group, count)] = orders._read_group(
            domain, ["portal_account_state"], ["__count"]
        )
        self.assertEqual((group, count), (state, 1))

    def test_state_follows_the_account(self):
        order = self._create_order(user_id=self.salesperson.id)
        self._assert_state("none", order)
        self.assertFalse(order.portal_account_date)
        order.action_confirm()
        self._assert_state("due", order)
        self._send_invitations()
        self._assert_state("invited", order)
        user = self.customer.user_ids
        self.assertEqual(order.portal_account_date, user.portal_invitation_date)
        user.with_user(user)._update_last_login()
        self._assert_state("activated", order)
        self.assertEqual(order.portal_account_date, user.portal_activation_date)
        user.active = False
        self.customer.active = True
        self._assert_state("archived", order)

    def test_active_user_counts_more_than_archived_one(self):
        new_test_user(
            self.env, "old", "base.group_portal", partner_id=self.customer.id
        ).active = False
        self.customer.active = True
        new_test_user(self.env, "new", "base.group_portal", partner_id=self.customer.id)
        self.assertEqual(self.customer.portal_account_state, "invited")

    def test_employee_has_no_portal_account(self):
        employee = new_test_user(self.env, "employee@example.com", "base.group_user")
        order = self._create_order(
            employee.partner_id, user_id=self.salesperson.id, state="sale"
        )
        self._assert_state("internal", order)
        self.assertFalse(order.portal_account_date)

    def test_state_is_not_for_customers_and_visitors(self):
        customer = new_test_user(self.env, "portal@example.com", "base.group_portal")
        order = self._create_order(customer.partner_id)
        for user in (customer, self.env.ref("base.public_user")):
            for record in (order, customer.partner_id):
                for name in ("portal_account_state", "portal_account_date"):
                    with (
                        self.subTest(user=user.login, model=record._name, field=name),
                        self.assertRaises(AccessError),
                    ):
                        record.with_user(user).read([name])

    def test_views_show_the_state(self):
        for model, view_type in (("sale.order", "form"), ("res.partner", "form")):
            arch = (
                self.env[model]
                .with_user(self.salesperson)
                .get_view(view_type=view_type)["arch"]
            )
            [badge] = etree.fromstring(arch).xpath(
                "//field[@name='portal_account_state'][@widget='badge']"
            )
            self.assertFalse(badge.get("invisible"))
            # to open users is for administrators
            self.assertNotIn("action_open_portal_user", arch)
            self.assertIn(
                "action_open_portal_user",
                self.env[model].get_view(view_type=view_type)["arch"],
            )

    def test_list_of_orders_filters_by_state(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        orders = self.env["sale.order"].with_user(self.salesperson)
        views = orders.get_views([(False, "list"), (False, "search")])["views"]
        [column] = etree.fromstring(views["list"]["arch"]).xpath(
            "//field[@name='portal_account_state']"
        )
        self.assertEqual(
            (column.get("widget"), column.get("optional")), ("badge", "hide")
        )
        search = etree.fromstring(views["search"]["arch"])
        found = [
            node.get("name")
            for node in search.xpath(
                "//filter[@name='user_created' or starts-with(@name, 'portal_acc')]"
            )
            if order in orders.search(literal_eval(node.get("domain")))
        ]
        self.assertEqual(found, ["user_created", "portal_account_invited"])
        for name in ("user_created", "portal_account_state"):
            [node] = search.xpath(f"//filter[@name='group_by_{name}']")
            self.assertEqual(literal_eval(node.get("context")), {"group_by": name})

    def test_new_contact_has_no_account(self):
        self.assertEqual(self.env["res.partner"].new({}).portal_account_state, "none")

    def test_users_are_opened_by_who_may(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        self.assertEqual(
            order.action_open_portal_user(),
            {
                "type": "ir.actions.act_window",
                "res_model": "res.users",
                "res_id": self.customer.user_ids.id,
                "views": [(False, "form")],
            },
        )
        with self.assertRaises(AccessError):
            order.with_user(self.salesperson).action_open_portal_user()
        with self.assertRaises(UserError):
            self._create_customer("Nobody", False).action_open_portal_user()


@tagged("post_install", "-at_install")
class TestResend(PortalAccountCommon):
    def _resend(self, orders):
        action = orders.with_user(self.salesperson).action_resend_portal_invitation()
        return action["params"]["type"], action["params"]["message"]

    def _create_account(self, orders):
        action = orders.with_user(self.salesperson).action_create_portal_account()
        return action["params"]["type"], action["params"]["message"]

    def _create_confirmed(self, *partners):
        orders = self.env["sale.order"]
        for partner in partners or (self.customer,):
            orders += self._create_order(partner, user_id=self.salesperson.id)
        orders.action_confirm()
        return orders

    def test_salesperson_resends_and_older_link_is_dead(self):
        order = self._create_confirmed()
        [first] = self._send_invitations()
        kind, message = self._resend(order)
        self.assertEqual(kind, "success")
        self.assertIn("jane@example.com", message)
        [second] = self._send_invitations()
        tokens = [
            self._get_link(mail).split("token=")[1].split("&")[0]
            for mail in (first, second)
        ]
        Partner = self.env["res.partner"]
        # in the place of a date of login, which is never before 1970
        self.assertEqual(self.customer._get_login_date(), -2)
        self.assertIs(Partner.create({"name": "New"})._get_login_date(), None)
        self.assertFalse(Partner._get_partner_from_token(tokens[0]))
        self.assertEqual(Partner._get_partner_from_token(tokens[1]), self.customer)
        self.assertEqual(self.customer.user_ids.portal_invitation_count, 2)

    def test_salesperson_resends_to_all_selected(self):
        john = self._create_customer("John", "john@example.com")
        orders = self._create_confirmed(self.customer, john)
        self._send_invitations()
        users = orders.partner_id.user_ids
        users.portal_invitation_failures = 3
        self.assertEqual(self._resend(orders)[0], "success")
        self.assertFalse(any(users.mapped("portal_invitation_failures")))
        self.assertEqual(len(self._send_invitations()), 2)

    def test_each_that_cannot_be_sent_gets_an_answer(self):
        partners = [
            self._create_customer(name, f"{name}@example.com")
            for name in ("good", "activated", "archived", "internal", "changed", "odd")
        ]
        orders = self._create_confirmed(*partners)
        self._send_invitations()
        _good, activated, archived, internal, changed, odd = [
            p.user_ids for p in partners
        ]
        activated.with_user(activated)._update_last_login()
        archived.active = False
        archived.partner_id.active = True
        internal.group_ids = self.env.ref("base.group_user")
        changed.partner_id.email = "attacker@example.com"
        odd.login = "odd"
        draft = self._create_order(user_id=self.salesperson.id)
        kind, message = self._resend(orders + draft)
        self.assertEqual(kind, "warning")
        for order, words in zip(
            orders[1:] + draft,
            (
                "activated already",
                "archived",
                "not a portal user",
                "differ",
                "not an email address",
                "has no account",
            ),
            strict=True,
        ):
            self.assertRegex(message, f"{order.name}: [^:]*{words}")
        self.assertTrue(message.startswith("On its way to good@example.com. "))
        self.assertNotIn("attacker", message)
        self.assertEqual(
            [mail["email_to"] for mail in self._send_invitations()],
            [["good@example.com"]],
        )

    def test_many_are_counted_and_not_listed(self):
        partners = [
            self._create_customer(f"c{i}", f"c{i}@example.com") for i in range(11)
        ]
        orders = self._create_confirmed(*partners)
        self.assertEqual(
            self._resend(orders), ("success", "On its way to 11 customers.")
        )
        self.assertIn(
            "On its way to c0@example.com, c1@example.com", self._resend(orders[:10])[1]
        )

    def test_resend_creates_no_account(self):
        order = self._create_order(user_id=self.salesperson.id, state="sale")
        self.assertEqual(
            self._resend(order),
            ("warning", f"{order.name}: the customer has no account."),
        )
        self.assertFalse(self.customer.user_ids)

    def test_changed_contact_does_not_get_the_link_that_is_due(self):
        self._create_confirmed()
        self.customer.email = "attacker@example.com"
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.com"])

    def test_missing_account_is_created_after_the_repair(self):
        parameter = self.env["ir.config_parameter"]
        template = parameter.get_param("base.template_portal_user_id")
        parameter.set_param("base.template_portal_user_id", "987654321")
        with self._mute_odoo():
            order = self._create_confirmed()
        self.assertNoAccount(order, "template")
        with self._mute_odoo():
            kind, message = self._create_account(order)
        self.assertEqual(kind, "warning")
        self.assertIn("template", message)
        self.assertNotIn("On its way", message)
        self.assertNoAccount(order, "template")
        parameter.set_param("base.template_portal_user_id", template)
        self.assertEqual(
            self._create_account(order), ("success", "On its way to jane@example.com.")
        )
        self.assertTrue(order.user_created)
        self.assertEqual(len(self._send_invitations()), 1)
        kind, message = self._create_account(order)
        self.assertEqual(kind, "warning")
        self.assertIn("has an account", message)
        self.assertFalse(self._send_invitations())

    def test_quotation_gets_no_account(self):
        order = self._create_order(user_id=self.salesperson.id)
        kind, message = self._create_account(order)
        self.assertEqual(kind, "warning")
        self.assertIn("not confirmed", message)
        self.assertFalse(self.customer.user_ids)

    def test_address_of_another_contact_is_told(self):
        self._create_confirmed()
        order = self._create_confirmed(
            self._create_customer("Twin", "jane@example.com")
        )
        kind, message = self._create_account(order)
        self.assertEqual(kind, "warning")
        self.assertIn("another contact", message)

    def test_explicit_creation_works_where_the_settings_say_never(self):
        self.company.portal_account_policy = "never"
        order = self._create_confirmed()
        self.assertEqual(self._create_account(order)[0], "success")
        self.assertTrue(order.user_created)

    def test_only_salespeople_who_may_edit_the_order_invite(self):
        order = self._create_confirmed()
        order.user_id = self.env.ref("base.user_admin")
        own = new_test_user(self.env, "own-orders", "sales_team.group_sale_salesman")
        portal = new_test_user(self.env, "portal-visitor", "base.group_portal")
        billing = new_test_user(
            self.env, "billing-clerk", "account.group_account_invoice"
        )
        order.with_user(billing).check_access("write")
        for user in (
            own,
            portal,
            billing,
            self.env.ref("base.public_user"),
            self.customer.user_ids,
        ):
            with self.subTest(user.login):
                with self.assertRaises(AccessError):
                    order.with_user(user).action_resend_portal_invitation()
                with self.assertRaises(AccessError):
                    order.with_user(user).action_create_portal_account()


@tagged("post_install", "-at_install")
class TestReminder(PortalAccountCommon):
    def _invite(self, *partners):
        self._create_orders(partners or [self.customer]).action_confirm()
        self._send_invitations()

    def _remind(self, days=0):
        """Let days pass, run the scheduled action, return what was sent."""
        for user in self.env["res.users"].search(
            [("portal_invitation_date", "!=", False)]
        ):
            user.portal_invitation_date -= timedelta(days=days)
        with self.enter_registry_test_mode():
            self.env.ref(REMINDER_CRON).method_direct_trigger()
        self.env.invalidate_all()
        return self._send_invitations()

    def test_one_reminder_after_three_days(self):
        self._invite()
        self.assertFalse(self._remind(2))
        [mail] = self._remind(1)
        self.assertIn("reminder", mail["body_alternative"])
        self.assertFalse(self._remind(30), "never more than configured")

    def test_as_many_as_configured(self):
        self.company.write({"portal_reminder_max": 2, "portal_reminder_days": 10})
        self._invite()
        self.assertEqual(
            [len(self._remind(days)) for days in (9, 1, 9, 1, 30)], [0, 1, 0, 1, 0]
        )

    def test_off(self):
        self.company.portal_reminder_max = 0
        self._invite()
        self.assertFalse(self._remind(30))

    def test_company_that_invited_decides(self):
        branch = self.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": self.company.id,
                "portal_reminder_max": 0,
            }
        )
        self.customer.company_id = self.company
        self._create_order(company_id=branch.id).action_confirm()
        self._send_invitations()
        user = self.customer.user_ids
        self.assertEqual(user.company_id, self.company)
        self.assertFalse(self._remind(30))
        branch.portal_reminder_max = 1
        self.assertEqual(len(self._remind()), 1)
        self.company.portal_reminder_max = 2
        self.assertFalse(self._remind(30))

    def test_account_without_order_is_reminded_by_its_company(self):
        self._invite()
        self.customer.user_ids.portal_invitation_order_id = False
        self.assertEqual(len(self._remind(3)), 1)

    def test_neither_activated_nor_archived_accounts(self):
        partners = [
            self._create_customer(n, f"{n}@example.com")
            for n in ("one", "two", "three")
        ]
        self._invite(*partners)
        activated, archived, waiting = [partner.user_ids for partner in partners]
        activated.with_user(activated)._update_last_login()
        archived.active = False
        self.assertEqual(
            [mail["email_to"] for mail in self._remind(3)], [[waiting.login]]
        )

    def test_crash_between_marking_and_sending_repeats_nothing(self):
        self._invite()
        user = self.customer.user_ids
        user.portal_invitation_date -= timedelta(days=3)
        for _run in range(2):
            with self.enter_registry_test_mode():
                self.env.ref(REMINDER_CRON).method_direct_trigger()
            self.env.invalidate_all()
        self.assertEqual(user.portal_reminder_count, 1)
        self.assertEqual(len(self._send_invitations()), 1)

    def test_many_in_batches(self):
        partners = [
            self._create_customer(f"c{i}", f"c{i}@example.com") for i in range(5)
        ]
        self._invite(*partners)
        with patch(
            "odoo.addons.sales_confirm_user_create.models.res_users.REMINDER_BATCH", 2
        ):
            self.assertEqual(len(self._remind(3)), 5)

    def test_job_keeps_to_its_time_and_tells_what_is_left(self):
        partners = [
            self._create_customer(f"c{i}", f"c{i}@example.com") for i in range(5)
        ]
        self._invite(*partners)
        users = self.env["res.users"].union(*(p.user_ids for p in partners))
        users.portal_invitation_date = "2020-01-01"
        calls, time_left = [], [1, 0, 1]

        def commit_progress(cron, *args, **kwargs):
            calls.append((args, kwargs))
            return time_left.pop(0)

        with (
            patch(
                "odoo.addons.sales_confirm_user_create.models.res_users.REMINDER_BATCH",
                2,
            ),
            patch.object(
                type(self.env["ir.cron"]), "_commit_progress", commit_progress
            ),
        ):
            self.env["res.users"]._cron_remind_portal_invitations()
            self.assertEqual(
                calls, [((2,), {"remaining": 3}), ((2,), {"remaining": 1})]
            )
            self.assertEqual(users.mapped("portal_reminder_count"), [1, 1, 1, 1, 0])
            self.env["res.users"]._cron_remind_portal_invitations()
        self.assertEqual(calls[2:], [((1,), {"remaining": 0})])
        self.assertEqual(users.mapped("portal_reminder_count"), [1, 1, 1, 1, 1])

    def test_job_tells_what_is_left_of_all_companies(self):
        other = self.env["res.company"].create({"name": "Other company"})
        orders = self._create_orders(
            [self.customer, self._create_customer("Jim", "jim@example.com")]
        )
        orders[1].company_id = other
        orders.action_confirm()
        orders.partner_id.user_ids.write(
            {
                "portal_invitation_due": False,
                "portal_invitation_date": "2020-01-01",
            }
        )
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", return_value=0
        ) as commit_progress:
            self.env["res.users"]._cron_remind_portal_invitations()
        commit_progress.assert_called_once_with(1, remaining=1)

    def test_resend_by_hand_is_no_reminder(self):
        self._invite()
        user = self.customer.user_ids
        user._make_portal_invitation_due()
        self._send_invitations()
        self.assertEqual(user.portal_reminder_count, 0)
        self.assertEqual(len(self._remind(3)), 1)


@tagged("post_install", "-at_install")
class TestBatch(PortalAccountCommon):
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
        self.assertEqual(batch.unusable_count, 2)
        self.assertFalse(self._get_users("new@example.com"))
        self._run()
        self.assertFalse(self._get_users("new@example.com"))

    def test_preview_does_not_count_a_guest_who_came_back_for_an_account(self):
        orders = self._create_past_orders(*["guest@example.com"] * 5)
        batch = self._preview(orders)
        self.assertEqual(batch.missing_count, 1)
        self.assertEqual(batch.existing_count, 0)
        self.assertEqual(batch.unusable_count, 0)
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
        self.assertEqual(batch.unusable_count, 0)

    def test_step_in_which_the_batch_is_stopped_is_done_again(self):
        orders = self._create_past_orders("a@example.com")
        batch = self._preview(orders)
        batch.action_start()
        self.env.flush_all()
        process = type(batch)._process
        failures = [SerializationFailure()]

        def fail_once(batch, orders):
            if failures:
                raise failures.pop()
            return process(batch, orders)

        with (
            patch.object(type(batch), "_process", fail_once),
            patch.object(type(self.env.cr), "rollback"),
        ):
            self._run()
        self.assertEqual(batch.state, "done")
        self.assertTrue(orders.user_created)

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
        orders[0]._ensure_portal_accounts()
        self._run()
        self.assertEqual(orders.mapped("user_created"), [True, True])
        self.assertEqual(batch.created_count, 1)

    def test_batch_is_stopped_and_resumed(self):
        orders = self._create_past_orders(*(f"c{i}@example.com" for i in range(5)))
        batch = self._preview(orders)
        batch.action_start()
        process = type(batch)._process

        def process_and_stop(batch, orders):
            process(batch, orders)
            batch.with_user(self.manager).action_stop()

        with (
            patch.object(portal_account_batch, "BATCH_SIZE", 2),
            patch.object(type(batch), "_process", process_and_stop),
        ):
            self._run()
        self.assertEqual(batch.state, "stopped")
        self.assertEqual((batch.processed_count, batch.created_count), (2, 2))
        self._run()
        self.assertEqual(batch.processed_count, 2, "it stands still")
        batch.action_start()
        self._run()
        self.assertEqual(batch.state, "done")
        self.assertEqual(batch.processed_count, 5)
        self.assertTrue(all(orders.mapped("user_created")))

    def test_batches_run_one_after_the_other_and_tell_what_is_left(self):
        first = self._create_past_orders(*(f"first{i}@example.com" for i in range(4)))
        second = self._create_past_orders("second@example.com")
        batches = self._preview(first) + self._preview(second)
        batches.sudo()[0].state = "running"
        batches.sudo()[1].state = "running"
        progress = []

        def commit_progress(_cron, processed=0, *, remaining=None):
            self.env.flush_all()
            progress.append((batches.mapped("processed_count"), processed, remaining))
            return 1

        with (
            patch.object(portal_account_batch, "BATCH_SIZE", 2),
            patch.object(
                type(self.env["ir.cron"]), "_commit_progress", commit_progress
            ),
        ):
            self.env["portal.account.batch"]._cron_process()
        self.assertEqual(
            progress,
            [
                ([2, 0], 2, 2),
                ([4, 0], 2, 1),
                # only now it shows that these were the last ones
                ([4, 0], 0, 1),
                ([4, 1], 1, 0),
            ],
        )
        self.assertEqual(batches[0].last_order_id, max(first.ids))
        self.assertEqual(batches.mapped("state"), ["done", "done"])

    def test_batch_that_is_done_does_not_start_again(self):
        batch = self._preview(self._create_past_orders("a@example.com"))
        batch.action_stop()
        self.assertEqual(batch.state, "draft", "there is nothing to stop")
        batch.action_start()
        self._run()
        batch.action_start()
        self.assertEqual(batch.state, "done")

    def test_order_cancelled_meanwhile_is_left_alone(self):
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
        self.assertIn("follow your orders", mail["body"])

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

    def test_batch_keeps_to_its_time(self):
        orders = self._create_past_orders(*(f"c{i}@example.com" for i in range(3)))
        self._preview(orders).action_start()
        IrCron = type(self.env["ir.cron"])
        with (
            patch.object(portal_account_batch, "BATCH_SIZE", 1),
            patch.object(IrCron, "_commit_progress", return_value=0),
        ):
            self.env["portal.account.batch"]._cron_process()
        self.assertEqual(orders.mapped("user_created"), [True, False, False])
