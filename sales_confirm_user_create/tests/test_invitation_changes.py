from functools import partial

from odoo.tests import new_test_user, tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestInvitationChanges(PortalAccountCommon):
    """What becomes of an invitation when the account, contact or order changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, "clerk", "base.group_user,base.group_partner_manager"
        )

    def _get_wizard(self):
        """Return the customer's line of Odoo's wizard *Grant portal access*."""
        Wizard = self.env["portal.wizard"].with_context(active_ids=self.customer.ids)
        return Wizard.create({}).user_ids

    def _get_mails(self, action):
        """Return what Odoo sends during an action."""
        with self.mock_mail_gateway():
            action()
        return self._mails

    def assertOdooLinkWorks(self, mail):
        token = self._get_link(mail).split("token=")[1].split("&")[0]
        partner = self.env["res.partner"]._get_partner_from_token(token)
        self.assertEqual(partner, self.customer)

    def assertInvitedAllTheSame(self, mail):
        """Odoo's email may be lost, and its link proves nothing: ours follows."""
        self.assertEqual(self._get_invitation().state, "due")
        [invitation] = self._send_invitations()
        self.assertEqual(self._get_link_status(invitation), "valid")
        self.assertOdooLinkWorks(mail)

    def test_password_reset_while_due(self):
        self._confirm_order()
        [mail] = self._get_mails(self.customer.user_ids.action_reset_password)
        self.assertInvitedAllTheSame(mail)

    def test_visitor_who_resets_the_password_gets_the_invitation(self):
        """It asks what was there before; at most one in ten minutes."""
        self._confirm_order()
        visitor = self.env["res.users"].with_user(self.env.ref("base.public_user"))

        def reset():
            visitor.sudo().reset_password(self.customer.email)

        self.assertFalse(self._get_mails(reset))
        [mail] = self._send_invitations()
        self.assertEqual(self._get_link_status(mail), "valid")
        self.assertFalse(self._get_mails(reset))
        self.assertFalse(self._send_invitations())
        with self._later(minutes=11):
            self.assertFalse(self._get_mails(reset))
            self.assertEqual(len(self._send_invitations()), 1)
        self._record_login(self.customer.user_ids)
        self.assertEqual(len(self._get_mails(reset)), 1)

    def test_reset_by_somebody_else_who_is_logged_in_is_the_invitation(self):
        self._confirm_order()
        self._send_invitations()
        other = new_test_user(self.env, "other@example.com", "base.group_portal")
        users = self.env["res.users"].with_user(other).sudo()
        with self._later(minutes=11):
            reset = partial(users.reset_password, self.customer.email)
            self.assertFalse(self._get_mails(reset))
            [mail] = self._send_invitations()
        self.assertEqual(self._get_link_status(mail), "valid")

    def test_re_invite_while_due(self):
        self._confirm_order()
        [mail] = self._get_mails(self._get_wizard().action_invite_again)
        self.assertInvitedAllTheSame(mail)

    def test_password_reset_after_the_invitation_leaves_both_links(self):
        self._confirm_order()
        [invitation] = self._send_invitations()
        [mail] = self._get_mails(self.customer.user_ids.action_reset_password)
        self.assertOdooLinkWorks(mail)
        self.assertEqual(self._get_link_status(invitation), "valid")

    def test_access_revoked_while_due_and_granted_again_is_one_email_of_odoo(self):
        self._confirm_order()
        self._get_wizard().action_revoke_access()
        self.assertFalse(self._send_invitations())
        [mail] = self._get_mails(self._get_wizard().action_grant_access)
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._remind(30))
        self.assertOdooLinkWorks(mail)

    def test_links_of_a_revoked_access_stay_dead(self):
        order = self._confirm_order()
        [old] = self._send_invitations()
        self._get_wizard().action_revoke_access()
        self.assertEqual(self._get_link_status(old), "invalid")
        self._get_mails(self._get_wizard().action_grant_access)
        self.assertEqual(self._get_link_status(old), "invalid")
        with self._later(days=1):
            order.action_resend_portal_invitation()
            [new] = self._send_invitations()
            self.assertEqual(self._get_link_status(old), "invalid")
            self.assertEqual(self._get_link_status(new), "valid")

    def test_user_archived_while_due_and_restored_gets_nothing(self):
        self._confirm_order()
        user = self.customer.user_ids
        user.active = False
        self.assertEqual(self._get_invitation().state, "cancelled")
        user.active = True
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._remind(30))
        self.assertEqual(self._get_invitation().cancel_reason, "access")

    def test_user_archived_and_restored_after_the_email_gets_no_reminder(self):
        self._confirm_order()
        [mail] = self._send_invitations()
        user = self.customer.user_ids
        user.active = False
        user.active = True
        self.assertFalse(self._remind(30))
        self.assertEqual(self._get_link_status(mail), "invalid")

    def test_account_that_became_internal_is_not_invited(self):
        self._confirm_order()
        user = self.customer.user_ids
        user.group_ids = self.env.ref("base.group_user")
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_invitation().state, "cancelled")

    def test_account_activated_while_due_is_not_invited(self):
        self._confirm_order()
        self._record_login(self.customer.user_ids)
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_invitation().state, "activated")

    def _correct_address(self, address="jane@example.org"):
        self.customer.with_user(self.clerk).email = address

    def test_corrected_address_gets_the_email_that_is_due(self):
        order = self._confirm_order()
        self._correct_address()
        self.assertEqual(self.customer.user_ids.login, "jane@example.org")
        self.assertIn("has a new address", self._get_notes(order)[0])
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.org"])
        self.assertEqual(self._get_link_status(mail), "valid")

    def test_corrected_address_ends_the_links_of_the_old_one(self):
        order = self._confirm_order()
        [old] = self._send_invitations()
        self._correct_address()
        self.assertEqual(order.portal_account_state, "due")
        self.assertEqual(self._get_link_status(old), "invalid")
        [new] = self._send_invitations()
        self.assertEqual(order.portal_account_state, "invited")
        self.assertEqual(new["email_to"], ["jane@example.org"])
        self.assertEqual(self._get_link_status(new), "valid")
        self.assertEqual(self._get_link_status(old), "invalid")

    def test_links_of_an_address_stay_dead_when_it_comes_back(self):
        self._confirm_order()
        [mail] = self._send_invitations()
        self._correct_address()
        self._correct_address("jane@example.com")
        self.assertEqual(self.customer.user_ids.login, "jane@example.com")
        self.assertEqual(self._get_link_status(mail), "invalid")

    def test_reminder_goes_to_the_corrected_address(self):
        self._confirm_order()
        self._send_invitations()
        self._correct_address()
        [mail] = self._remind(3)
        self.assertEqual(mail["email_to"], ["jane@example.org"])

    def test_nobody_is_warned_at_either_address(self):
        self._confirm_order()
        self.assertFalse(self._get_mails(self._correct_address))

    def test_address_in_another_spelling_changes_nothing(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        notes = self._get_notes(order)
        self._correct_address("Jane Doe <JANE@example.com>")
        self.assertEqual(self._get_link_status(mail), "valid")
        self.assertEqual(self._get_invitation().state, "sent")
        self.assertEqual(self._get_notes(order), notes)

    def test_login_of_an_activated_account_stays(self):
        order = self._confirm_order()
        user = self.customer.user_ids
        self._record_login(user)
        notes = self._get_notes(order)
        self._correct_address()
        self.assertEqual(user.login, "jane@example.com")
        self.assertEqual(self._get_notes(order), notes)

    def test_login_that_was_another_one_stays(self):
        self._confirm_order()
        user = self.customer.user_ids
        user.login = "jane"
        self._correct_address()
        self.assertEqual(user.login, "jane")

    def test_what_customers_type_moves_no_login(self):
        self._confirm_order()
        [mail] = self._send_invitations()
        user = self.customer.user_ids
        for somebody in (user, self.env.ref("base.public_user")):
            with self.subTest(somebody.login):
                self.customer.with_user(somebody).sudo().write(
                    {"email": f"{somebody.id}@example.org"}
                )
                self.assertEqual(user.login, "jane@example.com")
                self.assertEqual(self._get_link_status(mail), "invalid")

    def assertAccountEnds(self, order, mails=()):
        """Check that nothing more goes to the address, and that the account stays, as
        cancelled, until the setting deletes it."""
        self.assertEqual(self._get_invitation().cancel_reason, "address")
        for mail in mails:
            self.assertEqual(self._get_link_status(mail), "invalid")
        self.assertFalse(self._send_invitations())
        self.assertFalse(self._remind(30))
        self.env["portal.invitation"]._gc_unused_accounts()
        self.assertEqual(order.portal_account_state, "cancelled")
        self.company.portal_account_expiry_days = 1
        with self._later(days=60):
            self.env["portal.invitation"]._gc_unused_accounts()
        self.assertFalse(self._get_users("jane@example.com"))
        self.assertEqual(order.portal_account_state, "none")
        self.assertIn("was deleted", self._get_notes(order)[0])

    def test_address_that_is_another_login_ends_the_account(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        new_test_user(self.env, "jane@example.org", "base.group_portal")
        self._correct_address()
        self.assertEqual(self.customer.user_ids.login, "jane@example.com")
        self.assertEqual(order.portal_account_issue, "other_contact")
        self.assertIn("Another contact", self._get_notes(order)[0])
        self.assertAccountEnds(order, [mail])

    def test_address_that_is_another_spelling_of_a_login_ends_the_account(self):
        order = self._confirm_order()
        new_test_user(self.env, "Jane@Example.ORG", "base.group_portal")
        self._correct_address()
        self.assertEqual(order.portal_account_issue, "other_contact")
        self.assertAccountEnds(order)

    def test_address_of_an_archived_login_ends_the_account(self):
        order = self._confirm_order()
        new_test_user(self.env, "jane@example.org", "base.group_portal").active = False
        self._correct_address()
        self.assertAccountEnds(order)

    def test_address_that_is_the_login_of_another_website_is_followed(self):
        self._confirm_order()
        website = self.env["website"].create({"name": "Other"})
        website.specific_user_account = True
        user = new_test_user(self.env, "other@example.org", "base.group_portal")
        user.partner_id.website_id = user.website_id = website
        user.login = "jane@example.org"
        website_less = self.customer.user_ids
        self._correct_address()
        self.assertEqual(website_less.login, "jane@example.org")

    def test_address_that_cannot_be_delivered_to_ends_the_account(self):
        order = self._confirm_order()
        self._correct_address("jane at example.org")
        self.assertAccountEnds(order)
        self._correct_address("jane@example.net")
        order.with_user(self.salesperson).action_create_portal_account()
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.net"])

    def test_address_corrected_in_two_steps_is_followed(self):
        order = self._confirm_order()
        [old] = self._send_invitations()
        with self._later(hours=1):
            for address in (False, "jane@example.org"):
                self._correct_address(address)
            order.with_user(self.salesperson).action_resend_portal_invitation()
            [new] = self._send_invitations()
        self.assertEqual(new["email_to"], ["jane@example.org"])
        self.assertEqual(self._get_link_status(new), "valid")
        self.assertEqual(self._get_link_status(old), "invalid")

    def test_address_that_comes_back_is_invited_on_request(self):
        order = self._confirm_order()
        self._correct_address(False)
        self._correct_address("jane@example.com")
        order.with_user(self.salesperson).action_resend_portal_invitation()
        [mail] = self._send_invitations()
        self.assertEqual(self._get_link_status(mail), "valid")

    def test_anonymised_contact_gets_nothing(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        self.customer.write({"name": "Anonymous", "email": False})
        self.assertEqual(self._get_invitation().state, "cancelled")
        self.assertAccountEnds(order, [mail])

    def test_contact_anonymised_while_due_gets_nothing(self):
        order = self._confirm_order()
        self.customer.write({"name": "Anonymous", "email": False})
        self.assertAccountEnds(order)

    def test_account_that_staff_granted_ends_and_stays(self):
        user = new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            password=False,
            partner_id=self.customer.id,
        )
        order = self._confirm_order()
        order.action_resend_portal_invitation()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_users SET create_date = create_date - interval '1 day' "
            "WHERE id = %s",
            [user.id],
        )
        self.env.invalidate_all()
        self._correct_address(False)
        self.assertEqual(self._get_invitation().cancel_reason, "address")
        self.env["portal.invitation"]._gc_unused_accounts()
        self.assertTrue(user.exists().active)

    def _merge_customer(self, address):
        """Merge the customer into a contact with an address."""
        contact = self._create_customer("Jane D.", address)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer + contact).ids, contact)
        self.env.invalidate_all()
        self.assertEqual(contact.user_ids.login, "jane@example.com")
        return contact

    def test_contact_merged_into_another_address_gets_no_reminder(self):
        self._confirm_order()
        self._send_invitations()
        contact = self._merge_customer("jane@example.org")
        self.assertFalse(self._remind(3))
        self.assertFalse(self._remind(30))
        self.assertEqual(self._get_invitation(contact).cancel_reason, "address")

    def test_contact_merged_into_the_same_address_is_reminded(self):
        self._confirm_order()
        self._send_invitations()
        self._merge_customer("jane@example.com")
        self.assertEqual(len(self._remind(3)), 1)
