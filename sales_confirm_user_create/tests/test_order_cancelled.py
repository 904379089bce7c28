from odoo.tests import tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestOrderCancelled(PortalAccountCommon):
    """Orders that are cancelled before the email about them is sent."""

    def _create_cancelled_order(self, partner=None):
        order = self._create_order(partner)
        order.action_confirm()
        order._action_cancel()
        return order

    def _confirm_again(self, order):
        order.action_draft()
        order.action_confirm()

    def assertSentAbout(self, order):
        """One email is sent, and it thanks for this order."""
        [mail] = self._send_invitations()
        self.assertIn(f"Thank you for your order <strong>{order.name}", mail["body"])
        self.assertFalse(self._send_invitations())

    def test_email_is_held_back(self):
        self._create_cancelled_order()
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_invitation().state, "cancelled")
        self.assertFalse(self._get_notes(self._get_invitation().order_id)[1:])

    def test_email_is_sent_when_the_order_is_confirmed_again(self):
        order = self._create_cancelled_order()
        self._send_invitations()
        self._confirm_again(order)
        self.assertSentAbout(order)

    def test_email_is_sent_when_the_order_is_confirmed_before_the_job_runs(self):
        order = self._create_cancelled_order()
        self._confirm_again(order)
        self.assertSentAbout(order)

    def test_email_is_sent_when_another_order_is_confirmed(self):
        self._create_cancelled_order()
        self._send_invitations()
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertSentAbout(order)

    def test_email_is_sent_when_another_order_is_confirmed_before_the_job_runs(self):
        self._create_cancelled_order()
        order = self._create_order()
        order.action_confirm()
        self.assertSentAbout(order)

    def test_email_is_about_the_order_that_is_left(self):
        first, second = self._create_order(), self._create_order()
        (first + second).action_confirm()
        first._action_cancel()
        self.assertSentAbout(second)

    def test_email_is_sent_by_the_company_of_the_other_order(self):
        self._create_cancelled_order()
        company = self.env["res.company"].create(
            {"name": "Second", "email": "second@example.com"}
        )
        self._create_order(company_id=company.id, order_line=False).action_confirm()
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_from"], company.email_formatted)

    def test_order_that_the_settings_leave_out_sends_nothing(self):
        self._create_cancelled_order()
        self.company.portal_account_policy = "never"
        self._create_order().action_confirm()
        self.assertFalse(self._send_invitations())

    def test_order_of_another_customer_sends_nothing(self):
        self._create_cancelled_order()
        self._send_invitations()
        guest = self._create_customer("Guest", "jane@example.com")
        self._create_order(guest).action_confirm()
        self.assertFalse(self._send_invitations())

    def test_email_that_was_sent_is_not_sent_again(self):
        order = self._create_order()
        order.action_confirm()
        self.assertSentAbout(order)
        order._action_cancel()
        self._send_invitations()
        self._confirm_again(order)
        self.assertFalse(self._send_invitations())
