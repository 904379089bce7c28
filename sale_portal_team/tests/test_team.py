from lxml import html

from odoo import Command, fields
from odoo.tests import new_test_user

from ..models.team.member import list_members
from .common import TeamCommon


class TestTeam(TeamCommon):
    """The page of a company's people."""

    def test_administrator_sees_everybody_of_the_company(self):
        self._as(self.anna)
        rows = self._get_rows()
        self.assertEqual(list(rows), ["Anna", "Bob", "Vera"])
        self.assertIn("bob@example.com Active", rows["Bob"])
        self.assertIn("(you)", rows["Anna"])
        self.assertIn("Last login", rows["Anna"])

    def test_others_see_their_role_and_nobody(self):
        for user, text in (
            (self.bob, "your own documents"),
            (self.vera, "ask Anna"),
        ):
            with self.subTest(user.name):
                self._as(user)
                page = self.url_open("/my/team").text
                self.assertIn(text, page)
                self.assertFalse(self._get_rows())

    def test_page_says_what_a_viewer_with_own_documents_sees(self):
        for is_own, text in ((False, "all documents"), (True, "your own documents")):
            self.vera.portal_own_documents = is_own
            self._as(self.vera)
            page = self.url_open("/my/team").text
            self.assertIn(f"You see {text}", page)
            self.assertIn("ask Anna", page)

    def test_colleague_without_a_name_breaks_no_page(self):
        self.bob.partner_id.write({"type": "other", "name": False})
        self._as(self.anna)
        self.assertIn("bob@example.com", self._get_rows())

    def test_buyer_reads_who_else_sees_the_documents(self):
        self._as(self.bob)
        text = html.fromstring(self.url_open("/my/team").text).text_content()
        self.assertIn("Who else sees your documents: Anna, Vera", text)

    def test_account_page_has_a_card_for_people_of_companies(self):
        for user, shown in ((self.anna, True), (self.bob, True)):
            self._as(user)
            self.assertEqual("/my/team" in self.url_open("/my").text, shown)
        self.bob.partner_id.parent_id = False
        self._as(self.bob)
        self.assertNotIn("/my/team", self.url_open("/my").text)
        self.assertTrue(self.url_open("/my/team").url.endswith("/my"))

    def test_visitor_logs_in(self):
        self._open_browser()
        self.assertIn("/web/login", self.url_open("/my/team").url)

    def test_search_finds_names_and_addresses(self):
        self._as(self.anna)
        self.assertEqual(list(self._get_rows("VERA@")), ["Vera"])
        self.assertEqual(list(self._get_rows("an")), ["Anna"])
        self.assertFalse(self._get_rows("nobody"))

    def test_search_is_offered_from_twenty_people_on(self):
        self._as(self.anna)
        self.assertNotIn('aria-label="Name or email"', self.url_open("/my/team").text)
        for number in range(17):
            self._create_member(f"M{number}", "buyer")
        self.assertIn('aria-label="Name or email"', self.url_open("/my/team").text)

    def test_number_of_queries_does_not_grow(self):
        requests = self.env["portal.team.request"]

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            list_members(self.acme.sudo(), requests._find_open(self.acme))
            return self.env.cr.sql_log_count - before

        count()  # what Odoo caches
        few = count()
        for number in range(20):
            self._create_member(f"M{number}", "buyer")
        count()
        self.assertEqual(count(), few)

    def test_page_of_500_people_takes_no_more_queries(self):
        self._as(self.anna)

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(self.url_open("/my/team").status_code, 200)
            return self.env.cr.sql_log_count - before

        count()  # what Odoo caches
        few = count()
        partners = self.env["res.partner"].create(
            [{"name": f"M{n}", "parent_id": self.acme.id} for n in range(500)]
        )
        users = self.env["res.users"].with_context(no_reset_password=True)
        users = users.create(
            [
                {
                    "login": f"m{partner.id}@example.com",
                    "partner_id": partner.id,
                    "group_ids": [Command.set(self.anna.group_ids.ids)],
                    "portal_activation_date": fields.Datetime.now(),
                }
                for partner in partners
            ]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_users SET portal_role = 'buyer', portal_team_id = %s "
            "WHERE id = ANY(%s)",
            [self.acme.id, users.ids],
        )
        count()
        self.assertLessEqual(count(), few)
        self.assertIn("M499", self.url_open("/my/team").text)

    def test_role_is_changed(self):
        self._as(self.anna)
        said = self._do("role", member=self._get_key("Bob"), role="viewer")
        self.assertIn("role has been changed", said)
        self.assertEqual(self.bob._get_portal_role(), "viewer")

    def test_user_without_role_gets_one(self):
        otto = self._create_member("Otto", False)
        self._as(self.anna)
        self._do("role", member=self._get_key("Otto"), role="buyer")
        self.assertEqual(otto._get_portal_role(), "buyer")

    def test_administrator_who_sees_own_documents_makes_buyers_only(self):
        self.anna.portal_own_documents = True
        self._as(self.anna)
        response = self._post(
            action="role", member=f"user-{self.bob.id}", role="viewer"
        )
        self.assertEqual(response.status_code, 403)
        self.assertEqual(self.bob._get_portal_role(), "buyer")

    def test_last_administrator_keeps_the_role(self):
        self._as(self.anna)
        for action, data in (
            ("role", {"member": f"user-{self.anna.id}", "role": "buyer"}),
            ("end", {"member": f"user-{self.anna.id}"}),
            ("leave", {}),
        ):
            with self.subTest(action):
                self.assertIn(
                    "somebody else an administrator", self._do(action, **data)
                )
        self.assertEqual(self.anna._get_portal_role(), "administrator")
        self.assertTrue(self.anna.active)

    def test_administrator_who_never_logged_in_is_none_yet(self):
        ada = self._create_member("Ada", "administrator", portal_activation_date=False)
        self._as(self.anna)
        self.assertIn("somebody else an administrator", self._do("leave"))
        ada.portal_activation_date = fields.Datetime.now()
        self._do("leave")
        self.assertFalse(self.anna.active)

    def test_ids_of_others_do_nothing(self):
        alone = self._create_customer("Alone", "alone@example.com")
        before = self.env["res.users"].search_count([])
        self._as(self.anna)
        for number in (self.zoe.id, self.salesperson.id, 1, 2, 0, 999999999):
            for action in ("role", "end", "withdraw", "resend"):
                for kind in ("request", "user"):
                    key = f"{kind}-{number}"
                    self._do(action, member=key, role="viewer")
        for key in ("", "user", "user-", "user--1", "user-1.5", "user-" + "9" * 40):
            self._do("end", member=key)
        self.assertEqual(self.env["res.users"].search_count([]), before)
        self.assertEqual(self.zoe._get_portal_role(), "administrator")
        self.assertTrue(alone.exists())

    def test_forged_form_does_nothing(self):
        self._as(self.anna)
        data = {"action": "end", "member": f"user-{self.bob.id}", "csrf_token": "x"}
        self.assertEqual(self.url_open("/my/team", data=data).status_code, 400)
        self.assertEqual(
            self.url_open(f"/my/team?action=end&member=user-{self.bob.id}").status_code,
            200,
        )
        self.env.invalidate_all()
        self.assertTrue(self.bob.active)

    def test_unknown_values_are_no_error(self):
        self._as(self.anna)
        self.assertTrue(self._do("nothing"))
        self.assertTrue(self._do("end", active="1", portal_role="administrator"))
        response = self.url_open(
            "/my/team",
            data={"csrf_token": self._get_form_token(), "action": "invite"},
            files={"name": b"x", "email": b"y"},
        )
        self.assertIn("Enter a name", response.text)

    def _get_form_token(self):
        page = html.fromstring(self.url_open("/my/team").text)
        return page.xpath("//input[@name='csrf_token']/@value")[0]

    def test_buyer_and_viewer_manage_nobody(self):
        for user in (self.bob, self.vera):
            self._as(user)
            for action in ("invite", "role", "end", "resend", "withdraw"):
                response = self._post(
                    action=action,
                    member=f"user-{self.anna.id}",
                    role="buyer",
                    name="Dora",
                    email="dora@example.com",
                )
                self.assertEqual(response.status_code, 403, action)
        self.assertTrue(self.anna.active)

    def test_what_fails_changes_nothing(self):
        own = new_test_user(
            self.env, "own@example.com", "base.group_portal", partner_id=self.acme.id
        )
        self._as(self.anna)
        said = self._do("role", member=f"user-{own.id}", role="administrator")
        self.assertIn("have a role", said)
        self.assertFalse(own.portal_role)
        self.assertFalse(own.portal_team_id)
