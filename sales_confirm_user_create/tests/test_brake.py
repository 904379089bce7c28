from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestBrake(PortalAccountCommon):
    """A bot orders for the addresses of strangers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].get_current_website()
        cls.website.portal_email_limit = 2
        cls.visitor = cls.website.user_id
        cls.manager = new_test_user(cls.env, "manager", "sales_team.group_sale_manager")
        cls.env["crm.team"].search([]).user_id = False
        cls.website.salesteam_id.user_id = cls.manager

    def _order(self, *names, user=None):
        """Return website orders that a visitor confirms, without paying."""
        partners = [self._create_customer(n, f"{n}@example.com") for n in names]
        orders = self._create_orders(partners)
        orders.website_id = self.website
        orders.with_user(user or self.visitor).sudo().action_confirm()
        return orders

    def _get_invitations(self, orders):
        return orders.partner_id.user_ids.portal_invitation_ids

    def _get_activities(self, orders):
        return self.env["mail.activity"].search(
            [("res_model", "=", "sale.order"), ("res_id", "in", orders.ids)]
        )

    def test_what_exceeds_the_limit_is_held(self):
        orders = self._order("a", "b", "c", "d")
        self.assertSent(self._send_invitations(), "a", "b")
        self.assertEqual(
            orders.mapped("portal_account_state"), ["invited"] * 2 + ["held"] * 2
        )
        held = self.env["portal.invitation"].search([("state", "=", "held")])
        self.assertEqual(held, self._get_invitations(orders[2:]))
        self.assertIn("limit of emails per hour", held[0].notice)
        held.action_release()
        self.assertFalse(held[0].notice)

    def test_one_activity_for_the_sales_manager(self):
        orders = self._order("a", "b", "c", "d")
        self._send_invitations()
        orders += self._order("e", "f")
        self._send_invitations()
        [activity] = self._get_activities(orders)
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn("more than 2", activity.note)

    def test_next_hour_sends_again(self):
        self._order("a", "b")
        self._send_invitations()
        with self._later(minutes=61):
            self._order("c")
            self.assertSent(self._send_invitations(), "c")

    def test_reminders_and_new_links_count(self):
        self.website.portal_email_limit = 3
        [a, _b] = self._get_invitations(self._order("a", "b"))
        self._send_invitations()
        with self._later(minutes=50):
            self.assertTrue(a._renew())
            self.assertSent(self._send_invitations(), "a")
            self._order("c")
            self.assertFalse(self._send_invitations())
        self.assertSent(self._remind(4), "a", "b")

    def test_no_limit(self):
        self.website.portal_email_limit = 0
        self._order("a", "b", "c")
        self.assertEqual(len(self._send_invitations()), 3)
        with self.assertRaises(ValidationError):
            self.website.portal_email_limit = -1

    def test_order_that_staff_confirm_is_sent(self):
        self._order("a", "b")
        self._order("c", user=self.salesperson)
        self.assertEqual(len(self._send_invitations()), 3)

    def _pay(self, orders):
        provider = self.env["payment.provider"].search([], limit=1)
        for order in orders:
            self.env["payment.transaction"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": self.env["payment.method"]
                    .with_context(active_test=False)
                    .search([], limit=1)
                    .id,
                    "amount": order.amount_total,
                    "currency_id": order.currency_id.id,
                    "partner_id": order.partner_id.id,
                    "sale_order_ids": [(6, 0, order.ids)],
                    "reference": order.name,
                    "state": "done",
                }
            )

    def test_order_that_is_paid_is_sent(self):
        orders = self._order("a", "b", "c", "d")
        self._pay(orders[2])
        self.assertSent(self._send_invitations(), "a", "b", "c")
        self._pay(orders[3])
        self.assertSent(self._send_invitations(), "d")

    def test_manager_releases(self):
        orders = self._order("a", "b", "c")
        self._send_invitations()
        invitations = self._get_invitations(orders).with_user(self.manager)
        answer = invitations.action_release()["params"]["message"]
        self.assertIn("sent to c@example.com", answer)
        self.assertIn("not held", answer)
        self.assertSent(self._send_invitations(), "c")

    def test_held_for_seven_days_then_cancelled(self):
        orders = self._order("a", "b", "c")
        self._send_invitations()
        invitation = self._get_invitations(orders[2])
        with self._later(days=6):
            self._send_invitations()
            self.assertEqual(invitation.state, "held")
        with self._later(days=8):
            self._send_invitations()
            self.assertEqual(invitation.state, "cancelled")
            order = self._order("c")
            self.assertSent(self._send_invitations(), "c")
            self.assertEqual(order.portal_account_issue, "other_contact")

    def test_manager_cancels_any_selection(self):
        orders = self._order("a", "b", "c")
        self._send_invitations()
        self._record_login(orders[0].partner_id.user_ids)
        invitations = self._get_invitations(orders).with_user(self.manager)
        action = invitations.action_cancel()
        asked = self.env[action["res_model"]].browse(action["res_id"])
        self.assertIn("accounts to delete: 2", asked.question)
        self.assertIn("a@example.com: the account is in use", asked.question)
        self.assertEqual(len(orders.partner_id.user_ids), 3, "a question does nothing")
        asked.with_user(self.manager).action_confirm()
        self.assertEqual(orders.partner_id.user_ids.login, "a@example.com")
        self.assertEqual(set(orders.mapped("state")), {"sale"})
        self.assertIn("deleted", self._get_notes(orders[1])[0])
        [again] = self._create_orders(orders[1].partner_id)
        again.action_confirm()
        self.assertTrue(again.user_created)

    def test_salesperson_decides_nothing(self):
        orders = self._order("a", "b", "c")
        invitations = self._get_invitations(orders).with_user(self.salesperson)
        for method in (invitations.action_cancel, invitations.action_release):
            with self.assertRaises(AccessError):
                method()

    def test_resend_by_staff_is_no_bot(self):
        orders = self._order("a", "b", "c")
        self._send_invitations()
        orders[2].with_user(self.salesperson).action_resend_portal_invitation()
        self.assertSent(self._send_invitations(), "c")

    def test_activity_without_any_manager_fails_nobody(self):
        orders, nobody = self._order("a", "b", "c"), self.env["res.users"]
        with patch.object(type(orders), "_get_sales_manager", return_value=nobody):
            self.assertEqual(len(self._send_invitations()), 2)
        self.assertEqual(orders[2].portal_account_state, "held")

    def test_count_is_one_query_of_an_index(self):
        orders = self._order("a", "b", "c")
        self._send_invitations()
        invitation = self._get_invitations(orders[2])
        self.assertTrue(invitation._is_over_limit(), "reads website and payments")
        with self.assertQueryCount(1):
            invitation._is_over_limit()

    def test_limit_of_an_hour_is_that_of_the_latest_emails(self):
        [a] = self._get_invitations(self._order("a"))
        self._send_invitations()
        a.sent_date = fields.Datetime.now() - timedelta(hours=2)
        self.assertFalse(a._get_hour_count())

    def test_email_counts_for_its_hour_only(self):
        self.website.portal_email_limit = 8
        [a] = self._get_invitations(self._order("a"))
        for minutes in range(0, 200, 10):
            with self._later(minutes=minutes):
                a._renew()
                self.assertSent(self._send_invitations(), "a")
        with self._later(minutes=195):
            self._order("b", "c")
            self.assertSent(self._send_invitations(), "b", "c")

    def test_visitor_who_asks_for_a_held_one_alerts_nobody(self):
        orders = self._order("a", "b", "c")
        self._send_invitations()
        held, since = self._get_invitations(orders[2]), self._now()
        for minutes in (10, 20):
            with self._later(minutes=minutes):
                self.assertTrue(held._renew())
                orders[2]._invite_again()
                self.assertFalse(self._send_invitations())
        self.assertEqual(len(self._get_activities(orders)), 1)
        self.assertLessEqual(held.held_date, since)
        with self._later(minutes=70):
            self.assertTrue(held._renew(), "it may be sent by now")
            self.assertSent(self._send_invitations(), "c")

    def test_reminder_releases_nothing(self):
        self._order("a")
        self._send_invitations()
        with self._later(days=2):
            self._order("b", "c")
            self._send_invitations()
            self._order("a")
            self.assertFalse(self._send_invitations())
        self.assertSent(self._remind(5), "b", "c")

    def _now(self):
        return fields.Datetime.now()
