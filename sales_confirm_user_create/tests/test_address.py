from hashlib import shake_256

from odoo.tests import new_test_user, tagged

from odoo.addons.base.models.ir_mail_server import extract_rfc2822_addresses

from ..tools import get_deliverable_address
from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestAddress(PortalAccountCommon):
    """Which addresses get an account, and which login it has."""

    def _confirm(self, email):
        """Return a confirmed order of a new customer with an address."""
        order = self._create_order(self._create_customer("Guest", email))
        order.action_confirm()
        return order

    def assertLogin(self, email, login):
        """A customer with the address gets an account, and the email reaches it."""
        order = self._confirm(email)
        self.assertEqual(order.partner_id.user_ids.login, login)
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], [login])
        # the gateway of the tests takes more than Odoo's mail server
        self.assertEqual(extract_rfc2822_addresses(login), [login])
        invitation = self._get_invitation(order.partner_id)
        self.assertEqual(invitation.sent_count, 1)
        self.assertFalse(invitation.failure)

    def assertUndeliverable(self, email):
        """A customer with the address gets no account, and the order says why."""
        order = self._confirm(email)
        self.assertEqual(order.portal_account_issue, "invalid_email")
        self.assertFalse(order.partner_id.user_ids)
        self.assertNoAccount(order, "Correct it")

    def test_spelling_does_not_matter(self):
        self.assertLogin(' "Jane Doe" <JANE@Example.COM> ', "jane@example.com")

    def test_several_addresses_are_nobody(self):
        """Odoo mails a new password to all of them: to whose account?"""
        new_test_user(self.env, "victim@example.com", "base.group_portal")
        for email in (
            "victim@example.com, me@evil.test",
            "victim@example.com; me@evil.test",
            "victim@example.com <me@evil.test>",
            "victim@example.com me@evil.test",
            '"victim@example.com" <me@evil.test>',
            "victim@example.com\nme@evil.test",
        ):
            with self.subTest(email):
                order = self._confirm(email)
                self.assertEqual(order.portal_account_issue, "several_addresses")
                self.assertFalse(order.partner_id.user_ids)
                self.assertNoAccount(order, "Keep one")

    def test_correction_to_one_of_several_addresses(self):
        order = self._confirm("jane@example.com, john@example.com")
        order.partner_id.email = "jane@example.com"
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertEqual(order.partner_id.user_ids.login, "jane@example.com")

    def test_unused_account_of_a_contact_with_two_addresses_ends(self):
        order = self._confirm("jane@example.com")
        order.partner_id.email = "jane@example.com, john@example.com"
        self.assertFalse(self._send_invitations())
        self.assertEqual(self._get_invitation(order.partner_id).state, "cancelled")

    def test_longer_texts_are_no_address(self):
        name = "J" * 300
        self.assertLogin(f"{name} <jane@x.com>", "jane@x.com")
        for text in (
            f"{name}{name} <jane@x.com>",
            "\u200b" * 100_000 + "jane@x.com",
            "(" * 1000,
            "(" * 300 + "@x",
        ):
            with self.subTest(text[:30]):
                self.assertIs(get_deliverable_address(text), False)

    def test_domain_in_another_alphabet_is_sent_as_mail_servers_know_it(self):
        self.assertLogin("Jane@BÜCHER.example", "jane@xn--bcher-kva.example")
        for spelling in ("jane@bücher.example", "jane@xn--bcher-kva.example"):
            with self.subTest(spelling):
                order = self._confirm(spelling)
                self.assertEqual(order.portal_account_issue, "other_contact")

    def test_login_with_a_domain_in_another_alphabet_is_the_same_person(self):
        new_test_user(self.env, "jane@bücher.example", "base.group_portal")
        for spelling in ("jane@Bücher.example", "jane@xn--bcher-kva.example"):
            order = self._confirm(spelling)
            self.assertEqual(order.portal_account_issue, "other_contact")

    def test_invisible_characters_around_are_left_out(self):
        for number, spelling in enumerate(
            (
                "\u200b%s\u200b",  # zero-width space
                "\ufeff%s",  # byte order mark
                "%s\u00a0",  # no-break space
                "\u202a%s\u202c",  # direction
                "\u2068%s\u2069",  # isolate
                "\u00ad%s\u2060",  # soft hyphen, word joiner
            )
        ):
            address = f"jane.{number}@example.com"
            with self.subTest(spelling=ascii(spelling)):
                self.assertLogin(spelling % address.upper(), address)

    def test_invisible_characters_within_are_not_guessed_away(self):
        for email in ("ja\u200bne@example.com", "jane\u00a0@example.com"):
            with self.subTest(email=ascii(email)):
                self.assertUndeliverable(email)

    def test_address_that_odoo_does_not_deliver_to(self):
        for email in (
            '"jane doe"@example.com',
            '"jane"@example.com',
            "@example.com",
            "jane..doe@example.com",
            ".jane@example.com",
            "jane.@example.com",
            "jane@example..com",
            "jane@example.com.",
            f"{'j' * 65}@example.com",
            f"jane@{'e' * 290}.com",
            f"jane@{'ü' * 60}.com",
        ):
            with self.subTest(email=email):
                self.assertUndeliverable(email)

    def test_login_of_odoo_that_is_no_good_address_is_still_the_account(self):
        new_test_user(self.env, "jane..doe@example.com", "base.group_portal")
        order = self._confirm("jane..doe@example.com")
        self.assertEqual(order.portal_account_issue, "other_contact")

    def test_long_address_is_saved(self):
        # one letter, 3,000 times, would be compressed to what an index can hold
        email = f"{shake_256(b'').hexdigest(1500)}@example.com"
        partner = self._create_customer("Guest", email)
        self.env.flush_all()
        self.assertEqual(partner.email_normalized, email)
        self.assertUndeliverable(email)

    def test_upper_case_beyond_ascii_is_compared_the_same_way_everywhere(self):
        self.assertLogin("JÜRGEN@Example.com", "jÜrgen@example.com")
        for spelling in ("JÜRGEN@EXAMPLE.com", "jÜrgen@example.com"):
            with (
                self.subTest(spelling),
                self.assertNoLogs("odoo.addons.sales_confirm_user_create"),
            ):
                order = self._confirm(spelling)
                self.assertEqual(order.portal_account_issue, "other_contact")

    def test_upper_case_beyond_ascii_in_one_batch(self):
        orders = self._create_orders(
            self._create_customer("First", "JÜRGEN@example.com")
            + self._create_customer("Second", "jÜrgen@example.com")
        )
        orders.action_confirm()
        self.assertEqual(
            orders.mapped("portal_account_issue"), [False, "other_contact"]
        )

    def test_look_alike_is_another_person(self):
        for login, email in (
            ("kate@example.com", "\u212aate@example.com"),  # Kelvin sign
            ("kаte2@example.com", "kate2@example.com"),  # Cyrillic letter
            ("å@example.com", "\u212b@example.com"),  # Angstrom sign
        ):
            with self.subTest(email=ascii(email)):
                new_test_user(self.env, login, "base.group_portal")
                order = self._confirm(email)
                self.assertTrue(order.user_created)
                self.assertEqual(order.partner_id.user_ids.login, email)
