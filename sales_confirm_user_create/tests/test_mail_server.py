import logging
import re
import smtplib
from unittest.mock import patch

from odoo import fields
from odoo.tests import freeze_time, tagged

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .common import CRON, PortalAccountCommon
from .mail_server import MailServer


@tagged("post_install", "-at_install")
class TestMailServer(PortalAccountCommon):
    """Shared connections, and what the log shows of a server's replies."""

    def _log_everything(self):
        """Capture what is logged by Odoo and by anything else."""
        odoo = logging.getLogger("odoo")
        self.addCleanup(odoo.setLevel, odoo.level)
        odoo.setLevel(logging.INFO)
        return self.assertLogs(level=logging.INFO)

    def _assert_not_quoted(self, connection, text):
        """Nothing of the last message that may be a part of a link is in a text."""
        self.assertIn("refused: ", text)
        content = connection.content.decode()
        tokens = set(re.findall('token=3D(.*?)["\\s]', content.replace("=\r\n", "")))
        self.assertEqual(len(tokens), 2)
        # lines are broken in quoted-printable, and once more where bytes are shown
        text = text.replace("\\r\\n", "\r\n").replace("=\r\n", "")
        parts = [
            token[start : start + 40]
            for token in tokens
            for start in range(len(token) - 39)
        ]
        self.assertTrue(parts)
        encoded = [word for word in content.split() if len(word) >= 40]
        for part in parts + encoded:
            self.assertNotIn(part, text)

    def test_reply_that_quotes_the_message_leaves_no_token_in_the_log(self):
        for code in (451, 554):
            with self.subTest(code=code):
                order = self._confirm_orders(f"c{code}")
                server = MailServer(
                    lambda connection, command, argument, code=code: (
                        (code, b"5.2.0 refused: " + argument)
                        if command == "content"
                        else None
                    )
                )
                with self._later(days=code), self._log_everything() as log:
                    self._send_invitations(server)
                text = "\n".join(log.output)
                self.assertIn("is not sent", text)
                self._assert_not_quoted(server.connections[0], text)
                if code == 554:
                    for read in (
                        self._get_invitation(order.partner_id).failure,
                        self._get_notes(order)[0],
                    ):
                        self._assert_not_quoted(server.connections[0], read)

    def test_reply_to_a_second_connection_leaves_no_token_in_the_log(self):
        self._confirm_orders("a", "b")

        def answer(connection, command, argument):
            first = connection.server.connections[0]
            if connection is first and connection.commands.count("mail") == 2:
                return 421, b"too many"
            if connection is not first and command == "content":
                return 554, b"refused: " + argument
            return None

        server = MailServer(answer)
        with self._log_everything() as log:
            self._send_invitations(server)
        self._assert_not_quoted(server.connections[1], "\n".join(log.output))

    def test_several_emails_share_a_connection_which_is_closed(self):
        names = ["a", "b", "c", "d", "e"]
        self._confirm_orders(*names)
        server = MailServer()
        self._send_invitations(server)
        self.assertEqual(server.recipients, [f"{name}@example.com" for name in names])
        [connection] = server.connections
        self.assertEqual(connection.commands.count("content"), 5)
        self.assertEqual(connection.commands.count("quit"), 1)
        self.assertEqual(connection.commands[-1], "quit")

    def test_odoo_sends_other_emails_as_usual(self):
        server = MailServer()
        with self.mock_mail_gateway(), patch("smtplib.SMTP", server.connect):
            for _email in range(2):
                self.env["mail.mail"].create({"email_to": "a@example.com"}).send()
        self.assertEqual(len(server.connections), 2)
        self.assertEqual(server.connections[0].commands[-1], "quit")

    def _send_five(self, answer):
        """Have a server take five emails, and return it."""
        names = [f"c{self.env.cr.sql_log_count}.{number}" for number in range(5)]
        self._confirm_orders(*names)
        server = MailServer(answer)
        self._send_invitations(server)
        self.assertEqual(server.recipients, [f"{name}@example.com" for name in names])
        return server

    def test_connection_closed_after_some_emails_is_opened_again(self):
        def hang_up(connection, command, _argument):
            if command == "content" and connection.commands.count(command) == 2:
                connection.far_end.close()

        def say_goodbye(connection, command, _argument):
            if command == "content" and connection.commands.count(command) == 2:
                connection.far_end.send(b"421 bye")
            return (421, b"bye") if command == "noop" else None

        def take_no_third(connection, command, _argument):
            is_third = command == "mail" and connection.commands.count(command) == 3
            return (421, b"too many") if is_third else None

        for close in (hang_up, say_goodbye, take_no_third):
            with self.subTest(close.__name__):
                self.assertEqual(self._send_five(close).attempts, 3)

    def test_server_is_asked_only_after_it_has_said_something(self):
        def chatter(connection, command, _argument):
            if command == "content":
                connection.far_end.send(b"?")

        for answer, questions in ((None, 0), (chatter, 4)):
            [connection] = self._send_five(answer).connections
            self.assertEqual(connection.commands.count("noop"), questions)

    def test_server_of_a_user_gets_as_many_in_a_minute_as_odoo_allows(self):
        self.env["ir.config_parameter"].set_param(
            "mail.server.personal.limit.minutes", 2
        )
        job_user = self.env.ref(CRON).user_id
        job_user.email = self.company.email
        self.env["ir.mail_server"].create(
            {
                "name": "Own",
                "smtp_host": "own.example.com",
                "smtp_encryption": "none",
                "smtp_user": self.company.email,
                "from_filter": self.company.email,
                "owner_user_id": job_user.id,
            }
        )
        self._confirm_orders("a", "b", "c")
        server = MailServer()
        with (
            freeze_time(fields.Datetime.now()),
            patch.object(IrMail_Server, "_smtp_login__"),
        ):
            self._fail_to_send(server)
            self.assertEqual(server.recipients, ["a@example.com", "b@example.com"])
        with self._later(minutes=6), patch.object(IrMail_Server, "_smtp_login__"):
            self._send_invitations(server)
        self.assertEqual(server.recipients[2:], ["c@example.com"])

    def test_refusal_is_no_reason_for_another_connection(self):
        self._confirm_orders("a", "b", "c")
        server = MailServer(
            lambda connection, command, argument: (
                (550, b"no")
                if command == "rcpt" and connection.commands.count("mail") == 2
                else None
            )
        )
        self._fail_to_send(server)
        self.assertEqual(server.recipients, ["a@example.com", "c@example.com"])
        self.assertEqual(server.attempts, 1)

    def test_connection_lost_after_the_content_is_not_tried_again_in_this_run(self):
        orders = self._confirm_orders("a", "b", "c")
        notes = [self._get_notes(order) for order in orders]

        def answer(connection, command, _argument):
            if command == "content" and connection.commands.count(command) == 2:
                raise smtplib.SMTPServerDisconnected

        server = MailServer(answer)
        self._fail_to_send(server)
        self.assertEqual(server.recipients, ["a@example.com"])
        self.assertEqual(server.attempts, 1)
        self.assertEqual(server.connections[0].commands.count("content"), 2)
        self.assertEqual([self._get_notes(order) for order in orders], notes)
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 2)

    def test_new_connection_that_is_closed_is_not_opened_again_in_this_run(self):
        def answer(_connection, command, _argument):
            if command == "mail":
                raise smtplib.SMTPServerDisconnected

        self._confirm_orders("a", "b")
        server = MailServer(answer)
        self._fail_to_send(server)
        self.assertEqual(server.attempts, 1)
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 2)
