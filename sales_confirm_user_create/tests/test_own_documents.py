from odoo.tests import new_test_user, tagged

from odoo.addons.http_routing.tests.common import MockRequest

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestOwnDocuments(PortalAccountCommon):
    """Which accounts show the own documents only; what that means is tested in
    `portal_own_documents`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._create_customer("Acme", "acme@example.com", is_company=True)
        cls.customer.parent_id = cls.acme

    def _get_account(self, partner):
        """Return the user that an order of a contact creates."""
        self._create_order(partner).action_confirm()
        return partner.user_ids

    def test_account_of_a_contact_of_a_company_shows_its_own_documents(self):
        self.assertTrue(self._get_account(self.customer).portal_own_documents)

    def test_account_of_a_person_without_company_is_theirs(self):
        private = self._create_customer("Private", "private@example.com")
        self.assertTrue(self._get_account(private).portal_own_documents)
        self.assertEqual(private.portal_documents, "own")

    def test_account_of_a_company_shows_the_company(self):
        user = self._get_account(self.acme)
        self.assertFalse(user.portal_own_documents)
        self.assertEqual(self.acme.portal_documents, "company")
        order = self._create_order(self.customer)
        self.assertTrue(order.with_user(user).has_access("read"))

    def test_users_of_others_stay_as_they_are(self):
        partner = self._create_customer("Walter", "walter@example.com")
        user = new_test_user(
            self.env,
            "walter@example.com",
            "base.group_portal",
            partner_id=partner.id,
        )
        partner.parent_id = self.acme
        self.assertEqual(self._get_account(partner), user)
        self.assertFalse(user.portal_own_documents)

    def test_company_chooses_the_whole_company(self):
        self.company.portal_company_contacts = "all"
        self.assertFalse(self._get_account(self.customer).portal_own_documents)

    def test_company_chooses_no_account(self):
        self.company.portal_company_contacts = "none"
        order = self._create_order(self.customer)
        order.action_confirm()
        self.assertNoAccount(order, "belong to a company")
        self.assertEqual(order.portal_account_issue, "company_contact")
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertTrue(self.customer.user_ids.portal_own_documents)
        self.assertFalse(order.portal_account_issue)

    def test_the_whole_company_is_not_for_persons_who_join_it_later(self):
        self.company.portal_company_contacts = "all"
        private = self._create_customer("Private", "private@example.com")
        user = self._get_account(private)
        private.parent_id = self.acme
        order = self._create_order(self.customer)
        self.assertFalse(order.with_user(user).has_access("read"))

    def test_accounts_that_are_deleted_keep_the_carts_closed(self):
        known, guest = (
            self._create_customer(name, f"{name}@example.com")
            for name in ("known", "guest")
        )
        self._get_account(known).unlink()
        known.sale_order_ids._action_cancel()
        self.assertTrue(known._had_portal_account())
        self.assertFalse(guest._had_portal_account())
        website = self.env["website"].get_current_website()
        for partner, is_closed in ((known, True), (guest, False)):
            cart = self._create_order(partner)
            cart.website_id = website
            visitor = cart.with_user(website.user_id)
            with MockRequest(visitor.env, website=website):
                self.assertEqual(visitor._is_closed_to_visitor(), is_closed)
