from datetime import timedelta

from .common import TeamCommon


class TestKnown(TeamCommon):
    """No administrator learns whose addresses the shop knows, or reaches people of
    other companies by what was begun in the own one."""

    def setUp(self):
        super().setUp()
        self._as(self.anna)

    def _invite_both(self, role="buyer"):
        """Invite somebody new, and somebody whom the shop knows."""
        self._create_customer("Guest", "guest@example.com")
        self._invite_member(role=role)
        self._invite_member("guest@example.com", role, "Guest")
        self._send_invitations()

    def _find_contacts(self, email):
        """Return the contacts that an administrator finds over RPC."""
        partners = self.env["res.partner"].with_user(self.anna).sudo(False)
        return partners.with_context(active_test=False).search([("email", "=", email)])

    def test_contact_elsewhere_with_a_domain_as_people_write_it(self):
        self._create_customer("Guest", "guest@münchen.de")
        self._invite_member("guest@xn--mnchen-3ya.de")
        self.assertFalse(self._send_invitations())

    def test_withdrawal_looks_the_same_before_the_job(self):
        self._invite_both()
        for name in ("Dora", "Guest"):
            self._do("withdraw", member=self._get_key(name))
            self.assertNotIn(name, self._get_rows())

    def test_withdrawal_leaves_no_contact(self):
        self._invite_both()
        for name in ("Dora", "Guest"):
            self._do("withdraw", member=self._get_key(name))
        self._send_invitations()
        self.assertFalse(self._find_contacts("dora@example.com"))

    def test_withdrawal_leaves_a_contact_that_was_there(self):
        contact = self._create_customer(
            "Dora", "dora@example.com", parent_id=self.acme.id
        )
        self._invite_both()
        self._do("withdraw", member=self._get_key("Dora"))
        self._send_invitations()
        self.assertEqual(self._find_contacts("dora@example.com"), contact)

    def test_invitations_go_with_the_inviter(self):
        self._create_member("Ada", "administrator")
        self._invite_both()
        self.assertTrue(self._get_user())
        self.anna.unlink()
        self.assertFalse(self._get_user())
        self.assertFalse(self.env["portal.team.request"].search([]))

    def test_invitation_that_cannot_create_an_account_tells_staff(self):
        self.env["ir.config_parameter"].set_param("base.template_portal_user_id", 0)
        self._as(self.anna)
        self._invite_member()
        self._send_invitations()
        self.assertFalse(self._get_user())
        self.assertIn("template for new portal users", self._get_texts(self.acme)[0])

    def test_withdrawal_leaves_a_contact_that_a_visitor_made(self):
        contact = self._create_customer(
            "Dora", "dora@example.com", parent_id=self.acme.id
        )
        self.env.cr.execute(
            "UPDATE res_partner SET create_uid = %s, create_date = '2020-01-01' "
            "WHERE id = %s",
            (self.env.ref("base.public_user").id, contact.id),
        )
        self.env.invalidate_all()
        self._invite_both()
        self._do("withdraw", member=self._get_key("Dora"))
        self._send_invitations()
        self.assertEqual(self._find_contacts("dora@example.com"), contact)

    def test_decline_leaves_no_contact(self):
        self._invite_both()
        user = self._get_user()
        self.env["res.users"]._decline_portal_account(
            user.login, user.partner_id, self.env["sale.order"]
        )
        self.assertFalse(self._find_contacts("dora@example.com"))

    def test_buyer_reads_nobody_before_the_first_login(self):
        self._invite_both("viewer")
        self._as(self.bob)
        self.assertNotIn("Dora", self.url_open("/my/team").text)

    def test_user_before_the_first_login_is_found_by_no_number(self):
        self._invite_both()
        user = self._get_user()
        said = self._do("role", member=f"user-{user.id}", role="viewer")
        self.assertIn("The list has changed", said)
        self._do("end", member=f"user-{user.id}")
        self.assertTrue(user.active)

    def test_list_says_the_same_after_a_month(self):
        self._create_customer("Guest", "guest@example.com")
        self._invite_member("guest@example.com", name="Guest")
        self._invite_member()
        link = self._get_sent_link()
        requests = self.env["portal.team.request"]
        self.env.cr.execute(
            "UPDATE portal_team_request SET write_date = write_date - %s",
            [timedelta(days=31)],
        )
        requests._transient_vacuum()
        self.assertFalse(requests.search([]))
        self.assertFalse({"Dora", "Guest"} & self._get_rows().keys())
        self.assertFalse(self._get_user())
        self.assertIn("does not work", self._get_heading(self._open_link(link)))
        self._as(self.anna)
        # and the next invitation starts anew
        self._invite_member(role="viewer")
        self.assertTrue(self._send_invitations())
        self.assertEqual(self._get_user()._get_portal_role(), "viewer")

    def test_who_moved_before_the_first_login_is_left_alone(self):
        for action in ("resend", "role", "withdraw"):
            self._invite_member(f"{action}@example.com", "administrator", action)
            self._send_invitations()
            user = self._get_user(f"{action}@example.com")
            user.partner_id.parent_id = self.zeta
            self.env.cr.execute(
                "UPDATE portal_team_request SET create_date = create_date - %s",
                [timedelta(minutes=11)],
            )
            self.env.invalidate_all()
            key = self._get_key(action)
            self._do(action, member=key, role="administrator")
            self.assertFalse(self._send_invitations(), action)
            self.assertTrue(user.exists().active, action)
            self.assertFalse(user._get_portal_role(), action)

    def test_employee_by_now_is_not_deleted(self):
        self._invite_member()
        self._send_invitations()
        user = self._get_user()
        user.write({"portal_role": False})
        user.write({"group_ids": [(6, 0, self.env.ref("base.group_user").ids)]})
        self._do("withdraw", member=self._get_key("Dora"))
        self._send_invitations()
        self.assertTrue(user.exists().active)

    def test_nobody_is_mailed_again_by_withdrawing(self):
        self._invite_member()
        self._send_invitations()
        self._do("withdraw", member=self._get_key("Dora"))
        self.assertIn("less than ten minutes", self._invite_member())
        self.assertFalse(self._send_invitations())

    def test_user_without_role_comes_back(self):
        otto = self._create_member("Otto", False)
        self._do("end", member=self._get_key("Otto"))
        self.assertIn("Ended", self._get_rows()["Otto"])
        self._invite_member("otto@example.com", "buyer", "Otto")
        self._send_invitations()
        self.assertTrue(otto.active)
        self.assertEqual(otto._get_portal_role(), "buyer")

    def test_role_of_another_company_does_not_come_with_an_end(self):
        self.zoe.partner_id.parent_id = self.acme
        self._do("end", member=self._get_key("Zoe"))
        self.zoe.active = True
        self.assertFalse(self.zoe._get_portal_role())

    def test_colleague_reads_orders_of_a_returning_person(self):
        order = self._create_quotation(self.bob)
        self._do("end", member=self._get_key("Bob"))
        self._invite_member("bob@example.com", "buyer", "Bob")
        self._send_invitations()
        self.assertFalse(self.bob.portal_activation_date)
        for url in ("/my/quotes", f"/my/orders/{order.id}"):
            response = self.url_open(url)
            self.assertEqual(response.status_code, 200)
            self.assertIn(order.name, response.text)

    def test_names_of_arguments_are_no_error(self):
        self.assertTrue(self._do("nothing", user_sudo="1", company_sudo="1"))
