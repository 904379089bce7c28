from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestPayment(AccountPaymentCommon, PortalAccountCommon, HttpCase):
    """Orders that a payment confirms."""

    def _pay(self, order, state):
        """Have the payment provider say what became of a payment."""
        transaction = self._create_transaction(
            "redirect",
            sale_order_ids=[order.id],
            partner_id=order.partner_id.id,
            currency_id=order.currency_id.id,
            amount=order.amount_total,
            reference=f"{order.name} {state}",
            state=state,
        )
        transaction._post_process()

    def _get_message(self, order):
        """Return the message of the order's portal page, as a visitor reads it."""
        response = self.url_open(
            f"/my/orders/{order.id}?access_token={order._portal_ensure_token()}"
        )
        page = html.fromstring(response.text)
        return page.xpath("//*[contains(@class, 'o_portal_account_created')]")

    def test_paid_quotation_creates_the_account_and_says_so(self):
        order = self._create_order()
        self._pay(order, "done")
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.user_created)
        [message] = self._get_message(order)
        self.assertIn("jane@example.com", message.text_content())

    def test_pending_payment_creates_no_account_until_the_order_is_confirmed(self):
        order = self._create_order()
        self._pay(order, "pending")
        self.assertNotEqual(order.state, "sale")
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(self._get_message(order))
        order.action_confirm()
        self.assertTrue(order.user_created)

    def test_cancelled_payment_says_nothing_once_staff_confirm_the_order(self):
        order = self._create_order()
        self._pay(order, "cancel")
        order.action_confirm()
        self.assertTrue(order.user_created)
        self.assertFalse(self._get_message(order))

    def test_refused_payment_creates_no_account(self):
        order = self._create_order()
        self._pay(order, "cancel")
        self.assertFalse(self.customer.user_ids)
