from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.base.models import ir_cron

from ..models.mailing import portal_invitation as mailing
from .common import REMINDER_CRON, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestReminder(PortalAccountCommon):
    def _invite(self, *names):
        orders = self._confirm_orders(*names) if names else self._confirm_order()
        self._send_invitations()
        return orders

    def test_one_reminder_after_three_days(self):
        self._invite()
        self.assertFalse(self._remind(2))
        [mail] = self._remind(3)
        self.assertIn("Reminder", mail["subject"])
        self.assertEqual(self._get_link_status(mail), "valid")
        self.assertFalse(self._remind(30), "never more than configured")

    def test_reminder_leaves_the_first_link(self):
        self.env["ir.config_parameter"].set_param(
            "auth_signup.signup.validity.hours", 999
        )
        self._confirm_order()
        [first] = self._send_invitations()
        [reminder] = self._remind(3)
        self.assertEqual(self._get_link_status(first), "valid")
        self.assertEqual(self._get_link_status(reminder), "valid")

    def test_as_many_as_configured(self):
        self.company.write({"portal_reminder_max": 2, "portal_reminder_days": 10})
        self._invite()
        self.assertEqual(
            [len(self._remind(days)) for days in (9, 10, 19, 20, 50)], [0, 1, 0, 1, 0]
        )

    def test_off(self):
        self.company.portal_reminder_max = 0
        self._invite()
        self.assertFalse(self._remind(30))

    def test_none_under_never(self):
        self._invite()
        self.company.portal_account_policy = "never"
        self.assertFalse(self._remind(3))
        self.company.portal_account_policy = "website"
        self.assertEqual(len(self._remind(3)), 1)

    def test_reminder_that_is_due_stops_under_never(self):
        self._invite()
        with self._later(days=3):
            with self.enter_registry_test_mode():
                self.env.ref(REMINDER_CRON).method_direct_trigger()
            self.env.invalidate_all()
            self.assertTrue(self._get_invitation().due_date)
            self.company.portal_account_policy = "never"
            self.assertFalse(self._send_invitations())
            self.company.portal_account_policy = "all"
            self.assertFalse(self._send_invitations())

    def test_company_that_invited_decides(self):
        branch = self.env["res.company"].create(
            {
                "name": "Branch",
                "email": "branch@example.com",
                "parent_id": self.company.id,
                "portal_reminder_max": 0,
            }
        )
        self.customer.company_id = self.company
        self._confirm_order(company_id=branch.id)
        self._send_invitations()
        self.assertEqual(self.customer.user_ids.company_id, self.company)
        self.assertFalse(self._remind(30))
        branch.portal_reminder_max = 1
        [mail] = self._remind(30)
        self.assertEqual(mail["email_from"], branch.email_formatted)
        self.company.portal_reminder_max = 2
        self.assertFalse(self._remind(60))

    def test_neither_activated_nor_archived_accounts(self):
        activated, archived, _waiting = self._invite("one", "two", "three")
        self._record_login(activated.partner_id.user_ids)
        archived.partner_id.user_ids.active = False
        self.assertSent(self._remind(3), "three")

    def test_account_activated_before_the_reminder_is_sent(self):
        self._invite()
        with self._later(days=3):
            with self.enter_registry_test_mode():
                self.env.ref(REMINDER_CRON).method_direct_trigger()
            self._record_login(self.customer.user_ids)
            self.assertFalse(self._send_invitations())

    def test_invitation_that_was_never_sent_is_not_reminded(self):
        self._confirm_order()
        self._get_invitation().due_date = "2100-01-01"
        self.assertFalse(self._remind(30))

    def test_crash_between_marking_and_sending_repeats_nothing(self):
        self._invite()
        with self._later(days=3):
            for _run in range(2):
                with self.enter_registry_test_mode():
                    self.env.ref(REMINDER_CRON).method_direct_trigger()
                self.env.invalidate_all()
            self.assertEqual(self._get_invitation().reminder_count, 1)
            self.assertEqual(len(self._send_invitations()), 1)

    def test_many_in_batches(self):
        self._invite(*(f"c{number}" for number in range(5)))
        with patch.object(mailing, "REMINDER_BATCH", 2):
            self.assertEqual(len(self._remind(3)), 5)

    def test_job_that_is_out_of_time_goes_on_in_the_next_run(self):
        second = self.env["res.company"].create({"name": "2", "email": "2@example.com"})
        orders = self._invite(*(f"c{number}" for number in range(5)))
        invitations = orders.partner_id.user_ids.portal_invitation_ids
        invitations[3:].company_id = second
        counts = []
        with (
            patch.object(mailing, "REMINDER_BATCH", 2),
            patch.object(ir_cron, "MIN_RUNS_PER_JOB", 1),
            patch.object(ir_cron, "MIN_TIME_PER_JOB", -1),
            self.capture_triggers(REMINDER_CRON) as capture,
        ):
            for run in range(4):
                self._remind(3)
                counts.append(sum(invitations.mapped("reminder_count")))
                # not tomorrow, but as soon as possible
                self.assertEqual(bool(capture.records), run < 3)
        self.assertEqual(counts, [2, 4, 5, 5])

    def test_resend_by_hand_is_no_reminder(self):
        order = self._invite()
        with self._later(hours=1):
            order.action_resend_portal_invitation()
            [mail] = self._send_invitations()
        self.assertNotIn("Reminder", mail["subject"])
        self.assertFalse(self._remind(3), "three days after the latest email")
        invitation = self._get_invitation()
        self.assertEqual(invitation.reminder_count, 0)
        invitation.sent_date -= timedelta(hours=2)
        self.assertEqual(len(self._remind(3)), 1)
