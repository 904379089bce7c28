from datetime import timedelta
from unittest.mock import patch

from lxml import html

from odoo import fields
from odoo.exceptions import UserError

from odoo.addons.sales_confirm_user_create.models.activation.portal_invitation import (
    DECLINE_SCOPE,
)

from .common import TeamCommon

SAME = (
    "If this address can be invited, an email is on its way. If nothing arrives, "
    "contact us."
)


class TestInvite(TeamCommon):
    """How people come."""

    def setUp(self):
        super().setUp()
        self._as(self.anna)

    def _age(self, **delta):
        """Have the invitations be older."""
        requests = self.env["portal.team.request"].search([])
        self.env.cr.execute(
            "UPDATE portal_team_request SET create_date = create_date - %s "
            "WHERE id = ANY(%s)",
            [timedelta(**delta), requests.ids],
        )
        self.env.invalidate_all()

    def _limit(self, name, value):
        key = f"sale_portal_team.{name}"
        self.env["ir.config_parameter"].set_param(key, value)

    def test_person_is_invited_and_activates(self):
        self.assertEqual(self._invite_member(), SAME)
        self.assertIn("Invited until", self._get_rows()["Dora"])
        response = self._open_link(self._get_sent_link())
        self._choose_password(response)
        user = self._get_user()
        self.assertActivated(user)
        self.assertEqual(user._get_portal_role(), "buyer")
        self.assertEqual(user.partner_id.parent_id, self.acme)

    def test_email_says_who_invites_and_what_is_seen(self):
        self._invite_member(role="viewer")
        [mail] = self._send_invitations()
        text = html.fromstring(str(mail["body"])).text_content()
        self.assertEqual(mail["subject"], "Anna invites you to the account of Acme")
        self.assertIn("Anna invites you to the account of Acme", text)
        self.assertIn("You see all orders", text)
        self.assertIn("Didn't expect this email?", text)

    def test_names_in_the_email_become_no_links(self):
        self.anna.name = "Go to https://evil.example now\nor evil\u3002com"
        self._invite_member()
        [mail] = self._send_invitations()
        self.assertNotIn("https://evil", str(mail["body"]))
        self.assertNotIn("evil.example", str(mail["body"]))
        self.assertNotRegex(mail["subject"], "\n|\u3002")

    def test_reminder_is_sent(self):
        self._invite_member()
        self._send_invitations()
        [mail] = self._remind(4)
        self.assertIn("Anna invites you to the account of Acme", mail["subject"])
        self.assertIn("Didn't expect this email?", str(mail["body"]))

    def test_order_as_a_guest_is_no_reason_to_join(self):
        self._invite_member()
        self._send_invitations()
        guest = self._create_customer("Dora", "dora@example.com")
        invitation = self._get_user().portal_invitation_ids
        with self._later(days=2):
            self._create_order(guest).action_confirm()
            self.assertFalse(self._send_invitations())
        self.assertFalse(invitation.order_id)
        own = self._create_order(self._get_user().partner_id)
        with self._later(days=3):
            own.action_confirm()
            [mail] = self._send_invitations()
        self.assertIn(own.name, str(mail["body"]))

    def test_who_unsubscribes_is_not_invited_again(self):
        self._invite_member()
        self._send_invitations()
        invitation = self._get_user().portal_invitation_ids
        link = invitation._sign_link(
            "", DECLINE_SCOPE, [invitation.id, invitation.login]
        )
        invitation._unsubscribe(link.partition("token=")[2])
        self._age(minutes=11)
        self._do("resend", member=self._get_key("Dora"))
        self.assertFalse(self._send_invitations())
        self._do("withdraw", member=self._get_key("Dora"))
        self._age(minutes=11)
        self._invite_member()
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._get_user())

    def test_contact_with_two_addresses_is_not_invited(self):
        self._create_customer(
            "Dora", "dora@example.com, d@example.com", parent_id=self.acme.id
        )
        self._invite_member()
        self.assertFalse(self._send_invitations())
        self.assertIn("several email addresses", self._get_texts(self.acme)[0])

    def test_template_that_is_deleted_keeps_nobody_out(self):
        self.env.ref("sale_portal_team.mail_template_portal_team").unlink()
        self._invite_member()
        [mail] = self._send_invitations()
        self.assertIn("Activate", mail["subject"])

    def test_contact_of_the_company_is_used(self):
        contact = self._create_customer(
            "Dora Dorn", "Dora@Example.com", parent_id=self.acme.id
        )
        self._invite_member()
        self._send_invitations()
        self.assertEqual(self._get_user().partner_id, contact)
        self.assertEqual(contact.name, "Dora Dorn")

    def _assert_refused(self, email):
        """The page says the same, shows the same, and nothing else happens."""
        users = self.env["res.users"].with_context(active_test=False)
        partners = self.env["res.partner"].with_context(active_test=False)
        before = users.search_count([]), partners.search_count([])
        self.assertEqual(self._invite_member(email), SAME)
        self.assertIn("Invited until", self._get_rows()["Dora"])
        self.assertFalse(self._send_invitations())
        self.assertEqual((users.search_count([]), partners.search_count([])), before)
        self.assertIn("Invited until", self._get_rows()["Dora"])
        note = self._get_texts(self.acme)[0]
        self.assertIn("Nothing was done", note)

    def test_user_elsewhere_is_not_invited(self):
        self._assert_refused("ZOE@example.com")

    def test_employee_is_not_invited(self):
        self._assert_refused("salesperson@example.com")

    def test_contact_elsewhere_is_not_invited(self):
        self._create_customer("Guest", "guest@example.com")
        self._assert_refused("guest@EXAMPLE.com")

    def test_shop_is_not_invited(self):
        self._assert_refused("shop@example.com")

    def test_archived_user_is_not_invited(self):
        self.zoe.active = False
        self._assert_refused("zoe@example.com")

    def test_archived_colleague_is_not_invited(self):
        self.bob.active = False
        self._assert_refused("bob@example.com")

    def test_contact_of_a_subsidiary_is_not_invited(self):
        below = self._create_customer(
            "Acme South", "south@example.com", is_company=True, parent_id=self.acme.id
        )
        self._create_customer("Sue", "sue@example.com", parent_id=below.id)
        self._assert_refused("sue@example.com")

    def test_who_declined_is_not_invited(self):
        self.env["portal.decline"]._remember("dora@example.com", self.customer)
        self._assert_refused("dora@example.com")

    def test_who_declines_is_gone_and_looks_the_same(self):
        self._invite_member()
        self._send_invitations()
        user = self._get_user()
        self.env["res.users"]._decline_portal_account(
            user.login, user.partner_id, self.env["sale.order"]
        )
        self.assertFalse(self._get_user())
        self.assertIn("Invited until", self._get_rows()["Dora"])

    def test_who_is_in_the_list_is_not_invited_twice(self):
        self.assertIn("in the list", self._invite_member("BOB@example.com"))
        self._invite_member()
        self.assertIn("in the list", self._invite_member("dora@EXAMPLE.com"))

    def test_bad_input_is_said(self):
        for email in ("", "dora", "a@example.com, b@example.com", "a@" + "x" * 400):
            self.assertIn("valid email", self._invite_member(email))
        self.assertIn("Enter a name", self._invite_member(name=" \0"))
        self.assertIn("Enter a name", self._invite_member(name="x" * 65))
        self.assertIn("Choose a role", self._invite_member(role="owner"))
        self.assertFalse(self.env["portal.team.request"].search([]))

    def test_page_keeps_what_was_typed(self):
        response = self._post(action="invite", name="<b>", email="bad", role="viewer")
        form = html.fromstring(response.text).xpath("//input[@id='team_name']")[0]
        self.assertEqual(form.get("value"), "<b>")

    def test_role_of_an_invited_person_is_changed(self):
        self._invite_member()
        self._do("role", member=self._get_key("Dora"), role="viewer")
        self._send_invitations()
        self.assertEqual(self._get_user()._get_portal_role(), "viewer")
        self._do("role", member=self._get_key("Dora"), role="buyer")
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_user()._get_portal_role(), "buyer")

    def test_invitation_is_withdrawn(self):
        self._invite_member()
        link = self._get_sent_link()
        self._do("withdraw", member=self._get_key("Dora"))
        self._send_invitations()
        self.assertFalse(self._get_user())
        self.assertNotIn("Dora", self._get_rows())
        self.assertIn("does not work", self._get_heading(self._open_link(link)))

    def test_invitation_is_withdrawn_before_it_is_sent(self):
        self._invite_member()
        self._do("withdraw", member=self._get_key("Dora"))
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._get_user())

    def test_email_is_sent_again_after_ten_minutes(self):
        self._invite_member()
        self._send_invitations()
        key = self._get_key("Dora")
        self.assertIn("less than ten minutes", self._do("resend", member=key))
        self._age(minutes=11)
        self.assertEqual(self._do("resend", member=key), SAME)
        self.assertEqual(len(self._send_invitations()), 1)
        self.assertEqual(list(self._get_rows()).count("Dora"), 1)

    def test_address_is_invited_three_times_a_day(self):
        for _time in range(3):
            self.assertEqual(self._invite_member(), SAME)
            self._do("withdraw", member=self._get_key("Dora"))
            self._age(minutes=11)
        self.assertIn("three times", self._invite_member())
        self._age(days=1)
        self.assertEqual(self._invite_member(), SAME)

    def test_email_is_not_sent_again_over_the_limit_and_stays_open(self):
        self._invite_member()
        key = self._get_key("Dora")
        self._age(minutes=11)
        self._limit("daily", 1)
        self.assertIn("reached a limit", self._do("resend", member=key))
        self.assertIn("Dora", self._get_rows())

    def test_template_can_be_saved_whatever_invitations_there_are(self):
        self._confirm_order()
        template = self.env.ref("sale_portal_team.mail_template_portal_team")
        template.body_html = template.body_html + " "

    def test_invitation_expires_whether_or_not_it_was_sent(self):
        self._invite_member()
        self._invite_member("zoe@example.com", name="Zoe")
        self._send_invitations()
        self._age(days=7)
        rows = self._get_rows()
        self.assertIn("expired", rows["Dora"])
        self.assertIn("expired", rows["Zoe"])

    def test_inviter_who_is_no_administrator_any_more_invites_nobody(self):
        self._invite_member()
        self.anna.portal_role = "viewer"
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._get_user())

    def test_request_ends_with_a_merge_of_its_company(self):
        self._invite_member()
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.acme + self.zeta).ids, self.zeta, extra_checks=False
        )
        self.env.invalidate_all()
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._get_user())
        self._as(self.zoe)
        self.assertNotIn("Dora", self._get_rows())

    def test_people_are_limited(self):
        self._limit("people", 4)
        self._invite_member()
        self.assertIn("reached a limit: 4", self._invite_member("eve@example.com"))

    def test_open_invitations_are_limited(self):
        self._limit("open", 1)
        self._invite_member()
        self.assertIn("1 open", self._invite_member("eve@example.com"))
        self._send_invitations()
        self.assertIn("1 open", self._invite_member("eve@example.com"))
        self._get_user().portal_activation_date = fields.Datetime.now()
        self.assertEqual(self._invite_member("eve@example.com"), SAME)

    def test_invitations_of_a_day_are_limited_also_if_they_are_withdrawn(self):
        self._limit("daily", 1)
        self._invite_member()
        self._do("withdraw", member=self._get_key("Dora"))
        self.assertIn("1 invitations in 24", self._invite_member("eve@example.com"))
        self._age(hours=25)
        self.assertEqual(self._invite_member("eve@example.com"), SAME)

    def test_portal_users_find_nobody_before_the_first_login(self):
        self._invite_member()
        self._send_invitations()
        user = self._get_user()
        for date, found in ((False, False), (fields.Datetime.now(), True)):
            user.portal_activation_date = date
            for record in (user, user.partner_id):
                domain = [("id", "=", record.id)]
                records = record.sudo(False).with_user(self.anna).search(domain)
                self.assertEqual(bool(records), found)

    def test_new_user_has_no_more_than_the_inviter(self):
        self._invite_member(role="administrator")
        self._send_invitations()
        user = self._get_user()
        self.assertTrue(user._is_portal())
        self.assertLessEqual(user.company_ids, self.anna.company_ids)
        self.assertEqual(user.group_ids, self.anna.group_ids)

    def test_all_changes_are_noted(self):
        self._invite_member()
        self._send_invitations()
        note = self.acme.message_ids.filtered(lambda m: "Invited Dora" in m.body)
        self.assertEqual(note.author_id, self.anna.partner_id)
        self.assertIn("dora@example.com: Buyer", note.body)

    def test_reason_of_another_app_is_noted(self):
        self._invite_member()
        users, error = self.env.registry["res.users"], UserError("Too many users.")
        with patch.object(users, "_create_portal_users", side_effect=error):
            self._send_invitations()
        self.assertIn("Nothing was done: Too many", self._get_texts(self.acme)[0])
