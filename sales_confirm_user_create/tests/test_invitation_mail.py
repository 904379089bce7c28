from datetime import timedelta
from email.utils import getaddresses
from unittest.mock import patch

from lxml import html
from markupsafe import Markup
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.tests import tagged

from odoo.addons.base.models import ir_cron

from .common import CRON, MAIL_TEMPLATE, REMINDER_CRON, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestInvitationMail(PortalAccountCommon):
    """What the emails say, and which of them the job sends."""

    def test_nothing_is_sent_nor_rendered_by_the_confirmation(self):
        with self.mock_mail_gateway():
            self._confirm_order()
        self.assertFalse(self._mails)
        self.assertFalse(self._new_mails)
        self.assertTrue(self._get_invitation().due_date)

    def test_invitation_says_who_why_and_how(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.com"])
        self.assertEqual(mail["email_from"], self.company.email_formatted)
        self.assertIn(self.company.name, mail["subject"])
        for text in (
            html.fromstring(str(mail["body"])).text_content(),
            mail["body_alternative"],
        ):
            for word in (
                self.company.name,
                order.name,
                "jane@example.com",
                "Activate",
                "6 days",
            ):
                self.assertIn(word, text)
        self.assertIn("/web/portal/activate?token=", self._get_link(mail))
        self.assertIn(self._get_link(mail), mail["body_alternative"])

    def test_invitation_says_how_long_the_link_is_valid(self):
        self._confirm_order()
        for hours, validity in (
            (1, "1 hour."),
            (24, "24 hours."),
            (47, "47 hours."),
            (48, "2 days."),
            (71, "2 days."),
        ):
            self.env["ir.config_parameter"].set_param(
                "auth_signup.signup.validity.hours", hours
            )
            self._get_invitation().due_date = fields.Datetime.now()
            [mail] = self._send_invitations()
            self.assertIn(f"valid for {validity}", mail["body_alternative"])
            with self._later(hours=hours, minutes=-1):
                self.assertEqual(self._get_link_status(mail), "valid")
            with self._later(hours=hours, minutes=1):
                self.assertEqual(self._get_link_status(mail), "expired")

    def test_invitation_is_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(
            ["sales_confirm_user_create"], ["fr_FR"]
        )
        self.customer.lang = "fr_FR"
        order = self._confirm_order()
        english = self._confirm_orders("english")
        mails = self._send_invitations()
        [mail] = [mail for mail in mails if mail["email_to"] == ["jane@example.com"]]
        self.assertIn("Activez votre compte", mail["subject"])
        self.assertIn(
            f"Merci pour votre commande *{order.name}*", mail["body_alternative"]
        )
        self.assertIn("6\N{NO-BREAK SPACE}jours", mail["body_alternative"])
        [mail] = [mail for mail in mails if mail["email_to"] != ["jane@example.com"]]
        self.assertIn(f"your order *{english.name}*", mail["body_alternative"])
        self.assertIn("6 days", mail["body_alternative"])
        reminder = self._remind(3)[0]
        self.assertIn("Rappel", reminder["subject"])

    def test_invitation_is_from_the_company_of_the_order(self):
        company = self.env["res.company"].create(
            {"name": "Second", "email": "second@example.com"}
        )
        self._confirm_order(company_id=company.id, order_line=False)
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_from"], company.email_formatted)
        self.assertIn("Second", mail["body_alternative"])

    def test_company_without_address_sends_from_that_of_the_website(self):
        second = self.env["res.company"].create(
            {"name": "Second", "email": "s@example.com"}
        )
        website = self.env["website"].create(
            {"name": "Second", "company_id": second.id}
        )
        self.company.email = False
        order = self._create_order(user_id=self.salesperson.id)
        order.website_id = website
        order.action_confirm()
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_from"], second.email_formatted)

    def test_company_without_address_sends_from_the_salesperson(self):
        for email in (False, "info at shop"):
            self.company.email = email
            self._confirm_order(
                self._create_customer("Guest", f"guest{bool(email)}@example.com"),
                user_id=self.salesperson.id,
            )
            [mail] = self._send_invitations()
            self.assertEqual(mail["email_from"], self.salesperson.email_formatted)

    def test_without_any_address_the_failure_says_so(self):
        self.company.email = False
        order = self._confirm_order(user_id=False)
        self._fail_to_send()
        self.assertFalse(self._mails)
        self.assertIn("email address on the company", self._get_invitation().notice)
        self.assertIn("email address on the company", self._get_notes(order)[0])
        self.company.email = "shop@example.com"
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 1)

    def test_template_without_sender_is_not_sent_by_odoobot(self):
        template = self.env.ref(MAIL_TEMPLATE)
        for email_from in (False, "{{ user.email_formatted }}"):
            template.email_from = email_from
            self._get_invitation().unlink()
            self.customer = self._create_customer(
                "John", f"{email_from}@example.com"[-20:]
            )
            self._confirm_order()
            [mail] = self._send_invitations()
            self.assertEqual(mail["email_from"], self.company.email_formatted)

    def test_link_is_on_the_website_of_the_order(self):
        website = self.env["website"].create(
            {"name": "Second", "domain": "https://second.example.com"}
        )
        self._confirm_order(website_id=website.id)
        self.assertFalse(self.customer.user_ids.website_id, "accounts are shared")
        [mail] = self._send_invitations()
        self.assertTrue(
            self._get_link(mail).startswith(
                "https://second.example.com/web/portal/activate?"
            )
        )

    def test_nothing_of_the_mail_stays_in_the_database(self):
        self.env.ref(MAIL_TEMPLATE).auto_delete = False
        order = self._confirm_order()
        [mail] = self._send_invitations()
        token = self._get_link(mail).split("token=")[1]
        for text in (token, "/web/portal/activate"):
            self.assertFalse(self.env["mail.message"].search([("body", "like", text)]))
            mails = self.env["mail.mail"].search([("body_html", "like", text)])
            self.assertFalse(mails)
        self.assertFalse(self._new_mails.exists())
        self.assertFalse(
            self.env["mail.message"].search([("model", "=", "portal.invitation")])
        )
        self.assertTrue(self._get_notes(order))

    def test_mail_that_a_crash_leaves_behind_has_no_link_and_is_removed(self):
        self._confirm_order()
        # where mails are not removed at once
        with self.mock_mail_gateway(), self.enter_registry_test_mode():
            self.env.ref(CRON).method_direct_trigger()
        self.env.invalidate_all()
        mail = self._new_mails.exists()
        self.assertEqual(mail.state, "sent")
        for text in (mail.body, mail.body_html):
            self.assertNotIn("token", text or "")
        self.env["portal.invitation"]._gc_sent_mails()
        self.assertFalse(mail.exists())

    def test_recipients_in_the_template_do_not_get_the_link(self):
        template = self.env.ref(MAIL_TEMPLATE)
        template.email_cc = "copy@example.com"
        template.partner_to = str(self.salesperson.partner_id.id)
        template.email_to = "other@example.com"
        self._confirm_order()
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.com"])
        self.assertFalse(mail.get("email_cc"))

    def test_attachments_of_the_template_are_sent_and_kept(self):
        template = self.env.ref(MAIL_TEMPLATE)
        terms = self.env["ir.attachment"].create({"name": "terms.txt", "raw": b"Terms"})
        template.attachment_ids = terms
        self._confirm_orders("a", "b")
        for mail in self._send_invitations():
            [(name, content, _type)] = mail["attachments"]
            self.assertEqual((name, content), ("terms.txt", b"Terms"))
        self.assertEqual(template.attachment_ids.raw, b"Terms")

    def test_button_has_the_colors_of_the_company(self):
        self.env.company.email_primary_color = "#112233"
        self.env.company.email_secondary_color = "#DDEEFF"
        self._confirm_order()
        [mail] = self._send_invitations()
        self.assertIn("background-color: #DDEEFF;", str(mail["body"]))
        self.assertIn("color: #112233;", str(mail["body"]))
        self.assertNotIn("#875A7B", str(mail["body"]))

    def test_rendering_the_template_by_hand_gives_no_link(self):
        self._confirm_order()
        template, invitation = self.env.ref(MAIL_TEMPLATE), self._get_invitation()
        body = template._render_field("body_html", invitation.ids)[invitation.id]
        self.assertIn("Jane Doe", body)
        self.assertNotIn("token", body)

    def test_name_and_address_are_escaped(self):
        self.customer.name = 'Jane <img src="x"/>\r\nBcc: all'
        order = self._confirm_order()
        [mail] = self._send_invitations()
        self.assertNotIn("<img", str(mail["body"]))
        self.assertIn("&lt;img", str(mail["body"]))
        self.assertFalse(mail["EmailMessage"]["Bcc"])
        [(name, address)] = getaddresses([mail["EmailMessage"]["To"]])
        self.assertEqual(address, "jane@example.com")
        self.assertEqual(name, 'Jane <img src="x"/> Bcc: all')
        self.assertNotIn("<img", "".join(order.message_ids.mapped("body")))

    def _send_from(self, body, **values):
        """Send the invitation of a customer, with more in the template."""
        template = self.env.ref(MAIL_TEMPLATE)
        template.body_html = Markup(body) + template.body_html
        self._confirm_order(
            self._create_customer(
                values.pop("name", "Guest"), "guest@example.com", **values
            )
        )
        [mail] = self._send_invitations()
        return html.fromstring(str(mail["body"]))

    def assertTokensAreInButtonsOnly(self, root):
        """Each token is in the whole address of a link to the shop."""
        urls = [
            (element.tag, name, value)
            for element in root.iter()
            for name, value in element.attrib.items()
            if "token=" in value
        ]
        self.assertEqual({url[:2] for url in urls}, {("a", "href")})
        self.assertEqual(len(urls), 2)
        for _tag, _name, value in urls:
            self.assertTrue(
                value.startswith(f"{self.company.get_base_url()}/web/portal/")
            )
        self.assertNotIn("token=", root.text_content())
        text = html.tostring(root, encoding="unicode")
        self.assertNotRegex(text, r"portal\.invalid/[\w-]{20}")
        self.assertNotIn("t-out", text)

    def test_what_a_customer_types_gets_no_link(self):
        for name in (
            "https://evil.test/?https://portal-invitation.invalid/",
            "https://portal.invalid/",
            '<a href="https://portal.invalid/">x</a>',
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                root = self._send_from(
                    '<p t-out="object.partner_id.street"/>', name=name, street=name
                )
                self.assertTokensAreInButtonsOnly(root)
                self.assertIn(name, root.text_content())
                savepoint.rollback()

    def test_template_gets_no_link_anywhere_else(self):
        url = "{{ctx.get('sales_confirm_user_create_url')}}"
        decline_url = "{{ctx.get('sales_confirm_user_create_decline_url')}}"
        for body in (
            f'<img t-attf-src="{url}"/>',
            f'<a t-attf-href="https://evil.test/?u={url}">x</a>',
            f'<a t-attf-href="{decline_url}&amp;u=https://evil.test">x</a>',
            f'<p t-attf-title="{url}">x</p>',
            f'<p t-attf-style="background: url({url})">x</p>',
            "<p t-out=\"ctx.get('sales_confirm_user_create_url')\"/>",
        ):
            with self.subTest(body), self.env.cr.savepoint() as savepoint:
                self.assertTokensAreInButtonsOnly(self._send_from(body))
                savepoint.rollback()

    def test_button_tells_nobody_else_that_it_was_clicked(self):
        root = self._send_from(
            "<a t-att-href=\"ctx.get('sales_confirm_user_create_url')\" "
            't-attf-ping="https://evil.test/">x</a>'
        )
        self.assertFalse(root.xpath("//@ping"))

    def test_invitation_is_sent_once(self):
        self._confirm_order()
        self.assertEqual(len(self._send_invitations()), 1)
        self.assertEqual(len(self._send_invitations()), 0)

    def test_new_orders_come_before_resent_past_and_reminded_ones(self):
        _reminded, resent = self._confirm_orders("reminded", "resent")
        self._send_invitations()
        with self._later(days=4):
            resent.action_resend_portal_invitation()
            with self.enter_registry_test_mode():
                self.env.ref(REMINDER_CRON).method_direct_trigger()
            past = self._create_orders([self._create_customer("p", "past@example.com")])
            past.write({"state": "sale", "date_order": "2020-01-01"})
            past.action_create_portal_account()
            self._confirm_orders("new", "newest")
            mails = self._send_invitations()
        self.assertSent(mails, "new", "newest", "resent", "past", "reminded")

    def test_longest_due_is_sent_first(self):
        orders = self._confirm_orders("a", "b", "c")
        for order, year in zip(orders, (2022, 2020, 2021), strict=True):
            self._get_invitation(order.partner_id).due_date = f"{year}-01-01"
        self.assertSent(self._send_invitations(), "b", "c", "a")

    def test_all_are_sent_in_one_run_however_many_there_are(self):
        names = [f"c{number:02}" for number in range(45)]
        self._confirm_orders(*names)
        self.assertSent(self._send_invitations(), *names)

    def test_job_triggers_itself_before_it_stops_at_the_end_of_its_time(self):
        self._confirm_orders("a", "b", "c")
        now = fields.Datetime.now()
        with (
            # not ten times, with the emails of a batch rendered and one sent
            patch.object(ir_cron, "MIN_TIME_PER_JOB", -1),
            self.capture_triggers(CRON) as capture,
        ):
            self.assertSent(self._send_invitations(), "a")
            self.assertEqual(len(capture.records), 1)
            self.assertLessEqual(capture.records.call_at - now, timedelta(minutes=1))
            self.assertFalse(self._new_mails.exists())
            self.assertSent(self._send_invitations(), "b")
            self.assertSent(self._send_invitations(), "c")
        self.assertFalse(self._send_invitations())

    def test_what_is_due_later_is_sent_later(self):
        self._confirm_order()
        self._get_invitation().due_date += timedelta(minutes=5)
        self.assertFalse(self._send_invitations())
        with self._later(minutes=6):
            self.assertEqual(len(self._send_invitations()), 1)

    def test_invitation_sent_by_another_run_is_not_sent_again(self):
        self._confirm_order()
        Invitation = self.env.registry["portal.invitation"]
        lock = Invitation.try_lock_for_update

        def send_and_lock(invitations, **options):
            invitations.due_date = False
            return lock(invitations, **options)

        with patch.object(Invitation, "try_lock_for_update", send_and_lock):
            self.assertFalse(self._send_invitations())
        self.assertFalse(self._get_invitation().sent_count)

    def test_invitation_in_use_is_tried_again_in_minutes(self):
        self._confirm_orders("used", "free")
        Invitation = self.env.registry["portal.invitation"]
        lock = Invitation.try_lock_for_update

        def lock_free(invitations, **options):
            is_used = invitations.login == "used@example.com"
            return lock(invitations.browse() if is_used else invitations, **options)

        with (
            patch.object(Invitation, "try_lock_for_update", lock_free),
            self.capture_triggers(CRON) as capture,
        ):
            self.assertSent(self._send_invitations(), "free")
        wait = max(capture.records.mapped("call_at")) - fields.Datetime.now()
        self.assertLess(wait, timedelta(minutes=6))
        self.assertGreater(wait, timedelta(minutes=4))
        self.assertSent(self._send_invitations(), "used")

    def test_conflict_leaves_the_invitation_due_without_a_note(self):
        order = self._confirm_order()
        notes = self._get_notes(order)
        with (
            patch.object(
                self.env.registry["res.users"],
                "_get_invitation_address_issue",
                side_effect=SerializationFailure(),
            ),
            self.capture_triggers(CRON) as capture,
        ):
            self.assertFalse(self._send_invitations())
        self.assertGreater(
            max(capture.records.mapped("call_at")), fields.Datetime.now()
        )
        self.assertEqual(self._get_invitation().state, "due")
        self.assertEqual(self._get_notes(order), notes)
        self.assertEqual(len(self._send_invitations()), 1)
