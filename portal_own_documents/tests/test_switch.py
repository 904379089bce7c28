from ast import literal_eval

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import RULES, OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestSwitch(OwnDocumentsCommon):
    """Who decides it."""

    boss = None

    def test_users_of_others_stay_as_they_are(self):
        user = new_test_user(self.env, "staff-made", "base.group_portal")
        self.assertFalse(user.portal_own_documents)
        user.partner_id.parent_id = self.acme
        self.assertFalse(user.portal_own_documents)
        self.assertEqual(self._get_all(user, self.orders), self.orders)

    def _preview(self, contacts, **values):
        """Return the form of the action on contacts, as a sales manager sees it."""
        self.boss = self.boss or new_test_user(
            self.env, "boss", "sales_team.group_sale_manager", name="The Boss"
        )
        model = self.env["portal.documents"].with_user(self.boss)
        form = Form(model.with_context(active_ids=contacts.ids))
        for name, value in values.items():
            form[name] = value
        return form

    def test_sales_manager_switches_selected_users_after_a_preview(self):
        contacts = self.acme.child_ids + self.acme
        form = self._preview(contacts, documents="company")
        self.assertEqual(form.user_count, len(contacts.user_ids))
        self.assertIn(self.user.id, form.user_ids.ids)
        self.assertNotIn(self.manager.id, form.user_ids.ids)
        self.assertTrue(self.user.portal_own_documents, "a preview changes nothing")
        form.save().action_apply()
        self.assertFalse(any(contacts.user_ids.mapped("portal_own_documents")))
        note = self.customer.message_ids[0]
        self.assertIn("whole company", note.body)
        self.assertEqual(note.author_id, self.boss.partner_id)
        self._preview(self.customer + self.manager.partner_id).save().action_apply()
        for user in self.user + self.manager:
            self.assertTrue(user.portal_own_documents)
            self.assertIn("own documents", user.partner_id.message_ids[0].body)

    def test_login_of_a_company_is_not_limited(self):
        user = self._create_user(self.invoice_address, portal_own_documents=False)
        user.partner_id = self.acme
        self.assertFalse(self._preview(self.acme).user_ids)
        self.assertFalse(self._preview(self.salesperson.partner_id).user_ids)

    def test_preview_opens_an_undecided_account(self):
        user = self._create_private_user()
        self._merge(user.partner_id, self.acme)
        self._preview(self.acme, documents="company").save().action_apply()
        self.assertEqual(self._get_all(user, self.orders), self.orders)

    def _grant(self, partner, is_own=None):
        """Grant access to the portal by Odoo's wizard."""
        wizard = (
            self.env["portal.wizard"].with_context(active_ids=partner.ids).create({})
        )
        line = wizard.user_ids.filtered(lambda line: line.partner_id == partner)
        if is_own is not None:
            line.portal_own_documents = is_own
        line.action_grant_access()
        user = self.env["res.users"].search([("partner_id", "=", partner.id)])
        self.assertTrue(user._is_portal())
        return user

    def test_whoever_grants_access_decides(self):
        carl, dora, eve, company = (
            self._create_customer(name, f"{name}@example.com", parent_id=self.acme.id)
            for name in ("carl", "dora", "eve", "branch")
        )
        company.is_company = True
        self.assertFalse(self._grant(carl).portal_own_documents, "as in Odoo")
        self.env.company.portal_own_documents = True
        self.assertTrue(self._grant(dora).portal_own_documents)
        self.assertFalse(self._grant(eve, False).portal_own_documents)
        self.assertFalse(self._grant(company).portal_own_documents)

    def test_access_granted_again_stays_as_it_was(self):
        wizard = self.env["portal.wizard"].with_context(active_ids=self.customer.ids)
        wizard.create({}).user_ids.action_revoke_access()
        self.assertFalse(self.user.active)
        self.assertTrue(self._grant(self.customer).portal_own_documents)

    def test_removal_says_to_whom_it_shows_what(self):
        module = self.env.ref("base.module_portal_own_documents")
        private = self._create_private_user()
        count = self.env["res.users"].search_count(
            [("portal_own_documents", "=", True), ("partner_id.parent_id", "!=", False)]
        )
        for name, expected in (("portal_own_documents", count), ("project", 0)):
            module = self.env["ir.module.module"].search([("name", "=", name)])
            wizard = self.env["base.module.uninstall"].create(
                {"module_ids": module.ids}
            )
            self.assertEqual(wizard.portal_user_count, expected)
        private.partner_id.parent_id = self.acme
        wizard = wizard.create(
            {"module_ids": self.env.ref("base.module_website_sale").ids}
        )
        self.assertEqual(wizard.portal_user_count, count + 1, "it takes us along")
        person = new_test_user(self.env, "person", "base.group_portal").partner_id
        address = self._create_customer("Home", "home@example.org", parent_id=person.id)
        self._create_user(address, portal_own_documents=False)
        wizard = wizard.create({"module_ids": wizard.module_ids.ids})
        self.assertEqual(wizard.portal_user_count, count + 2, "closed without a switch")

    def test_new_code_without_its_update_is_logged_at_start(self):
        modules = self.env["ir.module.module"]
        domain = [("name", "=", "portal_own_documents")]
        logger = "odoo.addons.portal_own_documents.models.ir_module_module"
        with self.assertNoLogs(logger):
            modules._register_hook()
        modules.search(domain).latest_version = "19.0.1.0.0"
        with self.assertLogs(logger) as logs:
            modules._register_hook()
        [line] = logs.output
        self.assertIn("start it once with -u portal_own_documents", line)

    def test_user_follows_nothing_that_is_not_shown_any_more(self):
        partner = self.manager.partner_id
        own_order = self._create_order(partner)
        followed = (self.bob_order, self.invoices[1], self.acme, self.bob, own_order)
        for record in followed:
            record.message_subscribe(partner.ids)
        second = self.manager.copy({"login": "second", "partner_id": partner.id})
        (self.manager + second).portal_own_documents = True
        for record in followed:
            with self.subTest(record):
                is_followed = partner in record.message_partner_ids
                self.assertEqual(is_followed, record == own_order)
        message = self.bob_order.message_post(
            body="Later", subtype_xmlid="mail.mt_comment"
        )
        self.assertFalse(self._get_all(self.manager, message))

    def test_nobody_else_sees_or_changes_it(self):
        for user in (self.salesperson, self.user):
            with self.subTest(user.login), mute_logger(RULES):
                contact = self.customer.with_user(user)
                with self.assertRaises(AccessError):
                    contact.read(["portal_documents"])
                with self.assertRaises(AccessError):
                    self.user.with_user(user).write({"portal_own_documents": False})
                with self.assertRaises(AccessError):
                    self.env["portal.documents"].with_user(user).create({})

    def test_list_of_portal_users(self):
        action = self.env.ref("portal_own_documents.res_partner_action_portal")
        domain = [("user_ids.share", "=", True)]
        self.assertEqual(action.domain, str(domain))
        found = self.env["res.partner"].search(domain)
        self.assertIn(self.customer, found)
        self.assertIn(self.manager.partner_id, found)
        self.assertNotIn(self.salesperson.partner_id, found)

    def test_list_of_portal_users_shows_undecided_ones(self):
        user = self._create_private_user()
        self._merge(user.partner_id, self.acme)
        found = self._filter_list("no_documents")
        self.assertEqual(found, self.acme)
        self.assertEqual(found.mapped("portal_documents"), ["none"])

    def _filter_list(self, name):
        """Return what a filter of the list of portal users finds."""
        search = self.env.ref("portal_own_documents.res_partner_view_search_portal")
        arch = html.fromstring(search.arch)
        [domain] = arch.xpath(f"//filter[@name='{name}']/@domain")
        users = [("user_ids.share", "=", True)]
        return self.env["res.partner"].search(users + literal_eval(domain))

    def test_filters_find_what_the_column_says(self):
        person = self._create_private_user().partner_id
        address = self._create_customer("Home", "home@example.org", parent_id=person.id)
        self._create_user(address, portal_own_documents=False)
        own_login = {"login": "acme", "partner_id": self.acme.id}
        self.manager.copy({**own_login, "portal_own_documents": False})
        users = self.env["res.partner"].search([("user_ids.share", "=", True)])
        states = users.grouped("portal_documents")
        self.assertIn(self.acme, states["company"])
        self.assertIn(address, states["own"])
        # an address of a person is limited without the switch
        self.assertEqual(self._filter_list("own_documents") + address, states["own"])
        self.assertEqual(self._filter_list("company_documents"), states["company"])

    def test_list_of_portal_users_takes_no_query_for_each(self):
        partners = self.env["res.partner"]
        for number in range(12):
            login = f"user{number}@example.com"
            partners += new_test_user(self.env, login, "base.group_portal").partner_id
        partners.parent_id = self.acme

        def count(partners):
            self.env.flush_all()
            self.env.invalidate_all()
            self.env.registry.clear_cache()
            before = self.env.cr.sql_log_count
            self.assertEqual(set(partners.mapped("portal_documents")), {"company"})
            return self.env.cr.sql_log_count - before

        count(partners[:1])
        self.assertEqual(count(partners[1:]), count(partners[:1]))
