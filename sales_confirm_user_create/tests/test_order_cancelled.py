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

    def test_email_is_about_the_order_of_another_guest_with_the_address(self):
        order = self._create_order()
        order.action_confirm()
        guest = self._create_customer("Jane", self.customer.email)
        other = self._create_order(guest)
        other.action_confirm()
        order._action_cancel()
        self.assertSentAbout(other)

    def test_order_of_several_addresses_is_none_of_the_address(self):
        order = self._create_order()
        order.action_confirm()
        both = self._create_customer("Both", f"{self.customer.email}, b@example.com")
        self._create_order(both).action_confirm()
        order._action_cancel()
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_invitation().state, "cancelled")

    def test_order_that_gets_another_customer_is_not_thanked_for(self):
        order = self._create_order()
        order.action_confirm()
        order.partner_id = self._create_customer("John", "john@example.com")
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_invitation().state, "cancelled")

    def test_nobody_is_reminded_of_orders_that_are_gone(self):
        cancelled, deleted, left = self._confirm_orders("one", "two", "three")
        self._send_invitations()
        (cancelled + deleted)._action_cancel()
        deleted.unlink()
        self.assertSent(self._remind(3), "three")
        self.assertEqual(cancelled.portal_account_state, "cancelled")
        self.assertEqual(left.portal_account_state, "invited")

    def test_other_order_of_the_company_is_reminded_of(self):
        order, other = self._create_order(), self._create_order()
        (order + other).action_confirm()
        self._send_invitations()
        order._action_cancel()
        self.assertEqual(len(self._remind(3)), 1)

    def test_nothing_is_sent_again_about_an_order_that_is_gone(self):
        order = self._create_order()
        order.action_confirm()
        self._send_invitations()
        order._action_cancel()
        invitation = self._get_invitation()
        with self._later(days=9):
            answer = invitation.action_resend()["params"]["message"]
            self.assertIn("no longer has a confirmed order", answer)
            self.assertFalse(invitation._renew())
            self.assertFalse(self._send_invitations())

    def test_resend_that_is_due_stops_with_the_order(self):
        order = self._create_order()
        order.action_confirm()
        self._send_invitations()
        with self._later(hours=1):
            self._get_invitation().action_resend()
            order._action_cancel()
            order.unlink()
            self.assertFalse(self._send_invitations())

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

    def test_email_that_was_sent_is_not_sent_again(self):
        order = self._create_order()
        order.action_confirm()
        self.assertSentAbout(order)
        order._action_cancel()
        self._send_invitations()
        self._confirm_again(order)
        self.assertFalse(self._send_invitations())
