from odoo.exceptions import AccessError, UserError
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
)
OUR_FIELDS = (
    "portal_invitation_order_id",
    "portal_invitation_due",
    "portal_invitation_date",
    "portal_invitation_count",
    "portal_invitation_failures",
    "portal_reminder_count",
    "portal_activation_date",
)


@tagged("post_install", "-at_install")
class TestSecurity(PortalAccountCommon):
    """Whoever may confirm gains the confirmation, and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env, "portal@example.com", "base.group_portal"
        )
        cls.visitor = cls.env.ref("base.public_user")
        cls.people = cls.salesperson + cls.portal_user + cls.visitor

    def test_nobody_marks_an_order_by_hand(self):
        order = self._create_order(user_id=self.salesperson.id)
        admin = self.env.ref("base.user_admin")
        for user in self.people + admin:
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    order.with_user(user).write({"user_created": True})
                with self.assertRaises(AccessError):
                    order.with_user(user).create(
                        {"partner_id": self.customer.id, "user_created": True}
                    )
                with self.assertRaises(AccessError):
                    order.with_user(user).with_context(
                        default_user_created=True
                    ).create({"partner_id": self.customer.id})
        self.assertFalse(order.user_created)

    def test_mark_is_not_taken_back_by_hand(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.action_confirm()
        with self.assertRaises(AccessError):
            order.with_user(self.salesperson).write({"user_created": False})
        self.assertTrue(order.user_created)

    def test_salesperson_still_writes_what_is_theirs(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).write({"client_order_ref": "PO-1"})
        self.assertEqual(order.client_order_ref, "PO-1")

    def test_invitation_fields_are_for_administrators(self):
        self._create_order().action_confirm()
        user = self.customer.user_ids
        for person in self.people:
            for name in OUR_FIELDS:
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
        for name in OUR_FIELDS:
            with self.subTest(field=name), self.assertRaises(AccessError):
                user.with_user(user).write({name: False})

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
                    with self.subTest(model=model_name, method=name):
                        if name in self._get_public_methods():
                            continue
                        with self.assertRaises(AccessError):
                            get_public_method(model, name)

    def _get_public_methods(self):
        """Return the methods that are meant to be called, each tested elsewhere."""
        return {
            "action_confirm",
            "action_create_portal_account",
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
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).with_context(
            default_password="Secret-12345",
            default_group_ids=[(4, self.env.ref("base.group_system").id)],
            default_login="admin2",
        ).action_confirm()
        user = self.customer.user_ids
        self.assertEqual(user.login, "jane@example.com")
        self.assertEqual(user.group_ids, self.env.ref("base.group_portal"))
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
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
        self.assertFalse(admin.portal_invitation_due)
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

    def test_composer_gives_a_salesperson_no_link(self):
        self._create_order().action_confirm()
        template = self.env.ref(
            "sales_confirm_user_create.mail_template_portal_invitation"
        )
        with self.mock_mail_gateway(), self.assertRaises(UserError):
            template.with_user(self.salesperson).send_mail(
                self.customer.user_ids.id, force_send=True
            )
        self.assertFalse(self._mails)

    def test_visitor_learns_only_whether_there_is_an_account(self):
        order = self._create_order()
        self.assertFalse(order.with_user(self.visitor)._has_customer_user())
        order.action_confirm()
        self.assertIs(order.with_user(self.visitor)._has_customer_user(), True)
