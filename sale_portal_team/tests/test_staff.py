from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user
from odoo.tools.safe_eval import safe_eval

from .common import TeamCommon


class TestStaff(TeamCommon):
    """What staff see and do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = new_test_user(cls.env, "boss", "sales_team.group_sale_manager")

    def test_sales_manager_gives_a_role_on_the_contact(self):
        self.bob.partner_id.with_user(self.boss).portal_role = "administrator"
        self.assertEqual(self.bob._get_portal_role(), "administrator")
        self.assertFalse(self.bob.portal_own_documents)

    def test_salesperson_gives_no_role(self):
        with self.assertRaises(AccessError):
            self.bob.partner_id.with_user(self.salesperson).portal_role = "viewer"

    def test_contact_without_user_gets_no_role(self):
        partner = self._create_customer("Eve", "eve@example.com")
        with self.assertRaises(UserError):
            partner.portal_role = "buyer"

    def test_company_shows_its_administrators_and_team(self):
        company = self.acme.with_user(self.boss)
        self.assertEqual(company.portal_administrator_ids, self.anna.partner_id)
        action = self.env.ref("sale_portal_team.portal_team_action")
        domain = safe_eval(action.domain, {"active_id": self.acme.id})
        users = self.anna + self.bob + self.vera
        self.assertEqual(self.env["res.partner"].search(domain), users.partner_id)

    def test_contact_shows_a_role_that_counts(self):
        self.assertEqual(self.vera.partner_id.portal_role, "viewer")
        self.vera.partner_id.parent_id = self.zeta
        self.assertFalse(self.vera.partner_id.portal_role)

    def test_form_has_the_role(self):
        with Form(self.bob.partner_id.with_user(self.boss)) as form:
            form.portal_role = "viewer"
        self.assertEqual(self.bob._get_portal_role(), "viewer")

    def test_access_is_granted_with_a_role(self):
        partner = self._create_customer(
            "Eve", "eve@example.com", parent_id=self.acme.id
        )
        wizard = self.env["portal.wizard"].create(
            {"partner_ids": [Command.set(partner.ids)]}
        )
        wizard.user_ids.portal_role = "administrator"
        with self.mock_mail_gateway():
            wizard.user_ids.action_grant_access()
        self.assertEqual(partner.portal_role, "administrator")

    def test_role_decides_what_the_wizard_shows(self):
        self.env.company.portal_own_documents = True
        partner = self._create_customer(
            "Eve", "eve@example.com", parent_id=self.acme.id
        )
        wizard = self.env["portal.wizard"].create(
            {"partner_ids": [Command.set(partner.ids)]}
        )
        line = wizard.user_ids
        shown = []
        for role in (False, "administrator", "buyer", "viewer"):
            line.portal_role = role
            shown.append(line.portal_own_documents)
        self.assertEqual(shown, [True, False, True, False])

    def test_contact_of_an_archived_user_shows_no_access(self):
        self.bob.active = False
        contact = self.bob.partner_id
        self.assertFalse(contact.portal_documents)
        self.assertFalse(contact.portal_role)

    def test_limits_are_at_least_one(self):
        for name in ("people", "open", "daily"):
            with self.assertRaises(ValidationError):
                self.env["res.config.settings"].create({f"portal_team_{name}_max": 0})

    def test_removal_says_who_may_order_then(self):
        module = self.env.ref("base.module_sale_portal_team")
        wizard = self.env["base.module.uninstall"].create(
            {"module_ids": [Command.set(module.ids)]}
        )
        self.assertGreaterEqual(wizard.portal_viewer_count, 1)

    def test_salesperson_hears_of_a_company_without_administrator(self):
        self.anna.active = False
        [activity] = self.acme.activity_ids
        self.assertEqual(activity.user_id, self.salesperson)

    def test_salesperson_hears_in_the_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.anna.with_context(lang="fr_FR").active = False
        self.assertIn("No portal administrator", self.acme.activity_ids.summary)

    def test_salesperson_hears_of_a_deleted_administrator(self):
        self.anna.unlink()
        self.assertTrue(self.acme.activity_ids)

    def test_salesperson_hears_of_an_administrator_who_deletes_the_account(self):
        self.anna.with_user(self.anna).sudo()._deactivate_portal_user()
        self.assertTrue(self.acme.activity_ids)

    def test_salesperson_hears_nothing_as_long_as_there_is_one(self):
        self._create_member("Ada", "administrator")
        self.anna.active = False
        self.assertFalse(self.acme.activity_ids)
