from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessDenied, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import email_normalize, mute_logger

from odoo.addons.auth_signup.models.res_partner import SignupError

from .common import PortalAccountCommon

PASSWORD = "Secret-12345"
# What people, or their programs, make of jane@example.com.
SPELLINGS = (
    "JANE@Example.COM",
    "  jane@example.com ",
    "jane@example.com;",
    "Jane Doe <jane@example.com>",
    '"Doe, Jane" <Jane@example.com>',
    "\u200bjane@example.com",
)
# Kelvin sign, Cyrillic letter, an invisible joiner
LOOK_ALIKES = (
    "\u212aate@example.com",
    "kаte@example.com",
    "ka\u200dte@example.com",
)


@tagged("post_install", "-at_install")
class TestSignUp(PortalAccountCommon):
    """Visitors who sign up by themselves, with any spelling of an address."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].get_current_website()
        cls.website.auth_signup_uninvited = "b2c"

    @contextmanager
    def _rolled_back(self):
        """Undo what is done, for the next case to start as this one."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()

    def _sign_up(self, login):
        """Do what the page does; return the login that it logs in with."""
        values = {"login": login, "name": "Visitor", "password": PASSWORD}
        return self.env["res.users"].signup(values)[0]

    def _log_in(self, login):
        """Return the user who logs in; nobody is an error."""
        credential = {"type": "password", "login": login, "password": PASSWORD}
        info = self.env["res.users"].authenticate(credential, {"interactive": False})
        return self.env["res.users"].browse(info["uid"])

    def test_login_that_a_module_writes_in_another_form_is_taken(self):
        """As OCA's `auth_user_case_insensitive` does."""
        users = type(self.env["res.users"])
        create = users.create

        def create_lower(self, vals_list):
            vals_list = [vals | {"login": vals["login"].lower()} for vals in vals_list]
            return create(self, vals_list)

        new_test_user(self.env, "jörg@example.com", "base.group_portal")
        with (
            patch.object(users, "create", create_lower),
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(SignupError, "already registered"),
        ):
            self._sign_up("JÖRG@example.com")

    def test_contact_of_a_company_sees_what_the_settings_say(self):
        """Also who signs up by the link of an order, as after deleting an account."""
        company = self._create_customer("Company", "co@example.com", is_company=True)
        for setting, is_own in (("own", True), ("all", False), ("none", True)):
            self.company.search([]).portal_company_contacts = setting
            contact = self._create_customer(
                "Jane", f"{setting}@example.com", parent_id=company.id
            )
            contact.signup_prepare()
            token = contact._generate_signup_token()
            values = {"login": contact.email, "password": PASSWORD}
            self.env["res.users"].signup(values, token)
            self.assertEqual(contact.user_ids.portal_own_documents, is_own, setting)

    def test_link_of_an_old_order_opens_no_account_that_was_there(self):
        """Odoo shows its link to whoever placed the order."""
        partner = self._create_customer("Jane", "jane2@example.com")
        for end in ("archived", "deleted", "deactivated"):
            with self.subTest(end), self._rolled_back():
                self._create_order(partner).action_confirm()
                user = partner.user_ids
                if end == "archived":
                    user.active = False
                elif end == "deleted":
                    user.unlink()
                else:
                    user._deactivate_portal_user()
                partner.signup_prepare()
                token = partner._generate_signup_token()
                values = {"login": "thief@evil.test", "password": PASSWORD}
                self.env["res.users"].signup(values, token)
                thief = self._get_users("thief@evil.test")
                self.assertNotEqual(thief.partner_id, partner)
                self.assertEqual(thief.name, "thief@evil.test")

    def _reset_password(self, login):
        """Ask for a new password; return the address that the email goes to."""
        with self.mock_mail_gateway(mail_unlink_sent=True):
            self.env["res.users"].reset_password(login)
        [mail] = self._mails
        [address] = mail["email_to"]
        return email_normalize(address)

    def _create_guest_order(self, email="jane@example.com"):
        order = self._create_order(self._create_customer("Guest", email))
        order.action_confirm()
        return order

    def test_login_is_stored_normalised(self):
        for spelling in SPELLINGS:
            with self.subTest(spelling), self._rolled_back():
                self.assertEqual(self._sign_up(spelling), "jane@example.com")
                self.assertTrue(self._get_users("jane@example.com"))

    def test_everybody_logs_in_with_what_they_typed(self):
        for spelling in (*SPELLINGS, *LOOK_ALIKES):
            with self.subTest(spelling), self._rolled_back():
                user = self._get_users(self._sign_up(spelling))
                self.assertEqual(self._log_in(spelling), user)

    def test_everybody_resets_the_password_with_what_they_typed(self):
        for spelling in SPELLINGS:
            with self.subTest(spelling), self._rolled_back():
                self._sign_up(spelling)
                for typed in (spelling, "jane@example.com"):
                    self.assertEqual(self._reset_password(typed), "jane@example.com")

    def test_account_is_the_one_of_the_guest_with_the_address(self):
        for spelling in SPELLINGS:
            with self.subTest(spelling), self._rolled_back():
                self._sign_up(spelling)
                order = self._create_guest_order()
                self.assertEqual(order.portal_account_issue, "other_contact")

    def test_invited_customer_who_signs_up_is_sent_to_the_invitation(self):
        self._create_guest_order()
        for spelling in SPELLINGS:
            with self.subTest(spelling), self._rolled_back():
                with self.assertRaisesRegex(UserError, "There is an account"):
                    self._sign_up(spelling)
                [mail] = self._send_invitations()
                self.assertEqual(mail["email_to"], ["jane@example.com"])

    def test_customer_with_an_account_is_refused_and_can_reset_the_password(self):
        new_test_user(self.env, "jane@example.com", "base.group_portal")
        for spelling in SPELLINGS:
            with self.subTest(spelling), self._rolled_back():
                with self.assertRaises(SignupError):
                    self._sign_up(spelling)
                self.assertEqual(self._reset_password(spelling), "jane@example.com")

    def test_look_alike_is_another_person(self):
        for stranger in LOOK_ALIKES:
            with self.subTest(stranger), self._rolled_back():
                self._sign_up(stranger)
                order = self._create_guest_order("kate@example.com")
                self.assertTrue(order.user_created)
                self.assertEqual(order.partner_id.user_ids.login, "kate@example.com")

    def test_look_alike_does_not_keep_anybody_from_signing_up(self):
        for stranger in LOOK_ALIKES:
            with self.subTest(stranger), self._rolled_back():
                self._sign_up(stranger)
                self.assertEqual(self._sign_up("kate@example.com"), "kate@example.com")
                user = self._log_in("kate@example.com")
                self.assertEqual(user.login, "kate@example.com")
                self.assertEqual(self._reset_password(user.login), "kate@example.com")

    def test_domain_in_another_alphabet_is_the_same_person(self):
        for login in ("jane@bücher.example", "jane@xn--bcher-kva.example"):
            for email in ("jane@BÜCHER.example", "jane@XN--bcher-kva.example"):
                with self.subTest(login=login, email=email), self._rolled_back():
                    self._sign_up(login)
                    order = self._create_guest_order(email)
                    self.assertEqual(order.portal_account_issue, "other_contact")
                    self.assertTrue(self._log_in(login))

    def test_login_that_somebody_has_as_it_is_stays_theirs(self):
        users = new_test_user(
            self.env, "Jane@Example.com", "base.group_portal", password=PASSWORD
        ) + new_test_user(
            self.env, "jane@example.com", "base.group_portal", password=PASSWORD
        )
        for user in users:
            self.assertEqual(self._log_in(user.login), user)

    def test_archived_login_does_not_open_another_account(self):
        new_test_user(
            self.env, "Jane@Example.com", "base.group_portal", password=PASSWORD
        ).active = False
        new_test_user(
            self.env, "jane@example.com", "base.group_portal", password=PASSWORD
        )
        with self.assertRaises(AccessDenied):
            self._log_in("Jane@Example.com")

    def test_login_that_is_no_address_stays_as_it_is(self):
        self.assertEqual(self._sign_up("Jane Doe"), "Jane Doe")
        self.assertEqual(self._log_in("Jane Doe").login, "Jane Doe")
        with self.assertRaises(AccessDenied):
            self._log_in("jane doe")

    def test_customer_who_deleted_the_account_signs_up_again(self):
        self._create_guest_order()
        old = self._get_users("jane@example.com")
        old._deactivate_portal_user()
        self.assertEqual(self._sign_up("jane@example.com"), "jane@example.com")
        self.assertNotEqual(self._log_in("jane@example.com"), old)

    def test_customer_who_deleted_the_account_orders_again(self):
        """Odoo archives the user, and removes it days later."""
        old = self._create_guest_order().partner_id.user_ids
        old._deactivate_portal_user()
        self.assertTrue(old.exists())
        order = self._create_guest_order()
        self.assertNoAccount(order, "declined")
        self.assertFalse(self._send_invitations())
