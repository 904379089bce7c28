import logging

from lxml import html

from odoo import Command
from odoo.tests import tagged

from odoo.addons.base.tests.test_ir_cron import CronMixinCase
from odoo.addons.mail.tests.common import MailCase
from odoo.addons.sale.tests.common import SaleCommon

CRON = "sales_confirm_user_create.ir_cron_portal_invitation"
MAIL_TEMPLATE = "sales_confirm_user_create.mail_template_portal_invitation"


@tagged("post_install", "-at_install")
class PortalAccountCommon(SaleCommon, MailCase, CronMixinCase):
    """Orders, a salesperson without any right on users, and the mail gateway."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.email = "shop@example.com"
        # what the database holds of real invitations is not to be sent by tests
        cls.env["portal.invitation"].search([]).unlink()
        cls.salesperson = cls.env["res.users"].create(
            {
                "name": "Salesperson",
                "login": "salesperson",
                "email": "salesperson@example.com",
                "group_ids": [
                    Command.set(
                        cls.env.ref("sales_team.group_sale_salesman_all_leads").ids
                    )
                ],
            }
        )
        cls.customer = cls._create_customer("Jane Doe", "jane@example.com")

    @classmethod
    def _create_customer(cls, name, email, **values):
        return cls.env["res.partner"].create({"name": name, "email": email, **values})

    def _create_order(self, partner=None, **values):
        return self._create_so(partner_id=(partner or self.customer).id, **values)

    def _create_orders(self, partners):
        line = Command.create({"product_id": self.product.id})
        return self.env["sale.order"].create(
            [{"partner_id": partner.id, "order_line": [line]} for partner in partners]
        )

    def _get_users(self, login):
        return (
            self.env["res.users"]
            .with_context(active_test=False)
            .search([("login", "=", login)])
        )

    def _get_invitation(self, partner=None):
        """Return the invitation of the customer's user."""
        return (partner or self.customer).user_ids.portal_invitation_ids

    def _send_invitations(self):
        """Run the scheduled action; return the messages that the mail server got."""
        with (
            self.mock_mail_gateway(mail_unlink_sent=True),
            self.enter_registry_test_mode(),
        ):
            self.env.ref(CRON).method_direct_trigger()
        self.env.invalidate_all()
        return self._mails

    def _get_link(self, mail):
        """Return the activation link of a message."""
        [link] = html.fromstring(str(mail["body"])).xpath(
            "//a[contains(@href, 'token=')]/@href"
        )
        return link

    def _get_notes(self, order):
        """Return the texts of the notes on an order that speak of the account."""
        bodies = [
            html.fromstring(str(body)).text_content()
            for body in order.message_ids.mapped("body")
            if body
        ]
        return [body for body in bodies if "portal" in body.lower()]

    def assertNoAccount(self, order, *words):
        """The order is confirmed without an account, and its one note says why."""
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.user_created)
        [note] = self._get_notes(order)
        for word in words:
            self.assertIn(word, note)

    def _mute_odoo(self):
        """Keep an expected error out of the log of the tests."""
        name = "odoo.addons.sales_confirm_user_create"
        return self.assertLogs(name, logging.ERROR)
