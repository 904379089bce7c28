from datetime import timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestVacuum(PortalAccountCommon):
    """Accounts that nobody has activated are deleted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_account_expiry_days = 30
        cls.invitations = cls.env["portal.invitation"]

    def _confirm(self, partner=None):
        order = self._create_order(partner)
        order.action_confirm()
        return order

    def _age(self, days, partner=None):
        """Have the account been created, and invited, some days ago."""
        invitation = self._get_invitation(partner)
        date = fields.Datetime.now() - timedelta(days=days)
        invitation.write(
            {
                "due_date": False,
                "sent_date": date,
                "expiry_date": date + timedelta(days=6),
            }
        )
        self.env.flush_all()
        for record in (invitation, invitation.user_id):
            self.env.cr.execute(
                f"UPDATE {record._table} SET create_date = %s WHERE id = %s",
                (date, record.id),
            )
        self.env.invalidate_all()
        return invitation

    def _vacuum(self):
        return self.invitations._gc_unused_accounts()

    def test_unused_account_is_deleted_and_the_next_order_invites_again(self):
        order = self._confirm()
        self._age(31)
        self.assertEqual(self._vacuum(), (1, False))
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(self.invitations.search([]))
        self.assertEqual(order.state, "sale")
        self.assertTrue(self._confirm().user_created)
        self.assertEqual(len(self._send_invitations()), 1)

    def test_nothing_is_deleted_by_default(self):
        self.assertEqual(
            self.env["res.company"].create({"name": "New"}).portal_account_expiry_days,
            0,
        )
        self.company.portal_account_expiry_days = 0
        self._confirm()
        self._age(3650)
        self.assertEqual(self._vacuum(), (0, False))

    def test_younger_account_stays(self):
        self._confirm()
        self._age(29)
        self.assertEqual(self._vacuum(), (0, False))

    def test_recent_email_keeps_the_account(self):
        self._confirm()
        self._age(60).sent_date = fields.Datetime.now() - timedelta(days=29)
        self.assertEqual(self._vacuum(), (0, False))

    def test_due_email_keeps_the_account(self):
        self._confirm()
        self._age(60)._resend()
        self.assertEqual(self._vacuum(), (0, False))

    def test_link_that_works_keeps_the_account(self):
        self._confirm()
        self._age(60).expiry_date = fields.Datetime.now() + timedelta(days=1)
        self.assertEqual(self._vacuum(), (0, False))

    def test_email_that_cannot_be_sent_does_not_keep_the_account(self):
        self._confirm()
        self._age(60).write(
            {
                "sent_date": False,
                "expiry_date": False,
                "due_date": fields.Datetime.now(),
                "failure": "No such mailbox",
            }
        )
        self.assertEqual(self._vacuum(), (1, False))

    def test_account_in_use_stays(self):
        self._confirm()
        user = self._age(60).user_id
        user.with_user(user)._update_last_login()
        self.env.flush_all()
        self.assertEqual(self._vacuum(), (0, False))
        # Odoo keeps the latest login only, and some shops not even that
        user.log_ids.unlink()
        self.assertEqual(self._vacuum(), (0, False))

    def test_account_with_a_password_stays(self):
        self._confirm()
        self._age(60).user_id.password = "Secret-12345"
        self.env.flush_all()
        self.assertEqual(self._vacuum(), (0, False))

    def test_archived_account_stays(self):
        self._confirm()
        self._age(60).user_id.active = False
        self.env.flush_all()
        self.assertEqual(self._vacuum(), (0, False))

    def test_account_that_somebody_else_created_stays(self):
        self._confirm()
        invitation = self._age(60)
        # as where staff had granted the access, and resent the invitation later
        invitation.is_account_created = False
        self.assertEqual(self._vacuum(), (0, False))

    def test_many_are_deleted_in_batches(self):
        partners = self.env["res.partner"].create(
            [{"name": f"C{i}", "email": f"c{i}@example.com"} for i in range(70)]
        )
        self._create_orders(partners).action_confirm()
        for partner in partners:
            self._age(60, partner)
        self.assertEqual(self._vacuum(), (50, True))
        self.assertEqual(self._vacuum(), (20, False))
        self.assertFalse(partners.user_ids)
        self.assertTrue(partners.sale_order_ids)

    def test_one_that_cannot_be_deleted_is_archived_and_stops_nobody(self):
        other = self._create_customer("Other", "other@example.com")
        for partner in (self.customer, other):
            self._confirm(partner)
            self._age(60, partner)
        user = self.customer.user_ids
        # a campaign keeps its responsible
        self.env["utm.campaign"].create({"name": "Spring", "user_id": user.id})
        self.env.flush_all()
        with self._mute_odoo(), self.assertLogs("odoo.sql_db"):
            self.assertEqual(self._vacuum(), (2, False))
        self.assertFalse(user.active)
        self.assertFalse(other.user_ids)
        self.assertEqual(self._vacuum(), (0, False))

    def test_the_setting_is_not_negative(self):
        with self.assertRaises(ValidationError):
            self.company.portal_account_expiry_days = -1


@tagged("post_install", "-at_install")
class TestPrivacyLookup(PortalAccountCommon):
    """Odoo's lookup finds what is stored about a person."""

    def test_invitation_and_decline_are_found(self):
        order = self._create_order()
        order.action_confirm()
        invitation = self._get_invitation()
        field = invitation._fields["partner_id"]
        self.assertTrue(field.store and field.ondelete != "cascade")
        if "privacy.lookup.wizard" in self.env:
            wizard = self.env["privacy.lookup.wizard"].create(
                {"name": "Jane Doe", "email": "jane@example.com"}
            )
            wizard.action_lookup()
            found = {(line.res_model, line.res_id) for line in wizard.line_ids}
            for record in (invitation, invitation.user_id, self.customer, order):
                self.assertIn((record._name, record.id), found)

    def test_deleting_the_user_deletes_the_invitation(self):
        self._create_order().action_confirm()
        invitation = self._get_invitation()
        invitation.user_id.unlink()
        self.assertFalse(invitation.exists())
