from odoo import http

from .common import PASSWORD, TeamCommon


class TestEnd(TeamCommon):
    """How people go, and come back."""

    def _end(self, name="Bob"):
        self._as(self.anna)
        return self._do("end", member=self._get_key(name))

    def test_access_ends_and_contact_stays(self):
        self.assertIn("access has ended", self._end())
        self.assertFalse(self.bob.active)
        self.assertTrue(self.bob.partner_id.active)
        self.assertIn("Ended", self._get_rows()["Bob"])

    def test_administrator_whose_access_has_ended_is_none(self):
        self._create_member("Ada", "administrator")
        self._end("Ada")
        for action in ("role", "end"):
            said = self._do(action, member=self._get_key("Anna"), role="buyer")
            self.assertIn("somebody else an administrator", said)
        self.assertEqual(self.anna._get_portal_role(), "administrator")

    def test_password_and_keys_end(self):
        key = self.env["res.users.apikeys"].with_user(self.bob).sudo()
        key._generate(None, "key", None)
        self._end()
        self.assertFalse(self.bob.api_key_ids)
        self._open_browser()
        self._log_in(self.bob.login, PASSWORD)
        self.assertFalse(self._is_logged_in())

    def test_session_ends(self):
        self._as(self.bob)
        session = self.session
        self.bob._end_portal_access(self.anna.partner_id)
        self.assertIn("/web/login", self.url_open("/my").url)
        self.assertTrue(session)

    def test_end_is_noted_with_its_author(self):
        self._end()
        [note] = self.acme.message_ids.filtered(lambda m: "Ended the access" in m.body)
        self.assertEqual(note.author_id, self.anna.partner_id)

    def test_buyer_leaves_without_declining(self):
        self._as(self.bob)
        response = self._post(action="leave")
        self.assertIn("/web/login", response.url)
        self.assertFalse(self.bob.active)
        self.assertFalse(self.env["portal.decline"]._find([self.bob.login]))

    def test_user_without_role_does_not_leave(self):
        otto = self._create_member("Otto", False)
        self._as(otto)
        self.assertEqual(self._post(action="leave").status_code, 403)
        self.assertTrue(otto.active)

    def test_who_is_invited_again_gets_the_same_user(self):
        self._end()
        self._invite_member("bob@example.com", "viewer", "Bob")
        link = self._get_sent_link()
        self.assertTrue(self.bob.active)
        self.assertEqual(self.bob._get_portal_role(), "viewer")
        self._choose_password(self._open_link(link), "Another-12345")
        self.assertActivated(self.bob, "Another-12345")

    def test_account_that_staff_made_is_not_deleted_with_the_invitation(self):
        self.bob.portal_activation_date = False
        self._end()
        self._invite_member("bob@example.com", "buyer", "Bob")
        self._get_sent_link()
        self._do("withdraw", member=self._get_key("Bob"))
        self._send_invitations()
        self.assertTrue(self.bob.exists())
        self.assertFalse(self.bob.active)

    def test_decline_deletes_no_account_that_was_used(self):
        self._record_login(self.bob)
        self._end()
        self._invite_member("bob@example.com", "buyer", "Bob")
        self._get_sent_link()
        self.env["res.users"]._decline_portal_account(
            self.bob.login, self.bob.partner_id, self.env["sale.order"]
        )
        self.assertTrue(self.bob.exists())
        self.assertFalse(self.bob.active)

    def test_old_password_does_not_work_after_that(self):
        self._end()
        self._invite_member("bob@example.com", "buyer", "Bob")
        self._get_sent_link()
        self._open_browser()
        self._log_in(self.bob.login, PASSWORD)
        self.assertFalse(self._is_logged_in())

    def test_whom_staff_archived_stays_archived(self):
        self._end()
        self.bob.active = True
        self.bob.active = False
        self._as(self.anna)
        self._invite_member("bob@example.com", "buyer", "Bob")
        self.assertFalse(self._send_invitations())
        self.assertFalse(self.bob.active)

    def test_whom_another_company_ended_stays_archived(self):
        self._end()
        self.bob.partner_id.parent_id = self.zeta
        self._as(self.zoe)
        self._invite_member("bob@example.com", "buyer", "Bob")
        self.assertFalse(self._send_invitations())
        self.assertFalse(self.bob.active)

    def test_ended_administrator_manages_nobody(self):
        ada = self._create_member("Ada", "administrator")
        self._as(ada)
        token = http.Request.csrf_token(self)
        ada._end_portal_access(self.anna.partner_id)
        self._post(action="end", member=f"user-{self.bob.id}", csrf_token=token)
        self.assertTrue(self.bob.active)
