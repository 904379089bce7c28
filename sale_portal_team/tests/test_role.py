from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user

from .. import uninstall_hook
from .common import TeamCommon


class TestRole(TeamCommon):
    """What the role of a user is, and what it shows."""

    def test_buyer_sees_own_documents_only(self):
        self.assertTrue(self.bob.portal_own_documents)

    def test_administrator_and_viewer_see_those_of_the_company(self):
        self.assertFalse((self.anna + self.vera).filtered("portal_own_documents"))

    def test_user_without_role_may_order(self):
        user = self._create_member("Otto", False)
        self.assertFalse(user._get_portal_role())
        user._check_portal_role("order")

    def test_viewer_may_not_order_and_reads_whom_to_ask(self):
        with self.assertRaisesRegex(AccessError, "ask Anna"):
            self.vera._check_portal_role("order")

    def test_only_administrators_manage(self):
        self.anna._check_portal_role("manage")
        for user in (self.bob, self.vera):
            with self.assertRaises(AccessError):
                user._check_portal_role("manage")

    def test_role_does_not_count_in_another_company(self):
        self.anna.partner_id.parent_id = self.zeta
        self.assertFalse(self.anna._get_portal_role())
        self.anna.partner_id.parent_id = self.acme
        self.assertEqual(self.anna._get_portal_role(), "administrator")

    def test_view_of_all_documents_ends_with_the_company(self):
        quotation = self._create_quotation(self.zoe)
        orders = self.env["sale.order"].with_user(self.vera).sudo(False)
        self.assertFalse(orders.search([("id", "=", quotation.id)]))
        self.vera.partner_id.parent_id = self.zeta
        self.assertFalse(orders.search([("id", "=", quotation.id)]))
        self.assertEqual(self.vera.partner_id.portal_documents, "own")
        self.vera.portal_role = "viewer"
        self.assertTrue(orders.search([("id", "=", quotation.id)]))
        self.vera.partner_id.parent_id = self.acme
        self.assertFalse(orders.search([("id", "=", quotation.id)]))
        self.assertEqual(self.vera.partner_id.portal_documents, "own")
        wizard = self.env["portal.documents"].create(
            {"partner_ids": self.vera.partner_id.ids, "documents": "company"}
        )
        wizard.action_apply()
        self.assertEqual(self.vera.partner_id.portal_documents, "company")

    def test_whoever_grants_access_rights_sets_role_and_switch(self):
        manager = new_test_user(self.env, "rights", "base.group_erp_manager")
        self.vera.partner_id.parent_id = self.zeta
        for user in (self.vera, self.bob):
            user.with_user(manager).write({"portal_own_documents": True})
            user.with_user(manager).write({"portal_own_documents": False})
        self.assertEqual(self.vera.partner_id.portal_documents, "company")
        self.bob.with_user(manager).portal_role = "viewer"
        self.assertEqual(self.bob._get_portal_role(), "viewer")

    def test_account_merged_into_another_company_itself_is_closed(self):
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.zeta + self.vera.partner_id).ids, self.zeta, extra_checks=False
        )
        self.env.invalidate_all()
        self.assertEqual(self.vera.partner_id, self.zeta)
        self.assertEqual(self.zeta.portal_documents, "none")
        self.env["portal.documents"].create(
            {"partner_ids": self.zeta.ids, "documents": "company"}
        ).action_apply()
        self.assertEqual(self.zeta.portal_documents, "company")

    def test_removal_leaves_people_in_other_companies_limited(self):
        self.vera.partner_id.parent_id = self.zeta
        uninstall_hook(self.env)
        self.assertEqual(
            (self.vera + self.anna).mapped("portal_own_documents"), [True, False]
        )

    def test_role_does_not_survive_a_merge_into_another_company(self):
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.acme + self.zeta).ids, self.zeta, extra_checks=False
        )
        self.env.invalidate_all()
        self.assertEqual(self.anna.partner_id.commercial_partner_id, self.zeta)
        self.assertFalse(self.anna._get_portal_role())
        self.assertEqual(self.zoe._get_portal_role(), "administrator")

    def test_role_does_not_count_once_the_contact_is_a_company(self):
        self.anna.partner_id.is_company = True
        self.assertFalse(self.anna._get_portal_role())

    def test_persons_without_company_have_no_role(self):
        user = new_test_user(self.env, "alone@example.com", "base.group_portal")
        with self.assertRaises(ValidationError):
            user.portal_role = "buyer"

    def test_employees_have_no_role(self):
        self.salesperson.partner_id.parent_id = self.acme
        with self.assertRaises(ValidationError):
            self.salesperson.portal_role = "administrator"

    def test_contacts_of_the_shop_have_no_role(self):
        self.vera.partner_id.parent_id = self.company.partner_id
        with self.assertRaises(ValidationError):
            self.vera.portal_role = "administrator"

    def test_company_itself_has_no_role(self):
        user = new_test_user(
            self.env, "own@example.com", "base.group_portal", partner_id=self.acme.id
        )
        with self.assertRaises(ValidationError):
            user.portal_role = "buyer"

    def test_change_is_noted_on_company_and_person(self):
        self.bob.with_user(self.anna).sudo().portal_role = "viewer"
        for partner in (self.acme, self.bob.partner_id):
            note = partner.message_ids.filtered(lambda m: "Portal role" in m.body)[:1]
            self.assertIn("Portal role of Bob: Buyer → Viewer", note.body)
            self.assertEqual(note.author_id, self.anna.partner_id)

    def test_portal_users_read_and_write_no_roles(self):
        for name in ("portal_role", "portal_team_id", "portal_ended_date"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.vera.with_user(self.vera).read([name])
        with self.assertRaises(AccessError):
            self.vera.with_user(self.vera).write({"portal_role": "administrator"})
