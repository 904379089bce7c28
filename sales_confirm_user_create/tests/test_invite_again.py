from odoo.tests import tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestInviteAgain(PortalAccountCommon):
    """Customers who have not activated their account order again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = cls._create_customer("Jane", "jane@example.com")

    def _invite(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        return order, mail

    def test_new_order_sends_a_new_invitation_after_a_day(self):
        self._invite()
        with self._later(hours=23):
            self._confirm_order()
            self.assertFalse(self._send_invitations())
        with self._later(hours=25):
            order = self._confirm_order()
            [mail] = self._send_invitations()
        self.assertIn(order.name, mail["body"])
        self.assertFalse(order.user_created)

    def test_guest_order_sends_a_new_invitation(self):
        _order, first = self._invite()
        with self._later(days=2):
            order = self._confirm_order(self.guest)
            [mail] = self._send_invitations()
            self.assertIn(order.name, mail["body"])
            self.assertEqual(self._get_link_status(mail), "valid")
            self.assertEqual(self._get_link_status(first), "valid")

    def test_three_in_all(self):
        self._invite()
        counts = []
        for days in (2, 4, 6, 8):
            with self._later(days=days):
                self._confirm_order(self.guest)
                counts.append(len(self._send_invitations()))
        self.assertEqual(counts, [1, 1, 0, 0])

    def test_reminders_do_not_count(self):
        self.company.portal_reminder_max = 10
        self._invite()
        for days in (3, 6, 9, 12):
            self.assertEqual(len(self._remind(days)), 1)
        with self._later(days=14):
            self._confirm_order(self.guest)
            self.assertEqual(len(self._send_invitations()), 1)

    def test_order_that_is_confirmed_again_is_no_new_one(self):
        order, _mail = self._invite()
        with self._later(days=2):
            order._action_cancel()
            order.action_draft()
            order.action_confirm()
            self.assertFalse(self._send_invitations())

    def test_customer_who_can_log_in_gets_nothing(self):
        self._invite()
        self._record_login(self.customer.user_ids)
        with self._later(days=2):
            self._confirm_order()
            self._confirm_order(self.guest)
            self.assertFalse(self._send_invitations())

    def test_account_nobody_was_told_of_gives_way_to_the_next_order(self):
        first = self._confirm_order()
        first._action_cancel()
        self._send_invitations()
        order = self._confirm_order(self.guest)
        self.assertTrue(order.user_created)
        self.assertEqual(order.portal_account_state, "due")
        self.assertFalse(self.customer.user_ids)
        [mail] = self._send_invitations()
        self.assertIn(order.name, mail["body"])

    def test_account_nobody_was_told_of_stays_where_it_has_an_order(self):
        self._confirm_order()
        order = self._confirm_order(self.guest)
        self.assertEqual(order.portal_account_issue, "other_contact")
        self.assertEqual(len(self._send_invitations()), 1)

    def test_account_that_was_told_of_is_invited_about_the_next_order(self):
        first, _mail = self._invite()
        first._action_cancel()
        with self._later(days=2):
            order = self._confirm_order(self.guest)
            [mail] = self._send_invitations()
        self.assertIn(order.name, mail["body"])
        self.assertEqual(len(self._remind(30)), 1, "the guest's order is there")

    def test_mail_server_is_down_while_odoo_sends_its_links(self):
        order = self._confirm_order()
        with self.mock_mail_gateway():
            self.customer.signup_prepare(signup_type="reset")
            self.customer.user_ids.action_reset_password()
            wizard = self.env["portal.wizard"].create(
                {"partner_ids": self.customer.ids}
            )
            wizard.user_ids.action_invite_again()
        self.assertEqual(order.portal_account_state, "due")
        self.assertEqual(len(self._send_invitations()), 1)

    def test_past_orders_invite_nobody_again(self):
        self._invite()
        past = self._create_order(self.guest, state="sale")
        with self._later(days=2):
            past._ensure_portal_accounts()
            self.assertFalse(self._send_invitations())
