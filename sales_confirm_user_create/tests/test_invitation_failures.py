import contextlib
import logging
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import freeze_time, tagged

from odoo.addons.base.models import ir_cron
from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .common import CRON, MAIL_TEMPLATE, PortalAccountCommon
from .mail_server import MailServer, refuse


@tagged("post_install", "-at_install")
class TestInvitationFailures(PortalAccountCommon):
    """What becomes of invitations that are not sent."""

    def _get_due_dates(self, orders):
        return [self._get_invitation(order.partner_id).due_date for order in orders]

    def assertAfter(self, date, start, **delta):
        """A date is about this long after another one, see ``timedelta``."""
        difference = date - start - timedelta(**delta)
        self.assertLess(abs(difference), timedelta(seconds=30))

    def test_unreachable_server_is_tried_once_and_the_company_waits(self):
        orders = self._confirm_orders("a", "b", "c")
        notes = [self._get_notes(order) for order in orders]
        before = self._get_due_dates(orders)
        server = MailServer(error=ConnectionRefusedError())
        with self.capture_triggers(CRON) as capture:
            log = self._fail_to_send(server)
        self.assertEqual(server.attempts, 1)
        [line] = log.output
        for word in ("WARNING", "a@example.com", orders[0].name, self.company.name):
            self.assertIn(word, line)
        self.assertNotIn("Traceback", line)
        after = self._get_due_dates(orders)
        self.assertEqual(after, before, "the company waits")
        self.assertEqual([self._get_notes(order) for order in orders], notes)
        self.assertEqual(
            [self._get_invitation(order.partner_id).state for order in orders],
            ["due"] * 3,
        )
        self.assertTrue(capture.records)
        for again in capture.records.mapped("call_at"):
            self.assertAfter(again, fields.Datetime.now(), minutes=5)
        self.assertRegex(
            orders[2].portal_account_notice,
            r"^Waiting for the mail server since .*, next attempt [^.]*\.$",
        )
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 3)

    def test_confirmations_while_the_company_waits_try_nothing(self):
        self._confirm_orders("a")
        self._fail_to_send(MailServer(error=TimeoutError()))
        self._confirm_orders("b", "c")
        with self._later(minutes=4):
            server = MailServer()
            self._send_invitations(server)
            self.assertFalse(server.attempts)
        with self._later(minutes=6):
            self._send_invitations(server)
        self.assertEqual(
            set(server.recipients), {"a@example.com", "b@example.com", "c@example.com"}
        )

    def test_unreachable_server_costs_the_same_however_many_are_due(self):
        self._confirm_orders("a")
        down = ConnectionRefusedError()

        def count_statements(minutes):
            with self._later(minutes=minutes):
                before = self.env.cr.sql_log_count
                self._fail_to_send(MailServer(error=down))
                return self.env.cr.sql_log_count - before

        self._fail_to_send(MailServer(error=down))
        one = count_statements(6)
        self._confirm_orders(*(f"b{number}" for number in range(15)))
        self.assertLessEqual(count_statements(12), one + 2)
        with self._later(minutes=30):
            self.assertEqual(len(self._send_invitations()), 16)

    def test_unreachable_server_of_several_companies_is_tried_once(self):
        companies = self.env["res.company"].create(
            [{"name": name, "email": f"shop@{name}.example.com"} for name in ("2", "3")]
        )
        orders = self._create_orders(
            [self._create_customer(name, f"{name}@example.com") for name in "abcdef"]
        )
        for number, order in enumerate(orders):
            order.company_id = (self.company + companies)[number % 3]
        orders.action_confirm()
        server = MailServer(error=ConnectionRefusedError())
        self._fail_to_send(server)
        self.assertEqual(server.attempts, 1)
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 6)

    def test_server_of_one_company_does_not_keep_the_others_waiting(self):
        down, up = self.env["res.company"].create(
            [
                {"name": name, "email": f"shop@{name.lower()}.example.com"}
                for name in ("Down", "Up")
            ]
        )
        for company in (down, up):
            name = company.name.lower()
            self.env["ir.mail_server"].create(
                {
                    "name": name,
                    "smtp_host": f"{name}.example.com",
                    "smtp_encryption": "none",
                    "from_filter": f"{name}.example.com",
                }
            )
        orders = self._create_orders(
            [self._create_customer(name, f"{name}@example.com") for name in "abcd"]
        )
        for order, company in zip(orders, (down, down, up, up), strict=True):
            order.company_id = company
        orders.action_confirm()
        server = MailServer()
        hosts = []

        def connect(host, *args, **kwargs):
            hosts.append(host)
            if host == "down.example.com":
                raise ConnectionRefusedError
            return MailServer.connect(server, host, *args, **kwargs)

        with patch.object(server, "connect", connect):
            self._fail_to_send(server)
        self.assertEqual(server.recipients, ["c@example.com", "d@example.com"])
        self.assertEqual(hosts.count("down.example.com"), 1)
        for order in orders[:2]:
            self.assertEqual(self._get_invitation(order.partner_id).state, "due")

    def test_server_that_takes_all_of_the_time_leaves_the_others_their_turn(self):
        second = self.env["res.company"].create({"name": "2", "email": "s@example.com"})
        orders = self._create_orders(
            [self._create_customer(name, f"{name}@example.com") for name in "abc"]
        )
        orders[2].company_id = second
        orders.action_confirm()
        with (
            patch.object(ir_cron, "MIN_RUNS_PER_JOB", 1),
            patch.object(ir_cron, "MIN_TIME_PER_JOB", -1),
        ):
            self._fail_to_send(MailServer(error=TimeoutError()))
            self.assertSent(self._send_invitations(), "c")

    def test_odoo_that_sends_nothing_is_no_success(self):
        self._confirm_order()
        with (
            self._mute_odoo(logging.WARNING) as log,
            self.enter_registry_test_mode(),
            patch.object(IrMail_Server, "_disable_send", lambda self: True),
        ):
            self.env.ref(CRON).method_direct_trigger()
        self.env.invalidate_all()
        self.assertIn("Odoo sends no emails", log.output[0])
        self.assertEqual(self._get_invitation().state, "due")
        self.assertFalse(self._get_invitation().sent_count)

    def test_refused_sender_waits_like_an_unreachable_server(self):
        for number, (code, at) in enumerate(
            ((421, "mail"), (451, "mail"), (421, "rcpt"), (421, "content"))
        ):
            with self.subTest(code=code, at=at):
                orders = self._confirm_orders(*(f"{number}{name}" for name in "abc"))
                notes = [self._get_notes(order) for order in orders]
                server = MailServer(refuse(code, at=at))
                with self._later(days=number), self.capture_triggers(CRON) as capture:
                    self._fail_to_send(server)
                    self.assertEqual(server.attempts, 1)
                    commands = server.connections[0].commands
                    self.assertEqual(commands.count("mail"), 1)
                    again = min(capture.records.mapped("call_at"))
                    self.assertAfter(again, fields.Datetime.now(), minutes=5)
                self.assertEqual([self._get_notes(order) for order in orders], notes)
                states = {self._get_invitation(o.partner_id).state for o in orders}
                self.assertEqual(states, {"due"})
                with self._later(days=number, minutes=6):
                    self._send_invitations()

    def test_address_that_is_refused_for_now_keeps_nobody_waiting(self):
        """Greylisting; or a domain that nobody has, which visitors can type."""
        orders = self._confirm_orders("nodomain1", "nodomain2", "good")
        notes = [self._get_notes(order) for order in orders]
        server = MailServer(
            lambda connection, command, argument: (
                (450, b"Domain not found")
                if command == "rcpt" and "nodomain" in argument
                else None
            )
        )
        self._fail_to_send(server)
        self.assertEqual(server.recipients, ["good@example.com"])
        self.assertEqual([self._get_notes(order) for order in orders], notes)
        with self._later(minutes=6):
            self._send_invitations(MailServer())
        states = {self._get_invitation(order.partner_id).state for order in orders}
        self.assertEqual(states, {"sent"})

    def test_server_that_throttles_takes_some_in_each_run(self):
        names = [f"c{number:02}" for number in range(12)]
        orders = self._confirm_orders(*names)
        notes = [self._get_notes(order) for order in orders]
        server = MailServer()
        for run in range(3):
            allowed = 5 * (run + 1)
            server.answer = lambda connection, command, argument, allowed=allowed: (
                (451, b"slow down")
                if command == "mail" and len(server.messages) >= allowed
                else None
            )
            with self._later(minutes=6 * run):
                if run < 2:
                    self._fail_to_send(server)
                else:
                    self._send_invitations(server)
            self.assertEqual(len(server.messages), min(allowed, 12))
        self.assertEqual(len(set(server.recipients)), 12)
        self.assertEqual([self._get_notes(order) for order in orders], notes)

    def test_recipient_who_is_refused_for_days_does_not_stop_the_others(self):
        self._confirm_orders("full")
        invitation = self._get_invitation(
            self._get_users("full@example.com").partner_id
        )
        for days in range(3):
            with self._later(days=days):
                self._confirm_orders(f"new{days}")
                server = MailServer(refuse(452, only="full"))
                self._fail_to_send(server)
                with self._later(minutes=6):
                    self._send_invitations(server)
                self.assertIn(f"new{days}@example.com", server.recipients)
        self.assertTrue(invitation.due_date)

    def test_greylisted_addresses_hold_up_nobody_else(self):
        for code, at in ((450, "rcpt"), (452, "rcpt"), (451, "content")):
            with self.subTest(code=code, at=at):
                names = [f"grey{code}{number}" for number in range(8)]
                self._confirm_orders(*names, f"good{code}")
                server = MailServer(refuse(code, b"4.2.0 later", at=at, only="grey"))
                with self._later(days=code):
                    self._fail_to_send(server)
                self.assertEqual(server.recipients, [f"good{code}@example.com"])
                self.assertEqual(len(server.connections), 1)

    def test_new_order_goes_before_what_was_refused(self):
        self._confirm_orders("full")
        self._fail_to_send(MailServer(refuse(452)))
        with self._later(minutes=6):
            self._confirm_orders("new")
            self.assertSent(self._send_invitations(), "new", "full")

    def test_refused_for_now_for_days_is_failed(self):
        order = self._confirm_order()
        invitation, attempts = self._get_invitation(), 0
        start = fields.Datetime.now()
        while invitation.due_date:
            with freeze_time(invitation.due_date):
                self._fail_to_send(MailServer(refuse(452, b"4.2.2 mailbox full")))
                took, attempts = fields.Datetime.now() - start, attempts + 1
        self.assertEqual(attempts, 13)
        self.assertLess(timedelta(days=4), took)
        self.assertLess(took, timedelta(days=5))
        self.assertEqual(invitation.state, "failed")
        self.assertIn("452 4.2.2 mailbox full", self._get_notes(order)[0])

    LIMIT = b"5.4.5 Daily user sending limit exceeded. gsmtp"

    def test_daily_limit_is_about_the_company_and_noted_once(self):
        orders = self._confirm_orders(*"abcdef")
        server = MailServer(refuse(550, self.LIMIT, at="content"))
        self._fail_to_send(server)
        self._send_invitations(server)
        [connection] = server.connections
        self.assertEqual(connection.commands.count("content"), 3)
        notes = [self._get_notes(order)[:-1] for order in orders]
        [[note]] = filter(None, notes)
        self.assertIn("550 5.4.5 Daily user sending limit exceeded", note)
        invitations = orders.partner_id.user_ids.portal_invitation_ids
        self.assertEqual(set(invitations.mapped("state")), {"due"})
        for invitation in invitations:
            self.assertIn("Waiting for the mail server since", invitation.notice)
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 6)

    def test_daily_limit_is_tried_hourly_at_most(self):
        self._confirm_orders(*"abcd")
        server = MailServer(refuse(550, self.LIMIT))
        for minutes in range(0, 5 * 60, 10):
            with self._later(minutes=minutes):
                self._send_invitations(server)
        commands = [name for each in server.connections for name in each.commands]
        self.assertLess(commands.count("rcpt"), 12)

    def test_unknown_addresses_never_stop_the_company(self):
        for text in (b"5.1.1 User unknown", b"5.2.1 disabled", b"4.1.2 no domain"):
            with self.subTest(text=text):
                names = [f"bot{number}.{text[:5].decode()}" for number in range(5)]
                self._confirm_orders(*names, "good")
                code = 550 if text.startswith(b"5") else 450
                server = MailServer(refuse(code, text, only="bot"))
                self._fail_to_send(server)
                self.assertEqual(server.recipients, ["good@example.com"])
                self._get_users("good@example.com").unlink()
                self._create_customer("Good", "good@example.com")

    def test_equal_refusals_with_a_success_between_are_the_recipients(self):
        self._confirm_orders("1bad", "2bad", "3good", "4bad", "5good")
        server = MailServer(refuse(550, self.LIMIT, only="bad"))
        self._fail_to_send(server)
        self.assertEqual(server.recipients, ["3good@example.com", "5good@example.com"])

    def test_one_recipient_refused_three_times_does_not_stop_the_company(self):
        self._confirm_order()
        invitation = self._get_invitation()
        for _attempt in range(3):
            with freeze_time(invitation.due_date):
                self._fail_to_send(MailServer(refuse(550, self.LIMIT)))
        self.assertEqual(invitation.state, "failed")
        with self._later(days=9):
            self._confirm_orders("good")
            self.assertSent(self._send_invitations(), "good")

    def test_archived_company_waits_too(self):
        self._confirm_orders("a", "b", "c")
        second = self.env["res.company"].create({"name": "2", "email": "2@example.com"})
        invitations = self.env["portal.invitation"].search([])
        invitations.company_id = second
        second.active = False
        server = MailServer(error=ConnectionRefusedError())
        self._fail_to_send(server)
        self._send_invitations(server)
        self.assertEqual(server.attempts, 1)

    def test_unknown_user_is_tried_three_times_and_then_failed(self):
        order = self._confirm_order()
        before, start = self._get_notes(order), fields.Datetime.now()
        invitation = self._get_invitation()
        for failures, hours in ((1, 4), (2, 48)):
            # servers number what they refuse
            text = f"5.1.1 User unknown, id {failures}".encode()
            with freeze_time(invitation.due_date):
                self._fail_to_send(MailServer(refuse(550, text)))
            self.assertAfter(invitation.due_date, start, hours=hours)
            self.assertEqual(invitation.state, "due")
            self.assertIn("replied: 550 5.1.1 User unknown", invitation.notice)
            self.assertIn("Next attempt", invitation.notice)
        with freeze_time(invitation.due_date):
            self._fail_to_send(MailServer(refuse(550, text)))
        self.assertFalse(invitation.due_date)
        self.assertEqual(invitation.state, "failed")
        self.assertEqual(self.customer.portal_account_state, "failed")
        for notice in (invitation.notice, order.portal_account_notice):
            self.assertIn("The mail server replied: 550 5.1.1 User unknown", notice)
            self.assertIn("correct it on the contact", notice)
        last, first, *rest = self._get_notes(order)
        self.assertEqual(rest, before)
        self.assertIn("We will retry", first)
        self.assertIn("could not be sent. The mail server replied", last)
        with self._later(days=9):
            self.assertFalse(self._send_invitations())
            self.assertFalse(self._remind(30))

    def test_resend_begins_anew_after_a_failure(self):
        order = self._confirm_order()
        invitation = self._get_invitation()
        for _attempt in range(3):
            with freeze_time(invitation.due_date):
                self._fail_to_send(MailServer(refuse(550, b"5.1.1 no")))
        order.action_resend_portal_invitation()
        self.assertEqual(invitation.state, "due")
        self._fail_to_send(MailServer(refuse(550, b"5.1.1 no")))
        self.assertEqual(invitation.failure_count, 1)
        with freeze_time(invitation.due_date):
            self.assertSent(self._send_invitations(), "jane")
        self.assertEqual(invitation.state, "sent")
        self.assertFalse(invitation.notice)

    def test_each_way_to_refuse_for_good_is_noted_and_stops_nobody(self):
        for code, at in ((553, "rcpt"), (554, "data"), (552, "content")):
            with self.subTest(code=code, at=at):
                orders = self._confirm_orders(f"{code}bad", f"{code}good")
                notes = len(self._get_notes(orders[0]))
                server = MailServer(refuse(code, b"5.2.2 no", at=at, only="bad"))
                self._fail_to_send(server)
                self.assertEqual(server.recipients, [f"{code}good@example.com"])
                self.assertEqual(len(self._get_notes(orders[0])), notes + 1)
                self.assertIn(str(code), self._get_notes(orders[0])[0])

    def test_refused_sender_is_noted_once_and_the_company_waits(self):
        orders = self._confirm_orders("a", "b")
        server = MailServer(refuse(550, b"5.7.1 not your address", at="mail"))
        self._fail_to_send(server)
        with self._later(minutes=6):
            self._fail_to_send(server)
        self.assertEqual(server.attempts, 2)
        notes = [self._get_notes(order)[:-1] for order in orders]
        [[note]] = filter(None, notes)
        self.assertIn("The mail server replied: 550 5.7.1 not your address.", note)

    def test_reply_that_goes_on_for_lines_is_short(self):
        order = self._confirm_order()
        text = b"5.1.1 No such user\n5.1.1 " + b"see our pages " * 99
        self._fail_to_send(MailServer(refuse(550, text)))
        self.assertIn("550 5.1.1 No such user see our", order.portal_account_notice)
        self.assertLess(len(order.portal_account_notice), 600)

    def test_email_that_odoo_drops_is_a_failure_with_its_reason(self):
        order = self._confirm_order()
        with patch.object(IrMail_Server, "_prepare_smtp_to_list", lambda *args: []):
            self._fail_to_send(MailServer())
        self.assertFalse(self._get_invitation().sent_count)
        self.assertIn(IrMail_Server.NO_VALID_RECIPIENT, self._get_invitation().failure)
        self.assertIn(IrMail_Server.NO_VALID_RECIPIENT, self._get_notes(order)[0])

    def test_account_without_address_is_a_failure_with_its_reason(self):
        order = self._confirm_order()
        for login in ("jane", '"jane doe"@example.com'):
            self.customer.user_ids.login = login
            self._get_invitation().write(
                {"due_date": fields.Datetime.now(), "failure": False}
            )
            self._fail_to_send()
            self.assertFalse(self._get_invitation().sent_count)
            self.assertIn("is not an email address", self._get_notes(order)[0])

    def test_failure_is_noted_in_the_language_of_the_salesperson(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.salesperson.lang = "fr_FR"
        order = self._confirm_order(user_id=self.salesperson.id)
        self.customer.user_ids.login = "jane"
        self._fail_to_send()
        note = order.message_ids[0].body
        self.assertIn("pas pu être envoyée", note)
        self.assertIn("est pas une adresse", note)

    def test_note_that_raises_stops_neither_the_job_nor_the_others(self):
        orders = self._confirm_orders("a", "b", "c")
        server = MailServer(refuse(550, only="a@"))
        with patch.object(
            self.env.registry["sale.order"],
            "_message_log_batch",
            side_effect=ValueError("another module"),
        ):
            self._fail_to_send(server)
        self.assertEqual(server.recipients, ["b@example.com", "c@example.com"])
        self.assertEqual(self._get_invitation(orders[0].partner_id).failure_count, 1)
        self.assertFalse(self._send_invitations(), "it waits like any other failure")

    def _break_template(self, body):
        """Have the template fail; what is saved is checked by rendering it, but for a
        record of now."""
        template = self.env.ref(MAIL_TEMPLATE)
        template.body_html = body
        return template

    def test_one_that_cannot_be_rendered_does_not_stop_the_others(self):
        template = self._break_template(
            """<p t-out="1 // len(object.login.replace('b@example.com', ''))"/>"""
        )
        orders = self._confirm_orders("a", "b", "c")
        log = self._fail_to_send()
        self.assertSent(self._mails, "a", "c")
        self.assertIn("Traceback", log.output[0])
        note = self._get_notes(orders[1])[0]
        self.assertIn("could not be sent", note)
        self.assertIn("The email template has an error.", note)
        self.assertNotIn("t-out", note)
        template.body_html = template.body_html.replace("1 //", "1 +")
        with self._later(minutes=6):
            self.assertSent(self._send_invitations(), "b")

    def test_broken_template_is_one_error_and_stops_the_company(self):
        template = self._break_template(
            """<p t-out="1 // len(object.login.replace('@example.com', '')[1:])"/>"""
        )
        orders = self._confirm_orders(*"abcdef")
        log = self._fail_to_send()
        with self._later(minutes=6):
            lines = log.output + self._fail_to_send().output
        self.assertFalse(self._mails)
        levels = [line.split(":")[0] for line in lines]
        self.assertEqual(levels, ["ERROR", "WARNING", "WARNING", "WARNING"])
        for order in orders:
            self.assertIn("template has an error", order.portal_account_notice)
        told = self.env.ref("mail.channel_admin").message_ids.filtered(
            lambda message: "template has an error" in message.body
        )
        self.assertEqual(told.mapped("message_type"), ["comment"], "once, unread")
        template.body_html = "<p>Hello</p>"
        with self._later(minutes=30):
            self.assertEqual(len(self._send_invitations()), 6)

    def test_broken_template_is_one_error_whatever_language_staff_read(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.salesperson.lang = "fr_FR"
        self._break_template(
            """<p t-out="1 // len(object.login.replace('@example.com', '')[1:])"/>"""
        )
        orders = self._confirm_orders(*"abcdef")
        for order in orders[::2]:
            order.user_id = self.salesperson
        levels = [line.split(":")[0] for line in self._fail_to_send().output]
        self.assertEqual(levels, ["ERROR", "WARNING", "WARNING"])
        self.assertTrue(self.company.portal_mail_wait_date)
        self.assertIn("template has an error", orders[0].portal_account_notice)
        french = orders[0].with_context(lang="fr_FR")
        self.assertIn("modèle d'e-mail contient", french.portal_account_notice)

    def test_deleted_template_is_noted_and_repair_sends(self):
        order = self._confirm_order()
        template = self.env.ref(MAIL_TEMPLATE)
        [values] = template.copy_data()
        template.unlink()
        [line] = self._fail_to_send().output
        self.assertFalse(self._mails)
        self.assertIn("WARNING", line)
        self.assertTrue(any("missing" in note for note in self._get_notes(order)))
        record = self.env["mail.template"].create(values)
        self.env["ir.model.data"]._update_xmlids(
            [{"xml_id": MAIL_TEMPLATE, "record": record}]
        )
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 1)

    def test_email_that_has_lost_its_link_is_a_failure(self):
        """An addon that removes what mentions odoo.com, at a shop of that name."""
        order = self._confirm_order()
        mail_class = self.env.registry["mail.mail"]
        with patch.object(mail_class, "_prepare_outgoing_body", lambda mail: "<p/>"):
            server = MailServer()
            self._fail_to_send(server)
        self.assertFalse(server.messages)
        self.assertIn("removed the link", order.portal_account_notice)
        self.assertFalse(self._get_invitation().sent_date)

    def test_what_was_sent_when_the_job_died_goes_last_and_once_more(self):
        self._confirm_orders("a", "b", "c")

        def die(connection, command, _argument):
            if command == "content" and connection.recipient.startswith("a"):
                raise SystemExit

        server = MailServer(die)
        for minutes in range(4):
            with self._later(minutes=minutes), contextlib.suppress(SystemExit):
                self._send_invitations(server)
        contents = [each.content for each in server.connections if each.content]
        copies = [c for c in contents if b"a@example.com" in c]
        self.assertEqual(len(copies), 2)
        self.assertEqual(server.recipients, ["b@example.com", "c@example.com"])
        invitation = self._get_users("a@example.com").portal_invitation_ids
        self.assertEqual(invitation.state, "failed")
        self.assertIn("may have arrived", invitation.notice)
