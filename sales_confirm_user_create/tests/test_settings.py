from lxml import etree

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import MAIL_TEMPLATE, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestSettings(PortalAccountCommon):
    def test_installed_means_on_for_every_order(self):
        company = self.env["res.company"].create({"name": "New company"})
        self.assertEqual(company.portal_account_policy, "all")
        self.assertEqual(company.portal_reminder_max, 1)
        self.assertEqual(company.portal_reminder_days, 3)

    def test_never(self):
        self.company.portal_account_policy = "never"
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertFalse(order.portal_account_issue)
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(self._get_notes(order))

    def test_website_orders_only(self):
        self.company.portal_account_policy = "website"
        backend = self._create_order()
        website = self._create_order(
            self._create_customer("Guest", "guest@example.com"),
            website_id=self.env["website"].get_current_website().id,
        )
        (backend + website).action_confirm()
        self.assertEqual((backend + website).mapped("user_created"), [False, True])

    def test_each_company_has_its_own(self):
        other = self.env["res.company"].create(
            {"name": "Second company", "portal_account_policy": "never"}
        )
        orders = self._create_order(company_id=other.id, order_line=False)
        orders += self._create_order(self._create_customer("B", "b@example.com"))
        orders.action_confirm()
        self.assertEqual(orders.mapped("user_created"), [False, True])

    def test_settings_write_the_company(self):
        with Form(self.env["res.config.settings"]) as settings:
            settings.portal_account_policy = "website"
            settings.portal_reminder_max = 2
            settings.portal_reminder_days = 5
        settings.save().execute()
        self.assertEqual(self.company.portal_account_policy, "website")
        self.assertEqual(self.company.portal_reminder_max, 2)
        self.assertEqual(self.company.portal_reminder_days, 5)

    def test_settings_are_under_website_and_sales_leads_there(self):
        arch = self.env["res.config.settings"].get_view(view_type="form")["arch"]
        form = etree.fromstring(arch)
        for name in ("account_policy", "reminder_max", "reminder_days"):
            apps = form.xpath(f"//app[.//field[@name='portal_{name}']]/@name")
            self.assertEqual(apps, ["website"])
        [link] = form.xpath(
            "//app[@name='sale_management']"
            "//setting[@id='sale_portal_account_setting']//a"
        )
        block = link.get("href").removeprefix("/odoo/settings#")
        self.assertTrue(form.xpath(f"//app[@name='website']//setting[@id='{block}']"))

    def test_settings_are_those_of_the_chosen_website(self):
        company = self.env["res.company"].create({"name": "Second"})
        website = self.env["website"].create(
            {"name": "Second", "company_id": company.id}
        )
        with Form(self.env["res.config.settings"]) as settings:
            settings.website_id = website
            settings.portal_account_policy = "ask"
            settings.portal_email_limit = 7
            settings.portal_own_documents = not company.portal_own_documents
        settings.save().execute()
        self.assertEqual(company.portal_account_policy, "ask")
        self.assertEqual(website.portal_email_limit, 7)
        self.assertNotEqual(
            company.portal_own_documents, self.company.portal_own_documents
        )
        self.assertEqual(self.company.portal_account_policy, "all")

    def test_bad_numbers_get_a_clear_answer(self):
        for values, words in (
            ({"portal_reminder_max": -1}, "between 0 and 10"),
            ({"portal_reminder_max": 11}, "between 0 and 10"),
            ({"portal_reminder_days": 0}, "at least 1 day"),
        ):
            with self.subTest(values):
                with self.assertRaises(ValidationError) as error:
                    self.company.write(values)
                self.assertIn(words, str(error.exception))

    def test_links_work_for_an_hour_at_least(self):
        settings = self.env["res.config.settings"].create({})
        settings.portal_validity_hours = 1
        with self.assertRaisesRegex(ValidationError, "at least 1 hour"):
            settings.portal_validity_hours = 0

    def test_good_numbers_are_taken_up_to_the_limits(self):
        self.company.write({"portal_reminder_max": 10, "portal_reminder_days": 1})
        self.company.write({"portal_reminder_max": 0})
        self.assertEqual(self.company.portal_reminder_max, 0)

    def test_link_opens_the_invitation(self):
        settings = self.env["res.config.settings"].create({})
        template = self.env.ref(MAIL_TEMPLATE)
        action = settings.action_open_portal_invitation_template()
        self.assertEqual(
            (action["res_model"], action["res_id"], action["views"]),
            ("mail.template", template.id, [(False, "form")]),
        )
        template.unlink()
        self.assertFalse(
            settings.action_open_portal_invitation_template().get("res_id")
        )

    def test_link_opens_the_reminder(self):
        action = self.env["res.config.settings"].create({})
        action = action.action_open_portal_reminder_template()
        template = self.env.ref(
            "sales_confirm_user_create.mail_template_portal_reminder"
        )
        self.assertEqual(action["res_id"], template.id)
