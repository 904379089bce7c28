from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessDenied, ConcurrencyError
from odoo.tests import new_test_user, tagged

from .common import PortalAccountCommon

PASSWORD = "Secret-12345"


@tagged("post_install", "-at_install")
class TestProof(PortalAccountCommon):
    """Who has proven to read the emails to a login, and what ends with a change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env, "jane@example.com", "base.group_portal", email="jane@example.com"
        )

    def _add_api_key(self, user, name="Robot"):
        expiry = fields.Datetime.now() + timedelta(days=1)
        self.env["res.users.apikeys"].with_user(user).sudo()._generate(
            None, name, expiry
        )
        self.env.invalidate_all()

    def _get_contact_notes(self, user):
        return " ".join(user.partner_id.message_ids.mapped("body"))

    def test_activation_proves_the_mailbox(self):
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        user = order.partner_id.user_ids
        self.assertFalse(user._get_proof_date())
        user._activate_portal_account(PASSWORD)
        self.env.invalidate_all()
        self.assertTrue(user._get_proof_date())

    def test_new_login_is_proven_by_nobody(self):
        self.portal_user._on_mailbox_proven("search")
        self.assertTrue(self.portal_user._get_proof_date())
        self.portal_user.login = "other@example.com"
        self.assertFalse(self.portal_user._get_proof_date())
        self.portal_user.login = "jane@example.com"
        self.assertFalse(self.portal_user._get_proof_date())

    def test_login_changed_by_sql_is_proven_by_nobody(self):
        self.portal_user._on_mailbox_proven("search")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_users SET login = 'other@example.com' WHERE id = %s",
            [self.portal_user.id],
        )
        self.env.invalidate_all()
        self.assertFalse(self.portal_user._get_proof_date())

    def test_credential_added_during_the_proof_starts_it_anew(self):
        """The transaction of the proof does not see it."""
        user = self.env.ref("base.demo_user0")
        self.assertFalse(user.api_key_ids)
        with self.registry.cursor() as cr:
            other = user.with_env(self.env(cr=cr, user=user.id))
            keys = other.env["res.users.apikeys"].sudo()
            expiry = fields.Datetime.now() + timedelta(days=1)
            keys._generate(None, "Planted", expiry)
        self.addCleanup(self._remove_planted)
        with self.assertRaises(ConcurrencyError):
            user._on_mailbox_proven("search")

    def _remove_planted(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM res_users_apikeys WHERE name = 'Planted'")

    def test_links_of_odoo_end_with_the_login(self):
        """A second *Reset Password* accepts the first link again, in Odoo alone."""
        partner = self.portal_user.partner_id
        partner.signup_prepare(signup_type="reset")
        token = partner._generate_signup_token()
        self.assertEqual(partner._get_partner_from_token(token), partner)
        self.portal_user.login = "victim@example.com"
        partner.signup_prepare(signup_type="reset")
        self.assertFalse(partner._get_partner_from_token(token))
        self.portal_user.login = "jane@example.com"
        partner.signup_prepare(signup_type="reset")
        self.assertFalse(partner._get_partner_from_token(token))
        new = partner._generate_signup_token()
        self.assertEqual(partner._get_partner_from_token(new), partner)

    def test_links_of_odoo_end_with_the_first_proof(self):
        """Somebody with a passkey had one sent to an address of theirs by then."""
        partner = self.portal_user.partner_id
        partner.email = "me@evil.test"
        partner.signup_prepare(signup_type="reset")
        token = partner._generate_signup_token()
        partner.email = "jane@example.com"
        self.portal_user._on_mailbox_proven("search")
        partner.signup_prepare(signup_type="reset")
        self.assertFalse(partner._get_partner_from_token(token))

    def test_our_links_end_with_the_login(self):
        self._confirm_order()
        user = self.customer.user_ids
        self.assertFalse(user)  # it is jane@example.com's
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        [mail] = self._send_invitations()
        self.assertEqual(self._get_link_status(mail), "valid")
        user = order.partner_id.user_ids
        user.login = "other@example.com"
        user.login = "new@example.com"
        self.assertEqual(self._get_link_status(mail), "invalid")

    def test_password_set_before_a_correction_is_gone(self):
        """Odoo's *Reset Password* sets it without a login: nobody has used the account,
        and its login follows the address."""
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        partner = order.partner_id
        user = partner.user_ids
        partner.signup_prepare(signup_type="reset")
        token = partner._generate_signup_token()
        self.env["res.users"].signup({"password": PASSWORD}, token)
        self._add_api_key(user)
        partner.email = "victim@example.com"
        self.env.invalidate_all()
        self.assertEqual(user.login, "victim@example.com")
        self.assertFalse(user.api_key_ids)
        for interactive in (True, False):
            with self.assertRaises(AccessDenied):
                self.env["res.users"].authenticate(
                    {"type": "password", "login": user.login, "password": PASSWORD},
                    {"interactive": interactive},
                )

    def _create_account_with_password(self, email):
        """Return the user of an account that a reset has set a password of."""
        partner = self._confirm_order(self._create_customer("New", email)).partner_id
        partner.signup_prepare(signup_type="reset")
        token = partner._generate_signup_token()
        self.env["res.users"].signup({"password": PASSWORD}, token)
        return partner.user_ids

    def _has_password(self, user):
        self.env.flush_all()
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        return bool(self.env.cr.fetchone()[0])

    def test_password_set_before_an_administrator_changes_the_login(self):
        user = self._create_account_with_password("new@example.com")
        self.assertTrue(self._has_password(user))
        user.login = "victim@example.com"
        self.assertFalse(self._has_password(user))
        user.write({"login": "other@example.com", "password": PASSWORD})
        self.assertTrue(self._has_password(user))

    def _merge_into_customer(self, partner):
        """Merge a contact into another one by Odoo's wizard."""
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [(6, 0, (self.customer + partner).ids)],
                "dst_partner_id": self.customer.id,
            }
        ).action_merge()
        self.env.invalidate_all()

    def test_password_set_before_a_merge(self):
        user = self._create_account_with_password("new@example.com")
        self.customer.email = "victim@example.com"
        self._merge_into_customer(user.partner_id)
        self.assertEqual(user.partner_id, self.customer)
        self.assertFalse(self._has_password(user))

    def test_links_of_accounts_with_one_login_stay(self):
        """Those mailed before the addon was there, too."""
        partner = self.portal_user.partner_id
        partner.signup_prepare()
        token = partner._generate_signup_token()
        self.portal_user.login = "jane@example.com"
        self.assertEqual(partner._get_partner_from_token(token), partner)

    def test_unproven_are_removed_but_for_those_kept(self):
        self._add_api_key(self.portal_user, "Robot")
        self._add_api_key(self.portal_user, "Mine")
        keys = {item.name: item.key for item in self.portal_user._get_unproven()}
        self.assertEqual(set(keys), {"API key: Robot", "API key: Mine"})
        self.portal_user._on_mailbox_proven("search", [keys["API key: Mine"]])
        self.env.invalidate_all()
        self.assertEqual(self.portal_user.api_key_ids.mapped("name"), ["Mine"])
        notes = self._get_contact_notes(self.portal_user)
        self.assertIn("API key: Robot", notes)
        self.assertIn("Kept: API key: Mine", notes)

    def test_credentials_added_after_the_proof_stay(self):
        self.portal_user._on_mailbox_proven("search")
        self._add_api_key(self.portal_user)
        self.assertFalse(self.portal_user._get_unproven())
        self.portal_user._on_mailbox_proven("search")
        self.assertEqual(len(self.portal_user.api_key_ids), 1)

    def test_activation_removes_what_was_there_before(self):
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        user = order.partner_id.user_ids
        self._add_api_key(user)
        user._activate_portal_account(PASSWORD)
        self.assertFalse(user.api_key_ids)

    def test_other_sessions_end(self):
        now = fields.Datetime.now()
        self.env["res.device.log"].create(
            {
                "session_identifier": "x" * 42,
                "user_id": self.portal_user.id,
                "platform": "linux",
                "browser": "chrome",
                "last_activity": now,
                "revoked": False,
            }
        )
        self.env.invalidate_all()
        [credential] = self.portal_user._get_unproven()
        self.assertIn("Linux Chrome", credential.name)
        self.assertEqual(credential.date, now)
        self.portal_user._on_mailbox_proven("search")
        self.env.invalidate_all()
        self.assertFalse(self.portal_user.device_ids)

    def _create_typed_address(self, partner, **values):
        """Create an address as the checkout does for a visitor."""
        visitor = self.env.ref("base.public_user")
        return (
            self.env["res.partner"]
            .with_user(visitor)
            .sudo()
            .create({"parent_id": partner.id, "type": "invoice", **values})
        )

    def test_addresses_that_somebody_else_typed_are_archived(self):
        """A stranger ordered in the customer's name, and would get the invoices."""
        partner = self._create_customer("New", "new@example.com")
        thief = self._create_typed_address(
            partner, name="Thief", email="billing@evil.test", street="1 Evil Road"
        )
        mine = self._create_typed_address(partner, name="Aunt", type="delivery")
        staff = self._create_customer("S", "s@example.com", parent_id=partner.id)
        user = self._confirm_order(partner).partner_id.user_ids
        keys = {item.name: item.key for item in user._get_unproven()}
        self.assertEqual(
            set(keys),
            {"Address: Thief, 1 Evil Road, billing@evil.test", "Address: Aunt"},
        )
        user._activate_portal_account(PASSWORD, [keys["Address: Aunt"]])
        self.assertFalse(thief.active)
        self.assertTrue(mine.active and staff.active)
        self._sign_up_by_mailed_link(thief)
        order = self._create_order(partner)
        self.assertEqual(order.partner_invoice_id, partner)

    def _sign_up_by_mailed_link(self, address):
        """Use the link that Odoo mailed with an invoice; it gives another contact."""
        address.signup_prepare()
        token = address._generate_signup_token()
        values = {"login": address.email, "password": PASSWORD}
        self.env["website"].get_current_website().auth_signup_uninvited = "b2c"
        self.env["res.users"].signup(values, token)
        self.assertFalse(address.with_context(active_test=False).user_ids)

    def test_address_that_the_customer_removed_comes_not_back(self):
        partner = self._create_customer("New", "new@example.com")
        thief = self._create_typed_address(partner, name="T", email="bill@evil.test")
        user = self._confirm_order(partner).partner_id.user_ids
        thief.active = False
        user._activate_portal_account(PASSWORD)
        self._sign_up_by_mailed_link(thief)
        self.assertFalse(thief.active)

    def test_open_orders_and_cards_leave_removed_addresses(self):
        partner = self._create_customer("New", "new@example.com")
        thief = self._create_typed_address(partner, name="T", email="bill@evil.test")
        user = self._confirm_order(partner).partner_id.user_ids
        quotation = self._create_order(partner)
        self.assertEqual(quotation.partner_invoice_id, thief)
        cards = self.env["payment.token"].create(
            [
                {
                    "provider_id": self.env.ref("payment.payment_provider_demo").id,
                    "payment_method_id": self.env.ref("payment.payment_method_card").id,
                    "partner_id": owner.id,
                    "provider_ref": "test",
                    "payment_details": "1111",
                }
                for owner in (thief, partner)
            ]
        )
        names = [item.name for item in user._get_unproven()]
        self.assertIn(f"Saved card: {cards[1].display_name}", names)
        user._activate_portal_account(PASSWORD)
        self.assertEqual(quotation.partner_invoice_id, partner)
        self.assertFalse(any(cards.mapped("active")))

    def test_open_carts_are_deleted(self):
        """Odoo goes on with the open cart of a contact, whoever has filled it."""
        website = self.env["website"].get_current_website()
        partner = self._create_customer("New", "new@example.com")
        cart = self._create_order(partner, website_id=website.id)
        quotation = self._create_order(partner)
        order = self._confirm_order(partner)
        partner.user_ids._activate_portal_account(PASSWORD)
        self.assertFalse(cart.exists())
        self.assertEqual((quotation.state, order.state), ("draft", "sale"))

    def test_company_keeps_the_carts_and_links_of_its_people(self):
        website = self.env["website"].get_current_website()
        company = self._create_customer("Acme", "acme@example.com", is_company=True)
        person = self._create_customer("P", "p@example.com", parent_id=company.id)
        cart = self._create_order(person, website_id=website.id)
        token = cart._portal_ensure_token()
        self._confirm_order(company).partner_id.user_ids._activate_portal_account(
            PASSWORD
        )
        self.assertEqual(cart.exists().access_token, token)

    def test_link_of_before_a_merge_is_dead(self):
        """A stranger looks like a customer, and staff merge the two."""
        order = self._confirm_order(self._create_customer("M", "fool@evil.test"))
        [mail] = self._send_invitations()
        self.assertEqual(self._get_link_status(mail), "valid")
        self._merge_into_customer(order.partner_id)
        self.assertEqual(self._get_link_status(mail), "invalid")

    def test_user_of_another_contact_is_proven_by_nobody(self):
        self.portal_user._on_mailbox_proven("search")
        other = self._create_customer("Other", "jane@example.com")
        self.portal_user.partner_id = other
        self.assertFalse(self.portal_user._get_proof_date())

    def test_addresses_typed_at_sign_up_are_asked_for_too(self):
        """Before the first proof, nobody knows who that was."""
        partner = self.portal_user.partner_id
        self._record_login(self.portal_user)
        address = (
            self.env["res.partner"]
            .with_user(self.portal_user)
            .sudo()
            .create({"name": "Planted", "type": "invoice", "parent_id": partner.id})
        )
        new_test_user(
            self.env,
            "thief@evil.test",
            "base.group_portal",
            name="Planted",
            partner_id=address.id,
        )
        [item] = self.portal_user._get_unproven()
        self.assertEqual(item.name, "Address: Planted, thief@evil.test")
        self.portal_user._on_mailbox_proven("search")
        self.assertFalse(address.parent_id)
        self.assertEqual(self._create_order(partner).partner_invoice_id, partner)

    def test_any_number_of_addresses_is_one_question_and_one_write(self):
        partner = self._create_customer("New", "new@example.com")
        for number in range(23):
            self._create_typed_address(partner, name=f"Address {number}")
        user = self._confirm_order(partner).partner_id.user_ids
        items = user._get_unproven()
        self.assertEqual(len(items), 21)
        self.assertEqual(items[-1].name, "3 more addresses")
        user._activate_portal_account(PASSWORD, [items[0].key])
        self.assertEqual(partner.child_ids.mapped("name"), ["Address 22"])

    def test_links_of_documents_end_with_the_first_proof(self):
        """Whoever ordered in the customer's name has them."""
        partner = self.portal_user.partner_id
        order, cart = self._confirm_order(partner), self._create_order(partner)
        guest = self._confirm_order(self._create_customer("G", "g@example.com"))
        order.order_line.qty_delivered = 1
        documents = [order, cart, order._create_invoices()]
        tokens = [document._portal_ensure_token() for document in [*documents, guest]]
        self.portal_user._on_mailbox_proven("search")
        for document, token in zip(documents, tokens, strict=False):
            self.assertNotEqual(document._portal_ensure_token(), token)
        self.assertEqual(guest.access_token, tokens[-1])

    def test_invoices_of_removed_addresses_stay_the_customers(self):
        partner = self._create_customer("New", "new@example.com")
        address = self._create_typed_address(partner, name="Office")
        order = self._create_order(partner, partner_invoice_id=address.id)
        order.action_confirm()
        order.order_line.qty_delivered = 1
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.partner_id, address)
        user = partner.user_ids
        user._activate_portal_account(PASSWORD)
        self.assertFalse(address.active)
        self.assertTrue(invoice.with_user(user).has_access("read"))

    def test_login_changed_by_staff_lets_the_former_owner_in_no_more(self):
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        user = order.partner_id.user_ids
        user._activate_portal_account(PASSWORD)
        self._record_login(user)
        self._add_api_key(user)
        user.write({"login": "other@example.com"})
        self.assertFalse(self._has_password(user) or user.api_key_ids)

    def test_staff_are_told_that_a_used_account_keeps_its_login(self):
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        user = order.partner_id.user_ids
        user._activate_portal_account(PASSWORD)
        self._record_login(user)
        order.partner_id.email = "other@example.com"
        self.assertEqual(user.login, "new@example.com")
        self.assertIn("still logs in as new@example.com", self._get_contact_notes(user))

    def test_account_whose_emails_go_elsewhere_is_proven_by_nobody(self):
        self.portal_user._on_mailbox_proven("search")
        self.portal_user.partner_id.email = "thief@evil.test"
        self.assertFalse(self.portal_user._get_proof_date())
        # somebody else may have been in it by then
        self.portal_user.partner_id.email = "jane@example.com"
        self.assertFalse(self.portal_user._get_proof_date())

    def test_another_spelling_of_the_address_is_proven(self):
        self.portal_user._on_mailbox_proven("search")
        self.portal_user.partner_id.email = "Jane <Jane@example.com>"
        self.assertTrue(self.portal_user._get_proof_date())

    def test_corrected_address_leaves_the_delivery_alone(self):
        """The order on its way has it; the customer is asked at the activation."""
        order = self._confirm_order(self._create_customer("New", "new@example.com"))
        partner = order.partner_id
        aunt = self._create_typed_address(partner, name="Aunt", type="delivery")
        partner.email = "corrected@example.com"
        self.assertEqual(partner.user_ids.login, "corrected@example.com")
        self.assertTrue(aunt.active)
        self.assertEqual(len(partner.user_ids._get_unproven()), 1)

    def test_company_keeps_its_people(self):
        """They signed up, or ordered as guests, before staff put them there."""
        company = self._create_customer("Acme", "acme@example.com", is_company=True)
        guest, bob = (
            self._create_typed_address(company, name=name, type=kind)
            for name, kind in (("Guest", "contact"), ("Bob", "invoice"))
        )
        new_test_user(
            self.env, "bob@example.com", "base.group_portal", partner_id=bob.id
        )
        user = self._confirm_order(company).partner_id.user_ids
        user._activate_portal_account(PASSWORD)
        self.assertTrue(guest.active)
        self.assertEqual((guest + bob).parent_id, company)

    def test_session_is_known_though_it_is_used_since(self):
        values = {
            "session_identifier": "x" * 42,
            "user_id": self.portal_user.id,
            "platform": "linux",
            "browser": "chrome",
            "revoked": False,
        }
        keys = set()
        for minutes in (0, 1):
            now = fields.Datetime.now() + timedelta(minutes=minutes)
            self.env["res.device.log"].create({**values, "last_activity": now})
            self.env.invalidate_all()
            [item] = self.portal_user._get_unproven()
            keys.add(item.key)
        self.assertEqual(len(keys), 1)

    def test_user_of_a_typed_address_sees_nothing_of_the_customer(self):
        """Odoo mails a sign-up link with the invoice to that address."""
        partner = self._create_customer("New", "new@example.com")
        address = self._create_typed_address(
            partner, name="Thief", email="billing@evil.test"
        )
        order = self._confirm_order(partner)
        thief = new_test_user(
            self.env, "billing@evil.test", "base.group_portal", partner_id=address.id
        )
        self.assertEqual(address.commercial_partner_id, partner)
        self.assertFalse(order.with_user(thief).has_access("read"))
        self.assertFalse(partner.with_user(thief).has_access("read"))
        partner.user_ids._activate_portal_account(PASSWORD)
        self.assertFalse(address.parent_id)

    def test_notifications_of_other_browsers_end(self):
        """They would show what is written to the customer."""
        device = self.env["mail.push.device"].create(
            {
                "endpoint": "https://evil.test/push",
                "keys": "{}",
                "partner_id": self.portal_user.partner_id.id,
            }
        )
        [item] = self.portal_user._get_unproven()
        self.assertEqual(item.name, "Notifications: evil.test")
        self.portal_user._on_mailbox_proven("search")
        self.assertFalse(device.exists())

    def test_second_factor_and_trusted_devices_are_removed(self):
        if "totp_secret" not in self.portal_user._fields:
            self.skipTest("auth_totp is not installed")
        user = self.portal_user.sudo()
        user.totp_secret = "A" * 32
        user.env["auth_totp.device"].with_user(user).sudo()._generate(
            "browser", "Firefox", fields.Datetime.now() + timedelta(days=1)
        )
        self.env.invalidate_all()
        names = [credential.name for credential in user._get_unproven()]
        self.assertIn("Two-factor authentication", names)
        self.assertIn("Trusted device: Firefox", names)
        user._on_mailbox_proven("search")
        self.env.invalidate_all()
        self.assertFalse(user.totp_enabled)
        self.assertFalse(user.totp_trusted_device_ids)

    def test_passkeys_are_removed(self):
        if "auth_passkey_key_ids" not in self.portal_user._fields:
            self.skipTest("auth_passkey is not installed")
        self.env["auth.passkey.key"].with_user(self.portal_user).sudo().create(
            {"name": "Laptop", "credential_identifier": "x"}
        )
        self.env.invalidate_all()
        names = [c.name for c in self.portal_user._get_unproven()]
        self.assertEqual(names, ["Passkey: Laptop"])
        self.portal_user._on_mailbox_proven("search")
        self.env.invalidate_all()
        self.assertFalse(self.portal_user.auth_passkey_key_ids)

    def test_logins_of_providers_are_removed(self):
        if "oauth_uid" not in self.portal_user._fields:
            self.skipTest("auth_oauth is not installed")
        user = self.portal_user.sudo()
        user.oauth_uid = "123"
        [credential] = user._get_unproven()
        self.assertIn("Log in with", credential.name)
        user._on_mailbox_proven("search")
        self.assertFalse(user.oauth_uid)
