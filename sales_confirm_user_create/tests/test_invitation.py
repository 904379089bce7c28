from datetime import timedelta
from unittest.mock import patch

from lxml import html
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server, MailDeliveryException

from .. import post_init_hook
from .common import CRON, MAIL_TEMPLATE, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestInvitation(PortalAccountCommon):
    def _confirm(self, **values):
        order = self._create_order(**values)
        order.action_confirm()
        return order, order.partner_id.user_ids

    def test_nothing_is_sent_nor_rendered_by_the_confirmation(self):
        with self.mock_mail_gateway():
            _order, user = self._confirm()
        self.assertFalse(self._mails)
        self.assertFalse(self._new_mails)
        self.assertTrue(user.portal_invitation_due)
        self.assertFalse(user.portal_invitation_date)

    def test_invitation_tells_who_why_and_how(self):
        order, user = self._confirm()
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
                user.login,
                "Activate",
                "6 days",
            ):
                self.assertIn(word, text)
        self.assertIn("/web/signup?", self._get_link(mail))
        self.assertFalse(user.portal_invitation_due)
        self.assertTrue(user.portal_invitation_date)
        self.assertEqual(user.portal_invitation_count, 1)

    def test_invitation_says_how_long_the_link_is_valid(self):
        _order, user = self._confirm()
        for hours, validity in (
            (1, "1 hour "),
            (24, "24 hours "),
            (47, "47 hours "),
            (48, "2 days "),
            (71, "2 days "),
        ):
            self.env["ir.config_parameter"].set_param(
                "auth_signup.signup.validity.hours", hours
            )
            user._make_portal_invitation_due()
            [mail] = self._send_invitations()
            self.assertIn(f"valid for {validity}", mail["body_alternative"])

    def test_invitation_is_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(
            ["sales_confirm_user_create"], ["fr_FR"]
        )
        self.customer.lang = "fr_FR"
        order, user = self._confirm()
        [mail] = self._send_invitations()
        self.assertIn("Activez votre compte", mail["subject"])
        self.assertIn(
            f"Merci pour votre commande *{order.name}*", mail["body_alternative"]
        )
        self.assertIn("valable 6\N{NO-BREAK SPACE}jours", mail["body_alternative"])
        user._make_portal_invitation_due(portal_reminder_count=1)
        [reminder] = self._send_invitations()
        self.assertIn("rappel", reminder["body_alternative"])

    def test_invitation_is_from_the_company_of_the_order(self):
        company = self.env["res.company"].create(
            {"name": "Second", "email": "second@example.com"}
        )
        self._confirm(company_id=company.id, order_line=False)
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_from"], company.email_formatted)
        self.assertIn("Second", mail["body_alternative"])

    def test_link_is_on_the_website_of_the_order(self):
        website = self.env["website"].create(
            {"name": "Second", "domain": "https://second.example.com"}
        )
        _order, user = self._confirm(website_id=website.id)
        self.assertFalse(user.website_id, "accounts are shared between the websites")
        [mail] = self._send_invitations()
        self.assertTrue(
            self._get_link(mail).startswith("https://second.example.com/web/signup?")
        )

    def test_invitation_is_sent_once(self):
        self._confirm()
        self.assertEqual(len(self._send_invitations()), 1)
        self.assertEqual(len(self._send_invitations()), 0)

    def test_account_activated_meanwhile_is_not_invited(self):
        _order, user = self._confirm()
        user.with_user(user)._update_last_login()
        self.assertFalse(self._send_invitations())

    def test_archived_account_is_not_invited(self):
        _order, user = self._confirm()
        user.active = False
        self.assertFalse(self._send_invitations())

    def test_account_that_became_internal_is_not_invited(self):
        _order, user = self._confirm()
        user.group_ids = self.env.ref("base.group_user")
        self.assertFalse(self._send_invitations())

    def test_nothing_of_the_mail_stays_in_the_database(self):
        self.env.ref(MAIL_TEMPLATE).auto_delete = False
        order, user = self._confirm()
        [mail] = self._send_invitations()
        token = self._get_link(mail).split("token=")[1].split("&")[0]
        messages = self.env["mail.message"].search([("body", "like", token)])
        messages += self.env["mail.message"].search([("body", "like", "/web/signup")])
        self.assertFalse(messages)
        self.assertFalse(
            self.env["mail.mail"].search([("body_html", "like", "/web/signup")])
        )
        self.assertFalse(
            self.env["mail.message"].search(
                [("model", "=", "res.users"), ("res_id", "=", user.id)]
            )
        )
        self.assertTrue(self._get_notes(order))

    def test_administrators_recipients_in_the_template_do_not_get_the_link(self):
        template = self.env.ref(MAIL_TEMPLATE)
        template.email_cc = "copy@example.com"
        template.partner_to = str(self.salesperson.partner_id.id)
        template.email_to = "other@example.com"
        self._confirm()
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.com"])
        self.assertFalse(mail.get("email_cc"))

    def test_rendering_the_template_by_hand_gives_no_link(self):
        _order, user = self._confirm()
        template = self.env.ref(MAIL_TEMPLATE)
        body = template._render_field("body_html", user.ids)[user.id]
        self.assertNotIn("token", str(body))

    def test_name_and_address_are_escaped(self):
        self.customer.name = 'Jane <img src="x"/>\r\nBcc: all@example.com'
        order, _user = self._confirm()
        [mail] = self._send_invitations()
        self.assertNotIn("<img", str(mail["body"]))
        self.assertIn("&lt;img", str(mail["body"]))
        self.assertFalse(mail["EmailMessage"]["Bcc"])
        self.assertEqual(mail["EmailMessage"]["To"], "jane@example.com")
        self.assertNotIn("<img", "".join(order.message_ids.mapped("body")))

    def test_new_invitation_ends_the_older_link(self):
        _order, user = self._confirm()
        Partner = self.env["res.partner"]
        [first] = self._send_invitations()
        token = self._get_link(first).split("token=")[1].split("&")[0]
        self.assertEqual(Partner._get_partner_from_token(token), self.customer)
        user.portal_invitation_due = fields.Datetime.now()
        [second] = self._send_invitations()
        self.assertFalse(Partner._get_partner_from_token(token))
        token = self._get_link(second).split("token=")[1].split("&")[0]
        self.assertEqual(Partner._get_partner_from_token(token), self.customer)

    def test_password_reset_before_activation_ends_the_link(self):
        self._confirm()
        [mail] = self._send_invitations()
        token = self._get_link(mail).split("token=")[1].split("&")[0]
        with self.mock_mail_gateway():
            self.env["res.users"].reset_password("jane@example.com")
        self.assertEqual(len(self._mails), 1)
        self.assertIn("/web/reset_password", str(self._mails[0]["body"]))
        self.assertFalse(self.env["res.partner"]._get_partner_from_token(token))

    def test_first_login_is_kept(self):
        _order, user = self._confirm()
        user.with_user(user)._update_last_login()
        first = user.portal_activation_date
        self.assertTrue(first)
        user.portal_activation_date = first - timedelta(days=3)
        user.with_user(user)._update_last_login()
        self.assertEqual(user.portal_activation_date, first - timedelta(days=3))

    def test_users_of_before_the_installation_are_activated(self):
        old, never = [
            new_test_user(self.env, login, "base.group_portal")
            for login in ("old", "new")
        ]
        self.env["res.users.log"].with_user(old).sudo().create({})
        self.env.flush_all()
        post_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(old.portal_activation_date, old.login_date)
        self.assertFalse(never.portal_activation_date)
        employee = self.env.ref("base.user_admin")
        self.assertFalse(employee.portal_activation_date)

    def test_user_of_old_is_not_taken_for_activated_now(self):
        user = new_test_user(self.env, "old@example.com", "base.group_portal")
        self.env["res.users.log"].with_user(user).sudo().create({})
        user.with_user(user)._update_last_login()
        self.assertFalse(user.portal_activation_date)

    def test_mail_server_down_leaves_all_due_and_tries_again(self):
        partners = self.customer + self._create_customer("Second", "second@example.com")
        orders = self._create_orders(partners)
        orders.action_confirm()
        down = MailDeliveryException("Unable to connect", ConnectionRefusedError())
        with (
            patch.object(IrMail_Server, "_connect__", side_effect=down.args[1]),
            patch.object(IrMail_Server, "_disable_send", lambda self: False),
            self.capture_triggers(CRON) as capture,
            self._mute_odoo() as log,
            self.enter_registry_test_mode(),
        ):
            self.env.ref(CRON).method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(
            len(log.output), 1, "one attempt shows that the server is down"
        )
        self.assertIn("Traceback", log.output[0])
        self.assertTrue(all(partners.user_ids.mapped("portal_invitation_due")))
        self.assertFalse(any(partners.user_ids.mapped("portal_invitation_failures")))
        self.assertTrue(capture.records)
        for user in partners.user_ids:
            user.portal_invitation_due -= timedelta(minutes=5)  # later
        self.assertEqual(len(self._send_invitations()), 2)

    def test_longest_due_is_sent_first_and_what_remains_is_told(self):
        partners = self.customer + self._create_customer("Second", "second@example.com")
        self._create_orders(partners).action_confirm()
        partners[1].user_ids.portal_invitation_due = "2020-01-01"
        calls = []

        def stop(cron, *args, **kwargs):
            calls.append((args, kwargs))
            return 0

        with (
            patch.object(type(self.env["ir.cron"]), "_commit_progress", stop),
            self.mock_mail_gateway(),
        ):
            self.env["res.users"]._cron_send_portal_invitations()
        [mail] = self._mails
        self.assertEqual(mail["email_to"], ["second@example.com"])
        self.assertEqual(calls, [((), {"remaining": 2}), ((1,), {})])
        self.assertTrue(self.customer.user_ids.portal_invitation_due)

    def test_mail_server_of_one_company_does_not_keep_the_others_waiting(self):
        company = self.env["res.company"].create({"name": "Second"})
        partners = self.customer
        for name in ("same", "other"):
            partners += self._create_customer(name, f"{name}@example.com")
        orders = self._create_orders(partners)
        orders[2].company_id = company
        orders.action_confirm()
        for number, partner in enumerate(partners):
            partner.user_ids.portal_invitation_due = f"2020-01-0{number + 1}"
        users = partners.user_ids
        send = type(users)._send_portal_invitation
        down = MailDeliveryException("Unable to connect", ConnectionRefusedError())

        def send_or_fail(user):
            if user == partners[0].user_ids:
                raise down
            return send(user)

        with (
            patch.object(
                type(partners.user_ids), "_send_portal_invitation", send_or_fail
            ),
            self._mute_odoo(),
        ):
            mails = self._send_invitations()
        self.assertEqual([mail["email_to"] for mail in mails], [["other@example.com"]])
        for user in partners[:2].user_ids:
            self.assertTrue(user.portal_invitation_due)
            self.assertFalse(user.portal_invitation_failures)

    def _confirm_in_companies(self):
        """Confirm orders in two other companies in turns, and one in our own.

        :return: the accounts, in the order in which their invitations are due
        """
        companies = self.env["res.company"].create(
            [{"name": name} for name in ("Second", "Third")]
        )
        partners = self.env["res.partner"].create(
            [{"name": name, "email": f"{name}@example.com"} for name in "abcd"]
        )
        partners += self.customer
        orders = self._create_orders(partners)
        for order, company in zip(
            orders, companies + companies + self.company, strict=True
        ):
            order.company_id = company
        orders.action_confirm()
        for number, user in enumerate(partners.user_ids):
            user.portal_invitation_due = f"2020-01-0{number + 1}"
        return partners.user_ids

    def _run_job(self, users, time_left):
        """Run the job where no mail server answers but that of the last account.

        :param time_left: what the job is told after each account that was tried
        :return: the accounts that were tried, what the job said of its progress, and
            when it is to run again
        """
        tried, progress = self.env["res.users"], []

        def send(user):
            nonlocal tried
            tried += user
            if user != users[-1]:
                raise MailDeliveryException("No connection", ConnectionRefusedError())
            user.portal_invitation_due = False

        def commit_progress(_cron, *args, **kwargs):
            progress.append((args, kwargs))
            return time_left

        with (
            patch.object(type(users), "_send_portal_invitation", send),
            patch.object(
                type(self.env["ir.cron"]), "_commit_progress", commit_progress
            ),
            self.capture_triggers(CRON) as capture,
            mute_logger("odoo.addons.sales_confirm_user_create.models.res_users"),
        ):
            users._cron_send_portal_invitations()
        return tried, progress, capture.records.mapped("call_at")

    def test_companies_without_mail_server_are_tried_once_and_again_in_minutes(self):
        users = self._confirm_in_companies()
        tried, progress, call_at = self._run_job(users, 1)
        self.assertEqual(tried, users[:2] + users[-1])
        # those of the company that wait for the next run are not left over
        waiting = [((), {}), ((2,), {})]
        self.assertEqual(
            progress, [((), {"remaining": 5}), *waiting, *waiting, ((1,), {})]
        )
        self.assertEqual(len(call_at), 2)
        for again in call_at:
            wait = again - fields.Datetime.now()
            self.assertAlmostEqual(wait.total_seconds(), 300, delta=30)
        for user in users[:-1]:
            self.assertEqual(user.portal_invitation_due, call_at[0])
            self.assertFalse(user.portal_invitation_failures)

    def test_mail_server_that_takes_all_of_the_time_leaves_the_others_their_turn(self):
        users = self._confirm_in_companies()
        for user, remaining in ((users[0], 5), (users[1], 3), (users[-1], 1)):
            tried, progress, _call_at = self._run_job(users, 0)
            self.assertEqual(tried, user)
            self.assertEqual(progress[0], ((), {"remaining": remaining}))

    def test_account_that_is_in_use_is_tried_again_in_minutes(self):
        _order, user = self._confirm()
        nobody = user.browse()
        with (
            patch.object(
                type(user), "try_lock_for_update", lambda self, **kwargs: nobody
            ),
            self.capture_triggers(CRON) as capture,
        ):
            self.assertFalse(self._send_invitations())
        self.assertTrue(user.portal_invitation_due)
        [again] = capture.records.mapped("call_at")
        wait = again - fields.Datetime.now()
        self.assertAlmostEqual(wait.total_seconds(), 300, delta=30)

    def test_link_is_not_sent_where_it_would_activate_another_user(self):
        order, user = self._confirm()
        user.copy({"login": "another@example.com", "partner_id": self.customer.id})
        with self._mute_odoo():
            self.assertFalse(self._send_invitations())
        self.assertTrue(user.portal_invitation_due)
        self.assertIn("several users", self._get_notes(order)[0])
        self.assertIn("several users", user._get_no_portal_invitation_reason())

    def test_refused_mail_stays_due_with_growing_delay_and_one_note(self):
        order, user = self._confirm()
        refused = MailDeliveryException("Mail Delivery Failed", "550 no such user")
        before = len(self._get_notes(order))
        for failures, minutes in ((1, 5), (2, 10), (3, 20)):
            user.portal_invitation_due = fields.Datetime.now()
            with (
                patch.object(IrMail_Server, "_disable_send", lambda self: False),
                patch.object(IrMail_Server, "_connect__", return_value=None),
                patch.object(IrMail_Server, "send_email", side_effect=refused),
                self._mute_odoo(),
                self.enter_registry_test_mode(),
            ):
                self.env.ref(CRON).method_direct_trigger()
            self.env.invalidate_all()
            self.assertEqual(user.portal_invitation_failures, failures)
            wait = user.portal_invitation_due - fields.Datetime.now()
            self.assertAlmostEqual(wait.total_seconds(), minutes * 60, delta=30)
            self.assertFalse(user.portal_invitation_count)
        notes = self._get_notes(order)
        self.assertEqual(len(notes), before + 1)
        self.assertIn("550 no such user", notes[0])
        self.assertFalse(self._send_invitations(), "not due yet")
        user.portal_invitation_due = fields.Datetime.now()
        self.assertEqual(len(self._send_invitations()), 1)
        self.assertFalse(user.portal_invitation_failures)

    def test_mail_refused_for_months_still_waits_a_day(self):
        _order, user = self._confirm()
        user.portal_invitation_failures = 1000
        user._postpone_portal_invitation(UserError("refused"))
        wait = user.portal_invitation_due - fields.Datetime.now()
        self.assertAlmostEqual(wait.total_seconds(), 24 * 3600, delta=30)
        triggers = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", self.env.ref(CRON).id)]
        )
        self.assertIn(user.portal_invitation_due, triggers.mapped("call_at"))

    def test_account_without_address_is_not_taken_for_invited(self):
        order, user = self._confirm()
        user.login = "jane"
        with self._mute_odoo():
            self.assertFalse(self._send_invitations())
        self.assertTrue(user.portal_invitation_due)
        self.assertFalse(user.portal_invitation_count)
        self.assertIn("not an email address", self._get_notes(order)[0])

    def test_failure_is_noted_in_the_language_of_the_salesperson(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        order, user = self._confirm()
        self.salesperson.lang = "fr_FR"
        order.user_id = self.salesperson
        user.login = "jane"
        with self._mute_odoo():
            self._send_invitations()
        note = order.message_ids[0].body
        self.assertIn("pas pu être envoyée", note)
        self.assertIn("est pas une adresse", note)

    def test_mail_that_odoo_does_not_send_is_not_taken_for_sent(self):
        _order, user = self._confirm()
        with (
            patch.object(IrMail_Server, "_disable_send", lambda self: True),
            self._mute_odoo() as log,
            self.enter_registry_test_mode(),
        ):
            self.env.ref(CRON).method_direct_trigger()
        self.env.invalidate_all()
        self.assertIn("MailDeliveryException: outgoing", log.output[0])
        self.assertTrue(user.portal_invitation_due)
        self.assertEqual(user.portal_invitation_failures, 1)

    def test_account_that_was_activated_meanwhile_is_not_invited(self):
        _order, user = self._confirm()
        lock = type(user).try_lock_for_update

        def activate_and_lock(users, **options):
            users.portal_invitation_due = False
            return lock(users, **options)

        with patch.object(type(user), "try_lock_for_update", activate_and_lock):
            self.assertFalse(self._send_invitations())
        self.assertFalse(user.portal_invitation_count)

    def test_conflict_leaves_the_invitation_due_without_a_note(self):
        order, user = self._confirm()
        notes = self._get_notes(order)
        with (
            patch.object(
                type(user),
                "_send_portal_invitation",
                side_effect=SerializationFailure(),
            ),
            self.capture_triggers(CRON) as capture,
        ):
            self.assertFalse(self._send_invitations())
        self.assertGreater(
            max(capture.records.mapped("call_at")), fields.Datetime.now()
        )
        self.assertTrue(user.portal_invitation_due)
        self.assertFalse(user.portal_invitation_failures)
        self.assertEqual(self._get_notes(order), notes)
        self.assertEqual(len(self._send_invitations()), 1)

    def _fail_to_send(self, broken, error):
        """Have the invitation of one account fail, and those of others sent."""
        send = type(broken)._send_portal_invitation

        def send_or_fail(user):
            if user == broken:
                raise error
            return send(user)

        return patch.object(type(broken), "_send_portal_invitation", send_or_fail)

    def test_conflict_while_postponing_does_not_keep_the_others_waiting(self):
        partners = self.customer + self._create_customer("Second", "second@example.com")
        self._create_orders(partners).action_confirm()
        user = self.customer.user_ids
        with (
            self._fail_to_send(user, MailDeliveryException("no answer", OSError())),
            patch.object(
                type(user), "_await_mail_server", side_effect=SerializationFailure()
            ),
            self.capture_triggers(CRON) as capture,
            self._mute_odoo(),
        ):
            mails = self._send_invitations()
        self.assertEqual([mail["email_to"] for mail in mails], [["second@example.com"]])
        self.assertGreater(
            max(capture.records.mapped("call_at")), fields.Datetime.now()
        )
        self.assertTrue(user.portal_invitation_due)

    def test_one_that_fails_does_not_keep_the_others_waiting(self):
        partners = self.customer + self._create_customer("Second", "second@example.com")
        self._create_orders(partners).action_confirm()
        broken = self.customer.user_ids
        with (
            self._fail_to_send(broken, ValueError("this one fails")),
            self._mute_odoo(),
        ):
            mails = self._send_invitations()
        self.assertEqual([mail["email_to"] for mail in mails], [["second@example.com"]])
        self.assertTrue(broken.portal_invitation_due)

    def test_deleted_template_is_noted_and_repair_sends(self):
        order, user = self._confirm()
        template = self.env.ref(MAIL_TEMPLATE)
        values = template.copy_data()[0]
        template.unlink()
        with self._mute_odoo() as log:
            self.assertFalse(self._send_invitations())
        self.assertIn("Traceback", log.output[0])
        self.assertTrue(any("missing" in note for note in self._get_notes(order)))
        self.env["ir.model.data"]._update_xmlids(
            [
                {
                    "xml_id": MAIL_TEMPLATE,
                    "record": self.env["mail.template"].create(values),
                }
            ]
        )
        user.portal_invitation_due = fields.Datetime.now()
        self.assertEqual(len(self._send_invitations()), 1)

    def test_broken_template_is_noted_and_repair_sends(self):
        template = self.env.ref(MAIL_TEMPLATE)
        body = template.body_html
        # what is saved is checked by rendering it, but for a user of now
        template.body_html = """
            <p t-out="1 // len(object.login.replace('jane@example.com', ''))"/>
        """
        order, user = self._confirm()
        with self._mute_odoo() as log:
            self.assertFalse(self._send_invitations())
        self.assertIn("Traceback", log.output[0])
        note = self._get_notes(order)[0]
        self.assertIn("could not be sent", note)
        self.assertNotIn("Traceback", note)
        template.body_html = body
        user.portal_invitation_due = fields.Datetime.now()
        self.assertEqual(len(self._send_invitations()), 1)
