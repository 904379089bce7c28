import email.policy
from email.message import EmailMessage

from odoo.tests import tagged

from .common import PortalAccountCommon

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"
Message-Id: <20261128@mx.example.net>

--b1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Mon, 15 Apr 2019 15:40:24 +0200 (CEST)

Final-Recipient: rfc822; {address}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{address}>: user
    unknown
--b1
Content-Type: message/rfc822

{original}
--b1--
"""


@tagged("post_install", "-at_install")
class TestBounce(PortalAccountCommon):
    """What comes back, as Odoo's mail gateway gets it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._init_mail_gateway()

    def _bounce(self, mail, action="failed", template=REPORT):
        """Have the gateway process the report about one of our messages."""
        original = mail["EmailMessage"].as_string(policy=email.policy.SMTP)
        report = template.format(
            to=self.company.bounce_email,
            address=mail["email_to"][0],
            action=action,
            original=original,
        )
        with self.mock_mail_gateway():
            self.env["mail.thread"].message_process(None, report)

    def _invite(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        return order, mail

    def test_bounce_is_shown_and_noted(self):
        order, mail = self._invite()
        self._bounce(mail)
        self.assertEqual(self._get_invitation().state, "bounced")
        self.assertEqual(self.customer.portal_account_state, "bounced")
        for text in (order.portal_account_notice, self._get_notes(order)[0]):
            self.assertIn("came back. The mail server replied: 550 5.1.1", text)
            self.assertIn("correct it on the contact", text)
        self.assertEqual(
            self.env["portal.invitation"].search([("state", "=", "bounced")]),
            self._get_invitation(),
        )

    def test_bounced_customer_is_not_reminded(self):
        _order, mail = self._invite()
        self._bounce(mail)
        self.assertFalse(self._remind(9))

    def test_reminder_bounces_too(self):
        self._invite()
        [reminder] = self._remind(3)
        self._bounce(reminder)
        self.assertEqual(self._get_invitation().state, "bounced")

    def test_bounce_that_comes_twice_is_noted_once(self):
        order, mail = self._invite()
        self._bounce(mail)
        notes = self._get_notes(order)
        self._bounce(mail)
        self.assertEqual(self._get_notes(order), notes)

    def test_delay_is_no_bounce(self):
        _order, mail = self._invite()
        for action in ("delayed", "delivered", "relayed"):
            self._bounce(mail, action)
            self.assertEqual(self._get_invitation().state, "sent")

    def test_report_without_fields_is_a_bounce(self):
        _order, mail = self._invite()
        status = REPORT.index("--b1\nContent-Type: message/delivery-status")
        message = REPORT.index("--b1\nContent-Type: message/rfc822")
        self._bounce(mail, template=REPORT[:status] + REPORT[message:])
        self.assertEqual(self._get_invitation().state, "bounced")
        self.assertIn("came back", self._get_invitation().notice)
        self.assertFalse(self._remind(9))

    def test_report_that_cannot_be_stored_is_a_bounce(self):
        _order, mail = self._invite()
        self._bounce(mail, template=REPORT.replace("unknown", "un\0known"))
        self.env.flush_all()
        self.assertIn("un known", self._get_invitation().failure)

    def test_bounce_of_the_old_address_stops_nothing(self):
        _order, mail = self._invite()
        self.customer.email = "corrected@example.com"
        self._bounce(mail)
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["corrected@example.com"])
        self.assertEqual(self._get_invitation().state, "sent")

    def test_bounce_of_another_email_changes_nothing(self):
        _order, mail = self._invite()
        mail["EmailMessage"].replace_header("Message-Id", "<other@example.com>")
        self._bounce(mail)
        self.assertEqual(self._get_invitation().state, "sent")

    def test_sent_again_after_a_bounce_is_sent(self):
        order, mail = self._invite()
        self._bounce(mail)
        with self._later(minutes=11):
            order.action_resend_portal_invitation()
            self.assertEqual(self._get_invitation().state, "due")
            self.assertEqual(len(self._send_invitations()), 1)
        self.assertEqual(self._get_invitation().state, "sent")
        self.assertFalse(order.portal_account_notice)

    def _reply(self, mail, **headers):
        reply = EmailMessage()
        reply["From"] = mail["email_to"][0]
        reply["To"] = mail["EmailMessage"]["Reply-To"]
        reply["Subject"] = "Re: your account"
        reply["Message-Id"] = f"<{len(headers)}.reply@example.com>"
        reply["In-Reply-To"] = mail["EmailMessage"]["Message-Id"]
        for name, value in headers.items():
            reply[name] = value
        reply.set_content("I am on holiday.")
        with self.mock_mail_gateway():
            self.env["mail.thread"].message_process(None, reply.as_string())

    def test_automatic_reply_to_an_alias_creates_nothing(self):
        alias = self.env["mail.alias"].create(
            {
                "alias_name": "shop.team",
                "alias_domain_id": self.mail_alias_domain.id,
                "alias_model_id": self.env.ref("base.model_res_partner").id,
            }
        )
        self.company.email = alias.alias_full_name
        self.customer.user_ids.unlink()
        self._confirm_order(user_id=False)
        [mail] = self._send_invitations()
        contacts = self.env["res.partner"].search_count([])
        self._reply(mail, **{"Auto-Submitted": "auto-replied"})
        self.assertEqual(self.env["res.partner"].search_count([]), contacts)
        self._reply(mail)
        self.assertEqual(self.env["res.partner"].search_count([]), contacts + 1)

    def test_replies_go_to_a_person_where_the_sender_is_an_alias(self):
        alias = self.env["mail.alias"].create(
            {
                "alias_name": "shop.team",
                "alias_domain_id": self.mail_alias_domain.id,
                "alias_model_id": self.env.ref("base.model_res_partner").id,
            }
        )
        self.company.email = alias.alias_full_name
        self._confirm_order(user_id=self.salesperson.id)
        [mail] = self._send_invitations()
        self.assertEqual(mail["reply_to"], self.salesperson.email_formatted)
        self.assertEqual(mail["email_from"], self.company.email_formatted)
