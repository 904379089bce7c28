from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestResend(PortalAccountCommon):
    def _resend(self, orders):
        action = orders.with_user(self.salesperson).action_resend_portal_invitation()
        if "res_id" in action:
            asked = self.env[action["res_model"]].browse(action["res_id"])
            action = asked.with_user(self.salesperson).action_confirm()
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

    def test_salesperson_resends_and_is_noted(self):
        order = self._create_confirmed()
        [first] = self._send_invitations()
        with self._later(minutes=11):
            kind, message = self._resend(order)
            self.assertEqual(kind, "success")
            self.assertIn("jane@example.com", message)
            note = order.message_ids[0]
            self.assertIn("will be sent again", note.body)
            self.assertNotIn("jane@example.com", note.body)
            self.assertEqual(note.author_id, self.salesperson.partner_id)
            [second] = self._send_invitations()
        self.assertEqual(self._get_link_status(first), "valid")
        self.assertEqual(self._get_link_status(second), "valid")
        self.assertEqual(self._get_invitation().sent_count, 2)

    def test_at_most_one_email_in_ten_minutes(self):
        order = self._create_confirmed()
        self._send_invitations()
        notes = self._get_notes(order)
        with self._later(minutes=9):
            kind, message = self._resend(order)
            self.assertEqual(kind, "warning")
            self.assertIn("less than ten minutes ago", message)
            self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_notes(order), notes)
        with self._later(minutes=11):
            for _click in range(3):
                self._resend(order)
            self.assertEqual(len(self._send_invitations()), 1)

    def test_quotation_and_cancelled_order_resend_nothing(self):
        order = self._create_confirmed()
        self._send_invitations()
        quotation = self._create_order(user_id=self.salesperson.id)
        with self._later(minutes=11):
            for unconfirmed in (quotation, order):
                order._action_cancel()
                kind, message = self._resend(unconfirmed)
                self.assertEqual(kind, "warning")
                self.assertIn("not confirmed", message)
            self.assertFalse(self._send_invitations())

    def test_account_that_somebody_else_created_is_invited(self):
        user = new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            partner_id=self.customer.id,
        )
        order = self._create_confirmed()
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._resend(order)[0], "success")
        [mail] = self._send_invitations()
        self.assertEqual(self._get_link_status(mail), "valid")
        self.assertEqual(self._get_invitation().user_id, user)

    def test_salesperson_resends_to_all_selected(self):
        john = self._create_customer("John", "john@example.com")
        orders = self._create_confirmed(self.customer, john)
        self._send_invitations()
        invitations = orders.partner_id.user_ids.portal_invitation_ids
        invitations.failure_count = 3
        with self._later(minutes=11):
            self.assertEqual(self._resend(orders)[0], "success")
            self.assertFalse(any(invitations.mapped("failure_count")))
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
        self._record_login(activated)
        archived.active = False
        archived.partner_id.active = True
        internal.group_ids = self.env.ref("base.group_user")
        changed.partner_id.with_user(changed).sudo().email = "attacker@example.com"
        odd.login = "odd"
        draft = self._create_order(user_id=self.salesperson.id)
        missing = self._create_order(
            self._create_customer("Missing", False),
            user_id=self.salesperson.id,
            state="sale",
        )
        with self._later(minutes=11):
            kind, message = self._resend(orders + draft + missing)
            mails = self._send_invitations()
        self.assertEqual(kind, "warning")
        for order, words in zip(
            orders[1:] + draft + missing,
            (
                "already activated",
                "archived",
                "not a portal user",
                "differ",
                "not an email address",
                "not confirmed",
                "has no account",
            ),
            strict=True,
        ):
            self.assertRegex(message, f"{order.name}: [^:]*{words}")
        self.assertTrue(
            message.startswith("An email will be sent to good@example.com. ")
        )
        self.assertNotIn("attacker", message)
        self.assertSent(mails, "good")

    def test_ten_are_listed_and_the_others_counted(self):
        partners = [
            self._create_customer(f"c{i}", f"c{i}@example.com") for i in range(11)
        ]
        orders = self._create_confirmed(*partners)
        self.assertRegex(self._resend(orders)[1], "to c0@.*c8@example.com and 1 more.")
        self.assertIn(
            "sent to c0@example.com, c1@example.com", self._resend(orders[:10])[1]
        )

    def test_resend_creates_no_account(self):
        order = self._create_order(user_id=self.salesperson.id, state="sale")
        self.assertEqual(
            self._resend(order),
            ("warning", f"{order.name}: the customer has no account."),
        )
        self.assertFalse(self.customer.user_ids)

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
        self.assertNotIn("will be sent", message)
        self.assertNoAccount(order, "template")
        parameter.set_param("base.template_portal_user_id", template)
        self.assertEqual(
            self._create_account(order),
            ("success", "An email will be sent to jane@example.com."),
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
        self.assertIn("Another contact", message)

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

    def test_many_emails_are_sent_after_a_question(self):
        john = self._create_customer("John", "john@example.com")
        orders = self._create_confirmed(self.customer, john)
        self._send_invitations()
        draft = self._create_order(user_id=self.salesperson.id)
        with self._later(minutes=11):
            action = (
                (orders + draft)
                .with_user(self.salesperson)
                .action_resend_portal_invitation()
            )
            asked = self.env[action["res_model"]].browse(action["res_id"])
            asked = asked.with_user(self.salesperson)
            self.assertIn("Emails to send: 2.", asked.question)
            self.assertIn(draft.name, asked.question)
            self.assertFalse(self._send_invitations(), "a question sends nothing")
            self.assertEqual(asked.action_confirm()["params"]["type"], "warning")
            self.assertEqual(len(self._send_invitations()), 2)

    def test_orders_of_one_name_are_invited(self):
        """Each company has a sequence of its own."""
        john = self._create_customer("John", "john@example.com")
        orders = self._create_confirmed(self.customer, john)
        orders.name = "S00001"
        self._send_invitations()
        john.user_ids.active = False
        with self._later(minutes=11):
            orders = orders.with_user(self.salesperson)
            orders.action_resend_portal_invitation(is_sure=True)
            self.assertEqual(len(self._send_invitations()), 1)

    def test_contact_has_the_actions_of_its_latest_order(self):
        partner = self.customer.with_user(self.salesperson)
        self._create_order(user_id=self.salesperson.id)
        self.assertTrue(partner.sale_order_count)
        self.assertFalse(partner.portal_order_id, "no button")
        with self.assertRaisesRegex(UserError, "no confirmed order"):
            partner.action_create_portal_account()
        self._create_order(user_id=self.salesperson.id, state="sale")
        self.assertEqual(
            partner.action_create_portal_account()["params"]["type"], "success"
        )
        self.assertEqual(len(self._send_invitations()), 1)
        with self._later(minutes=11):
            partner.action_resend_portal_invitation()
            self.assertEqual(len(self._send_invitations()), 1)
