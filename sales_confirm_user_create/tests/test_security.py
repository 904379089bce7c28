from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged

from .common import PortalAccountCommon

OUR_MODELS = (
    "sale.order",
    "res.users",
    "res.partner",
    "res.company",
    "res.config.settings",
    "portal.account.batch",
    "portal.account.question",
    "portal.decline",
    "portal.invitation",
    "ir.mail_server",
)
USER_FIELDS = ("portal_invitation_ids", "portal_activation_date")
# what the confirmation writes, and values that somebody might give them
ORDER_VALUES = ({"user_created": True}, {"portal_account_issue": "error"})
STATES = {"portal_account_state": "activated", "portal_account_issue": "error"}


@tagged("post_install", "-at_install")
class TestSecurity(PortalAccountCommon):
    """Anybody who may confirm gets the confirmation, and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env, "portal@example.com", "base.group_portal"
        )
        cls.visitor = cls.env.ref("base.public_user")
        cls.people = cls.salesperson + cls.portal_user + cls.visitor

    def test_nobody_writes_what_the_confirmation_found_out(self):
        order = self._create_order(user_id=self.salesperson.id)
        for user in self.people + self.env.ref("base.user_admin"):
            for values in ORDER_VALUES:
                with self.subTest(user=user.login, values=values):
                    with self.assertRaises(AccessError):
                        order.with_user(user).write(values)
                    with self.assertRaises(AccessError):
                        order.with_user(user).create(
                            {"partner_id": self.customer.id, **values}
                        )
        self.assertFalse(order.user_created)
        self.assertFalse(order.portal_account_issue)

    def test_nobody_creates_marked_orders_by_defaults(self):
        Order = self.env["sale.order"].with_user(self.salesperson)
        for values in ORDER_VALUES:
            [(name, value)] = values.items()
            with self.subTest(name):
                context = {f"default_{name}": value}
                order = Order.with_context(**context).create(
                    {"partner_id": self.customer.id}
                )
                self.assertFalse(order.sudo()[name])
                # as any user may in the debug menu
                self.env["ir.default"].with_user(self.salesperson).set(
                    "sale.order", name, value, user_id=True
                )
                order = Order.create({"partner_id": self.customer.id})
                self.assertFalse(order.sudo()[name])

    def test_mark_is_not_taken_back_by_hand(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        with self.assertRaises(AccessError):
            order.with_user(self.salesperson).write({"user_created": False})
        self.assertTrue(order.user_created)

    def test_issue_is_not_taken_back_by_hand(self):
        self.customer.email = False
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        with self.assertRaises(AccessError):
            order.with_user(self.salesperson).write({"portal_account_issue": False})
        self.assertEqual(order.portal_account_issue, "no_email")

    def test_salesperson_still_writes_what_is_theirs(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).write({"client_order_ref": "PO-1"})
        self.assertEqual(order.client_order_ref, "PO-1")

    def test_employees_read_all_fields_they_see(self):
        """As a call without a list of fields does: one refusal would end it."""
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        records = [order, order.partner_id, order.company_id, self.customer.user_ids]
        records.append(self.env["account.move"].create({"move_type": "out_invoice"}))
        read = []
        for groups in (
            "base.group_user",
            "base.group_erp_manager",
            "sales_team.group_sale_salesman_all_leads",
            "sales_team.group_sale_manager",
            "account.group_account_invoice",
            "base.group_system",
        ):
            employee = new_test_user(self.env, groups, f"base.group_user,{groups}")
            for record in records:
                readable = record.with_user(employee)
                if not readable.has_access("read"):
                    continue
                read.append((groups, record))
                ours = [
                    name
                    for name in readable.fields_get()
                    if "sales_confirm_user_create" in readable._fields[name]._modules
                ]
                with self.subTest(groups, record=record, fields=ours):
                    self.env.invalidate_all()
                    [values] = readable.read(ours or ["display_name"])
                    self.assertEqual(values["id"], record.id)
        self.assertIn(("sales_team.group_sale_salesman_all_leads", order), read)

    def test_invitation_fields_are_for_administrators(self):
        self._create_order().action_confirm()
        user = self.customer.user_ids
        for person in self.people:
            for name in USER_FIELDS:
                with self.subTest(user=person.login, field=name):
                    with self.assertRaises(AccessError):
                        user.with_user(person).read([name])
                    with self.assertRaises(AccessError):
                        user.with_user(person).write({name: False})
                    with self.assertRaises(AccessError):
                        user.with_user(person).search([(name, "!=", False)])

    def test_customer_cannot_change_own_invitation(self):
        self._create_order().action_confirm()
        user = self.customer.user_ids
        for name in USER_FIELDS:
            with self.subTest(field=name), self.assertRaises(AccessError):
                user.with_user(user).write({name: False})

    def test_invitations_are_for_sales_managers(self):
        self._create_order().action_confirm()
        invitation = self._get_invitation()
        for person in self.people + self.customer.user_ids:
            with self.subTest(user=person.login):
                with self.assertRaises(AccessError):
                    invitation.with_user(person).read(["state"])
                with self.assertRaises(AccessError):
                    invitation.with_user(person).search([])
                with self.assertRaises(AccessError):
                    invitation.with_user(person).formatted_read_group([], ["state"])
                with self.assertRaises(AccessError):
                    invitation.with_user(person).order_id = False
                with self.assertRaises(AccessError):
                    invitation.with_user(person).unlink()
                with self.assertRaises(AccessError):
                    invitation.with_user(person).create(
                        {"user_id": person.id, "company_id": self.company.id}
                    )
                with self.assertRaises(AccessError):
                    invitation.with_user(person).action_resend()

    def test_sales_manager_changes_no_invitation(self):
        self._create_order().action_confirm()
        invitation = self._get_invitation().with_user(self._create_manager())
        self.assertEqual(invitation.state, "due")
        with self.assertRaises(AccessError):
            invitation.sent_count = 0
        with self.assertRaises(AccessError):
            invitation.unlink()
        with self.assertRaises(AccessError):
            invitation.create(
                {"user_id": self.portal_user.id, "company_id": self.company.id}
            )

    def test_sales_manager_sees_no_invitation_of_another_company(self):
        company = self.env["res.company"].create({"name": "Second company"})
        self._create_order(company_id=company.id, order_line=False).action_confirm()
        invitation = self._get_invitation().with_user(self._create_manager())
        self.assertFalse(invitation.search([("id", "=", invitation.id)]))
        with self.assertRaises(AccessError):
            invitation.action_resend()

    def _create_manager(self):
        return new_test_user(self.env, "manager", "sales_team.group_sale_manager")

    def test_state_of_the_account_is_not_for_customers_and_visitors(self):
        order = self._create_order(self.portal_user.partner_id)
        order.action_confirm()
        for person in self.portal_user + self.visitor:
            Order = order.with_user(person)
            for name, value in STATES.items():
                with self.subTest(user=person.login, field=name):
                    with self.assertRaises(AccessError):
                        Order.read([name])
                    with self.assertRaises(AccessError):
                        Order.search([(name, "=", value)])
                    with self.assertRaises(AccessError):
                        Order.search([], order=name)
                    with self.assertRaises(AccessError):
                        Order.formatted_read_group([], [name], ["__count"])

    def test_salesperson_searches_sorts_and_groups_by_the_state(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        Order = order.with_user(self.salesperson)
        domain = [("id", "=", order.id)]
        state = ("portal_account_state", "=", "due")
        self.assertEqual(Order.search([*domain, state]), order)
        for name in STATES:
            self.assertEqual(Order.search(domain, order=name), order)
        [group] = Order.formatted_read_group(domain, ["portal_account_state"])
        self.assertEqual(group["portal_account_state"], "due")

    def test_customer_reads_the_own_order_as_before(self):
        order = self._create_order(self.portal_user.partner_id)
        order.action_confirm()
        Order = order.with_user(self.portal_user)
        self.assertEqual(Order.search([("id", "=", order.id)], order="name"), order)
        [group] = Order.formatted_read_group(
            [("id", "=", order.id)], ["state"], ["__count"]
        )
        self.assertEqual((group["state"], group["__count"]), ("sale", 1))

    def test_onchange_shows_no_state_of_a_contact_of_another_company(self):
        company = self.env["res.company"].create({"name": "Second company"})
        self.customer.company_id = company
        self._create_order(company_id=company.id, order_line=False).action_confirm()
        self.env.invalidate_all()
        changes = (
            self.env["sale.order"]
            .with_user(self.salesperson)
            .onchange(
                {"partner_id": self.customer.id},
                ["partner_id"],
                {"partner_id": {}, "portal_account_state": {}},
            )
        )
        self.assertEqual(self.customer.portal_account_state, "due")
        self.assertFalse(changes["value"].get("portal_account_state"))

    def test_methods_of_the_addon_cannot_be_called_from_outside(self):
        for model_name in OUR_MODELS:
            model = self.env[model_name]
            for cls in type(model).mro():
                if not cls.__module__.startswith(
                    "odoo.addons.sales_confirm_user_create."
                ):
                    continue
                for name, method in vars(cls).items():
                    if not callable(method) or name.startswith("__"):
                        continue
                    if name in self._get_public_methods():
                        continue
                    with (
                        self.subTest(model=model_name, method=name),
                        self.assertRaises(AccessError),
                    ):
                        get_public_method(model, name)

    def _get_public_methods(self):
        """Return the methods that are meant to be called, each tested elsewhere."""
        return {
            # Odoo's
            "action_confirm",
            "action_reset_password",
            "create",
            "default_get",
            "unlink",
            "write",
            # ours
            "action_create_portal_account",
            "action_erase_portal_decline",
            "action_cancel",
            "action_open_created",
            "action_open_emails",
            "action_open_failed",
            "action_open_orders",
            "action_open_portal_reminder_template",
            "action_release",
            "action_resend",
            "action_resend_portal_invitation",
            "action_open_portal_user",
            "action_open_portal_invitation_template",
            "action_preview",
            "action_start",
            "action_stop",
        }

    def test_salesperson_gets_no_rights_on_users(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).action_confirm()
        user = self.customer.user_ids.with_user(self.salesperson)
        for values in ({"login": "x"}, {"password": "x"}, {"group_ids": [(4, 1)]}):
            with self.assertRaises(AccessError):
                user.write(values)
        with self.assertRaises(AccessError):
            user.create({"name": "x", "login": "x"})

    def test_defaults_in_the_context_give_the_account_nothing(self):
        website = self.env["website"].create({"name": "Second"})
        context = {
            "default_password": "Secret-12345",
            "default_group_ids": [(4, self.env.ref("base.group_system").id)],
            "default_login": "admin2",
            "default_notification_type": "inbox",
            "default_share": False,
            "default_email": "thief@example.com",
            "default_website_id": website.id,
            "default_company_id": self.company.id,
            "default_active": False,
        }
        for caller in (self.salesperson, self.env.ref("base.user_root")):
            with self.subTest(caller=caller.login):
                customer = self._create_customer("Guest", f"{caller.id}@example.com")
                order = self._create_order(customer, user_id=self.salesperson.id)
                order.with_user(caller).with_context(**context).action_confirm()
                user = customer.user_ids
                self.assertEqual(user.login, f"{caller.id}@example.com")
                self.assertEqual(user.group_ids, self.env.ref("base.group_portal"))
                self.assertEqual(user.notification_type, "email")
                self.assertFalse(user.website_id)
                self.assertFalse(customer.website_id)
                self.env.cr.execute(
                    "SELECT password FROM res_users WHERE id = %s", [user.id]
                )
                self.assertEqual(self.env.cr.fetchone(), (None,))

    def test_address_of_the_administrator_gives_nothing(self):
        admin = self.env.ref("base.user_admin")
        admin.email = "admin@example.com"
        self.salesperson.group_ids += self.env.ref("base.group_partner_manager")
        groups, password_date = admin.group_ids, admin.write_date
        self.customer.with_user(self.salesperson).email = "admin@example.com"
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).action_confirm()
        self.assertFalse(order.user_created)
        self.assertFalse(self.customer.user_ids)
        self.assertEqual(admin.group_ids, groups)
        self.assertEqual(admin.write_date, password_date)
        self.assertFalse(admin.portal_invitation_ids)
        self.assertFalse(self._send_invitations())

    def test_token_is_readable_nowhere(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).action_confirm()
        [mail] = self._send_invitations()
        token = self._get_link(mail).split("token=")[1].split("&")[0]
        self.env.cr.execute(
            """
            SELECT table_name, column_name FROM information_schema.columns
             WHERE table_schema = 'public'
               AND data_type IN ('text', 'character varying', 'jsonb')
               AND table_name IN (
                        SELECT tablename FROM pg_tables WHERE schemaname = 'public'
                   )
            """
        )
        for table, column in self.env.cr.fetchall():
            self.env.cr.execute(
                f'SELECT 1 FROM "{table}" WHERE "{column}"::text LIKE %s LIMIT 1',
                [f"%{token}%"],
            )
            self.assertFalse(self.env.cr.fetchall(), f"{table}.{column}")

    def test_template_gives_nobody_a_link(self):
        self._create_order().action_confirm()
        self._send_invitations()
        template = self.env.ref(
            "sales_confirm_user_create.mail_template_portal_invitation"
        )
        invitation = self._get_invitation()
        with self.mock_mail_gateway(), self.assertRaises(AccessError):
            template.with_user(self.salesperson).send_mail(
                invitation.id, force_send=True
            )
        self.assertFalse(self._mails)
        editor = new_test_user(
            self.env,
            "editor",
            "sales_team.group_sale_manager,mail.group_mail_template_editor",
        )
        template.body_html += (
            '<t t-out="object.user_id.partner_id.sudo()._get_signup_url()"/>'
        )
        rendered = template.with_user(editor)._generate_template(
            invitation.ids, ("body_html",)
        )[invitation.id]["body_html"]
        self.assertIn("Jane Doe", rendered)
        self.assertNotIn("token=", rendered)

    def test_visitor_learns_only_whether_there_is_an_account(self):
        order = self._create_order()
        self.assertFalse(order.with_user(self.visitor)._has_customer_user())
        order.action_confirm()
        self.assertIs(order.with_user(self.visitor)._has_customer_user(), True)

    def test_context_from_outside_silences_no_alert(self):
        user = new_test_user(
            self.env, "alerted", "base.group_portal", email="alerted@example.com"
        )
        self._record_login(user)
        for context in (
            {"sales_confirm_user_create_activation": True},
            {"sales_confirm_user_create_connections": {}},
        ):
            with self.subTest(context), self.mock_mail_gateway():
                user.with_user(user).sudo().with_context(**context).write(
                    {"password": "Secret-12345"}
                )
                self.assertEqual(len(self._mails), 1)

    def test_context_from_outside_is_not_ours(self):
        user = new_test_user(
            self.env, "first", "base.group_portal", email="first@example.com"
        )
        context = {
            "sales_confirm_user_create_activation": True,
            "sales_confirm_user_create_account": True,
            "sales_confirm_user_create_no_signup": True,
        }
        with self.mock_mail_gateway():
            user.with_context(**context).write({"password": "Secret-12345"})
            self.assertEqual(len(self._mails), 1)
        user = new_test_user(self.env, "inbox", "base.group_user", context=context)
        user.with_context(**context).notification_type = "inbox"
        self.assertTrue(user.has_group("mail.group_mail_notification_type_inbox"))
        self.env["website"].get_current_website().auth_signup_uninvited = "b2c"
        users = self.env["res.users"].with_context(**context)
        self.assertEqual(users._get_signup_invitation_scope(), "b2c")
