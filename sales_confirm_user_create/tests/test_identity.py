from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestIdentity(PortalAccountCommon):
    """One account for each person, and never somebody else's."""

    def test_login_in_upper_case_is_the_same_person(self):
        user = new_test_user(
            self.env, " JANE@Example.COM ", "base.group_portal", email=False
        )
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(user.portal_invitation_ids)
        self.assertEqual(order.portal_account_issue, "other_contact")

    def test_employee_whose_contact_has_the_address_is_the_same_person(self):
        employee = new_test_user(
            self.env, "jd", "base.group_user", email='"J" <JANE@EXAMPLE.com>'
        )
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertFalse(self.customer.user_ids)
        self.assertEqual(self._get_users("jd"), employee)

    def test_address_that_a_portal_user_typed_is_ignored(self):
        """Anybody can type anything into their own contact."""
        stranger = new_test_user(self.env, "stranger", "base.group_portal")
        # as the portal does
        stranger.partner_id.with_user(stranger).sudo().email = "jane@example.com"
        order = self._create_order()
        order.action_confirm()
        self.assertTrue(order.user_created)
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_to"], ["jane@example.com"])
        with self.mock_mail_gateway(mail_unlink_sent=True):
            self.env["res.users"].reset_password("jane@example.com")
        [mail] = self._mails
        self.assertIn(self.customer.name, mail["body"])
        self.assertNotIn(stranger.name, mail["body"])

    def test_owner_of_an_address_that_a_portal_user_typed_signs_up(self):
        new_test_user(
            self.env, "stranger", "base.group_portal", email="jane@example.com"
        )
        self.env["website"].get_current_website().auth_signup_uninvited = "b2c"
        values = {"login": "jane@example.com", "name": "Jane", "password": "Secret-1"}
        self.env["res.users"].signup(values)
        self.assertTrue(self._get_users("jane@example.com"))

    def test_archived_user_whose_contact_has_the_address_is_ignored(self):
        for groups in ("base.group_user", "base.group_portal"):
            with self.subTest(groups):
                address = f"{groups}@example.com"
                former = new_test_user(self.env, groups, groups, email=address)
                former.active = False
                order = self._create_order(self._create_customer("Jane", address))
                order.action_confirm()
                self.assertTrue(order.user_created)
                self.assertFalse(order.portal_account_issue)
                self.assertFalse(former.active)

    def test_user_with_another_login_is_the_account(self):
        new_test_user(
            self.env, "jd-1", "base.group_portal", partner_id=self.customer.id
        )
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertEqual(self.customer.user_ids.login, "jd-1")
        self.assertFalse(self._send_invitations())

    def test_internal_user_is_not_touched(self):
        employee = new_test_user(self.env, "jane@example.com", "base.group_user")
        groups, companies = employee.group_ids, employee.company_ids
        company = self.env["res.company"].create({"name": "Second company"})
        orders = self._create_order() + self._create_order(
            employee.partner_id, company_id=company.id, order_line=False
        )
        orders.action_confirm()
        self.assertFalse(any(orders.mapped("user_created")))
        self.assertFalse(self.customer.user_ids)
        self.assertEqual(employee.group_ids, groups)
        self.assertEqual(employee.company_ids, companies)
        self.assertFalse(self._send_invitations())

    def test_archived_user_with_the_address_is_not_revived(self):
        user = new_test_user(self.env, "jane@example.com", "base.group_portal")
        user.active = False
        order = self._create_order()
        order.action_confirm()
        self.assertNoAccount(order, "user is archived")
        self.assertFalse(user.active)
        self.assertEqual(self._get_users("jane@example.com"), user)

    def test_archived_user_of_the_contact_is_not_revived(self):
        user = new_test_user(
            self.env, "jd", "base.group_portal", partner_id=self.customer.id
        )
        user.active = False
        self.customer.active = True
        order = self._create_order()
        order.action_confirm()
        self.assertNoAccount(order, "user is archived")
        self.assertFalse(user.active)
        self.assertFalse(self._get_users("jane@example.com"))

    def test_archived_contact_gets_no_account(self):
        order = self._create_order()
        self.customer.active = False
        order.action_confirm()
        self.assertNoAccount(order, "contact is archived")
        self.assertFalse(self.customer.active)

    def test_contacts_of_odoo_itself_never_get_an_account(self):
        public = self.env.ref("base.public_partner")
        public.email = "visitor@example.com"
        robot = self.env.ref("base.partner_root")
        template = self.env.ref("base.template_portal_user_id").partner_id
        template.email = "template@example.com"
        users = self.env["res.users"].with_context(active_test=False).search_count([])
        for partner, reason in (
            (public, "system contact"),
            (robot, "system contact"),
            (template, "user is archived"),
        ):
            with self.subTest(partner=partner.name):
                order = self._create_order(partner)
                order.action_confirm()
                self.assertNoAccount(order, "No portal account", reason)
        self.assertEqual(
            self.env["res.users"].with_context(active_test=False).search_count([]),
            users,
        )
        self.assertFalse(self.env.ref("base.public_user").active)

    def test_two_orders_of_one_customer_in_one_batch(self):
        orders = self._create_order() + self._create_order()
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [True, False])
        self.assertFalse(self._get_notes(orders[1]))
        self.assertEqual(len(self._get_users("jane@example.com")), 1)
        self.assertEqual(len(self._send_invitations()), 1)

    def test_users_of_a_batch_are_created_in_the_order_of_their_logins(self):
        """Two batches with the same customers then wait, and don't lock each other."""
        last, first = (
            self._create_customer(name, f"{name}@example.com") for name in "za"
        )
        self._create_orders(last + first).action_confirm()
        self.assertLess(first.user_ids.id, last.user_ids.id)

    def test_two_contacts_with_one_address_in_one_batch(self):
        twin = self._create_customer("Jane again", "Jane@Example.com")
        orders = self._create_orders(self.customer + twin)
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [True, False])
        self.assertEqual(len(self._get_users("jane@example.com")), 1)
        self.assertFalse(twin.user_ids)
        self.assertEqual(len(self._send_invitations()), 1)

    def test_flag_is_on_the_first_order_however_they_are_sorted(self):
        first, second = self._create_order(), self._create_order()
        (second + first).action_confirm()
        self.assertTrue(first.user_created)
        self.assertFalse(second.user_created)

    def test_contact_of_company_and_colleague_have_accounts_of_their_own(self):
        company = self._create_customer(
            "ACME", "info@acme.example.com", is_company=True
        )
        buyer = self._create_customer(
            "Buyer", "buyer@acme.example.com", parent_id=company.id
        )
        self._create_order(buyer).action_confirm()
        self.assertEqual(buyer.user_ids.login, "buyer@acme.example.com")
        self.assertFalse(company.user_ids)
        colleague = self._create_customer(
            "Colleague", "second@acme.example.com", parent_id=company.id
        )
        order = self._create_order(colleague)
        order.action_confirm()
        self.assertTrue(order.user_created)
        self.assertEqual(colleague.user_ids.login, "second@acme.example.com")

    def test_customer_of_one_company_sees_orders_of_the_other(self):
        first, second = (
            self.company,
            self.env["res.company"].create({"name": "Second company"}),
        )
        self._create_order().action_confirm()
        user = self.customer.user_ids
        order = self._create_order(company_id=second.id, order_line=False)
        with self.assertRaisesRegex(Exception, "access|company|companies"):
            order.with_user(user).check_access("read")
        order.action_confirm()
        self.assertEqual(user.company_ids, first + second)
        self.assertEqual(user.company_id, first)
        order.with_user(user).check_access("read")
        self.assertEqual(
            self.env["sale.order"].with_user(user).search([("id", "=", order.id)]),
            order,
        )


@tagged("post_install", "-at_install")
class TestWebsiteIdentity(PortalAccountCommon):
    """Accounts on websites that share them, and on websites that do not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.websites = cls.env["website"].create(
            [
                {"name": "First", "domain": "https://first.example.com"},
                {"name": "Second", "domain": "https://second.example.com"},
            ]
        )
        cls.first, cls.second = cls.websites

    def _create_guest_order(self, website, email="jane@example.com"):
        guest = self._create_customer("Guest", email)
        if website.specific_user_account:
            guest.website_id = website  # as the checkout does
        return self._create_order(guest, website_id=website.id)

    def test_specific_accounts_are_one_a_website(self):
        self.websites.specific_user_account = True
        orders = self._create_guest_order(self.first) + self._create_guest_order(
            self.second
        )
        for order in orders:
            order.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [True, True])
        users = self._get_users("jane@example.com")
        self.assertEqual(users.website_id, self.websites)
        again = self._create_guest_order(self.first)
        again.action_confirm()
        self.assertFalse(again.user_created)

    def test_specific_accounts_in_one_batch(self):
        self.websites.specific_user_account = True
        orders = self.env["sale.order"]
        for website in self.first + self.second + self.first:
            orders += self._create_guest_order(website)
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [True, True, False])
        self.assertEqual(len(self._get_users("jane@example.com")), 2)

    def test_shared_accounts_are_one_for_all_websites(self):
        orders = self._create_guest_order(self.first) + self._create_guest_order(
            self.second
        )
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [True, False])
        self.assertFalse(self._get_users("jane@example.com").website_id)

    def test_order_of_the_backend_finds_account_of_any_website(self):
        self.first.specific_user_account = True
        self._create_guest_order(self.first).action_confirm()
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)

    def test_order_of_the_backend_is_for_the_website_of_its_customer(self):
        """An account of another website is one that the customer can't log in with."""
        self.websites.specific_user_account = True
        orders = self._create_guest_order(self.first)
        customer = self._create_customer("Jane Doe", "jane@example.com")
        customer.website_id = self.second
        orders += self._create_order(customer) + self._create_order(customer.copy())
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [True, True, False])
        users = self._get_users("jane@example.com").sorted("id")
        self.assertEqual(users.mapped("website_id"), self.websites)
        self.assertEqual(customer.user_ids, users[1])

    def test_access_granted_by_hand_is_of_the_website_of_the_contact(self):
        """Odoo allows so where somebody without a website has the login already."""
        self.first.specific_user_account = True
        new_test_user(self.env, "jane@example.com", "base.group_user")
        self.customer.website_id = self.first
        wizard = self.env["portal.wizard"].create({"partner_ids": self.customer.ids})
        with self.mock_mail_gateway():
            wizard.user_ids.action_grant_access()
        self.assertEqual(self.customer.user_ids.login, "jane@example.com")
        self.assertEqual(self.customer.user_ids.website_id, self.first)

    def test_link_opens_on_the_website_of_the_order(self):
        self.websites.specific_user_account = True
        (
            self._create_guest_order(self.first) + self._create_guest_order(self.second)
        ).action_confirm()
        links = [self._get_link(mail) for mail in self._send_invitations()]
        self.assertEqual(
            sorted(link.split("/web/")[0] for link in links),
            ["https://first.example.com", "https://second.example.com"],
        )

    def test_link_of_a_specific_account_opens_on_its_website(self):
        self.first.specific_user_account = True
        customer = self._create_customer("Jane", "jane@example.com")
        customer.website_id = self.first
        self._create_order(customer).action_confirm()
        [mail] = self._send_invitations()
        self.assertTrue(self._get_link(mail).startswith("https://first.example.com/"))

    def test_company_is_added_to_shared_account_only(self):
        company = self.env["res.company"].create({"name": "Second company"})
        user = new_test_user(
            self.env,
            "jd",
            "base.group_portal",
            partner_id=self.customer.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self._create_order(company_id=company.id, order_line=False).action_confirm()
        self.assertEqual(user.company_ids, self.company + company)

    def test_company_is_added_to_all_accounts_of_a_batch(self):
        company = self.env["res.company"].create({"name": "Second company"})
        partners = self.customer + self._create_customer("John", "john@example.com")
        self._create_orders(partners).action_confirm()
        orders = self.env["sale.order"].browse()
        for partner in partners:
            orders += self._create_order(
                partner, company_id=company.id, order_line=False
            )
        orders.action_confirm()
        for user in partners.user_ids:
            self.assertEqual(user.company_ids, self.company + company)
