import contextlib
import logging
from datetime import timedelta
from unittest.mock import patch

from lxml import html

from odoo import Command, fields
from odoo.tests import freeze_time, tagged
from odoo.tools import email_normalize

from odoo.addons.base.tests.test_ir_cron import CronMixinCase
from odoo.addons.mail.tests.common import MailCase
from odoo.addons.sale.tests.common import SaleCommon

CRON = "sales_confirm_user_create.ir_cron_portal_invitation"
REMINDER_CRON = "sales_confirm_user_create.ir_cron_portal_reminder"
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
        cls.env["ir.mail_server"].search([]).active = False
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

    def _confirm_order(self, partner=None, **values):
        order = self._create_order(partner, **values)
        order.action_confirm()
        return order

    def _confirm_orders(self, *names):
        """Return confirmed orders of new customers, whose names are in the logins."""
        orders = self._create_orders(
            [self._create_customer(name, f"{name}@example.com") for name in names]
        )
        orders.action_confirm()
        return orders

    def _get_users(self, login):
        return (
            self.env["res.users"]
            .with_context(active_test=False)
            .search([("login", "=", login)])
        )

    def _get_invitation(self, partner=None):
        """Return the invitation of the customer's user."""
        partner = (partner or self.customer).with_context(active_test=False)
        return partner.user_ids.portal_invitation_ids.with_env(self.env)

    def _record_login(self, user):
        """Note that a user has logged in, as Odoo does at each login."""
        user.with_user(user)._update_last_login()

    def _later(self, **delta):
        """Return a context that takes place later, see ``timedelta``."""
        return freeze_time(fields.Datetime.now() + timedelta(**delta))

    def _send_invitations(self, server=None):
        """Run the scheduled action; return the messages that it wanted to send.

        :param server: a ``MailServer``; None for one that takes everything
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.mock_mail_gateway(mail_unlink_sent=True))
            if server:
                stack.enter_context(patch("smtplib.SMTP", server.connect))
            stack.enter_context(self.enter_registry_test_mode())
            self.env.ref(CRON).method_direct_trigger()
        self.env.invalidate_all()
        for mail in self._mails:
            # the names are in EmailMessage
            mail["email_to"] = [email_normalize(email) for email in mail["email_to"]]
        return self._mails

    def _fail_to_send(self, server=None):
        """Run the scheduled action, which logs failures; return the log."""
        with self._mute_odoo(logging.WARNING) as log:
            self._send_invitations(server)
        return log

    def _remind(self, days):
        """Run both scheduled actions days later; return the messages."""
        with self._later(days=days):
            with self.enter_registry_test_mode():
                self.env.ref(REMINDER_CRON).method_direct_trigger()
            self.env.invalidate_all()
            return self._send_invitations()

    def _get_link(self, mail):
        """Return the activation link of a message."""
        [link] = html.fromstring(str(mail["body"])).xpath(
            "//a[contains(@href, 'token=') and not(contains(@href, 'decline'))]/@href"
        )
        return link

    def _get_link_status(self, mail):
        """Return what the page of a message's link shows, see the controller."""
        token = self._get_link(mail).split("token=")[1]
        return self.env["portal.invitation"]._read_token(token)[1]

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

    def assertSent(self, mails, *names):
        """Emails go to these customers in this order, see ``_confirm_orders``."""
        self.assertEqual(
            [mail["email_to"] for mail in mails],
            [[f"{name}@example.com"] for name in names],
        )

    def _mute_odoo(self, level=logging.ERROR):
        """Keep an expected error out of the log of the tests."""
        return self.assertLogs("odoo.addons.sales_confirm_user_create", level)
