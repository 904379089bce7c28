from unittest.mock import patch

from odoo import http
from odoo.tests import new_test_user, tagged

from odoo.addons.website.tests.test_performance import UtilPerf
from odoo.addons.website_sale.controllers.main import WebsiteSale

from ..controllers.portal import WebsiteSalePortalAccount
from .common import PortalAccountCommon
from .common_http import PASSWORD, PortalPageCase


@tagged("post_install", "-at_install")
class TestWebsitePages(PortalPageCase):
    """What customers read after they have ordered or accepted."""

    def _get_tokens(self, page):
        return page.xpath("//a[contains(@href, 'token=')]")

    def _log_in_once(self):
        """Have the customer's account activated."""
        user = self.customer.user_ids
        user.with_user(user)._update_last_login()

    def test_visitor_reads_that_the_account_was_created(self):
        order = self._create_order(website_id=self.website.id)
        order.action_confirm()
        page = self._get_confirmation_page(order)
        [message] = self._get_message(page)
        self.assertIn("Account created", message)
        self.assertIn("jane@example.com", message)
        self.assertIn("choose a password", message)
        [role] = page.xpath("//*[contains(@class, 'o_portal_account_created')]/@role")
        self.assertEqual(role, "status")
        self.assertFalse(self._get_tokens(page))

    def test_message_is_gone_an_hour_later(self):
        order = self._create_order(website_id=self.website.id)
        order.action_confirm()
        for minutes, count in ((55, 1), (65, 0)):
            with self._later(minutes=minutes):
                page = self._get_confirmation_page(order)
                self.assertEqual(len(self._get_message(page)), count)
                self.assertFalse(self._get_tokens(page))

    def test_message_is_gone_once_the_account_is_activated(self):
        order = self._create_order(website_id=self.website.id)
        order.action_confirm()
        self._log_in_once()
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertFalse(self._get_tokens(page))

    def test_visitor_with_known_address_reads_nothing_and_gets_no_token(self):
        self._create_order().action_confirm()
        guest = self._create_customer("Guest", "jane@example.com")
        order = self._create_order(guest, website_id=self.website.id)
        order.action_confirm()
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertFalse(self._get_tokens(page))

    def test_visitor_who_has_yet_to_pay_gets_no_token_but_an_account_later(self):
        order = self._create_order(website_id=self.website.id, state="sent")
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertFalse(self._get_tokens(page))
        order.action_confirm()
        self.assertTrue(self._get_message(self._get_confirmation_page(order)))

    def test_visitor_without_account_may_still_sign_up(self):
        order = self._create_order(website_id=self.website.id)
        order.state = "sale"  # as an order from before the addon
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertTrue(self._get_tokens(page))

    def test_visitor_may_sign_up_where_orders_create_no_account(self):
        self.company.portal_account_policy = "never"
        order = self._create_order(website_id=self.website.id, state="sent")
        self.assertTrue(self._get_tokens(self._get_confirmation_page(order)))
        order.action_confirm()
        self.assertTrue(self._get_tokens(self._get_confirmation_page(order)))

    def test_message_is_escaped(self):
        self.customer.email = '"<b id=x>" <jane@example.com>'
        order = self._create_order(website_id=self.website.id)
        order.action_confirm()
        self.assertFalse(self._get_confirmation_page(order).xpath("//b[@id='x']"))

    def test_quotation_accepted_in_the_portal_says_so(self):
        order = self._create_order()
        url = self._accept_quotation(order)
        self.assertTrue(order.user_created)
        page = self._get_page(url)
        [message] = self._get_message(page)
        self.assertIn("jane@example.com", message)
        self.assertIn(order.name, page.text_content())

    def test_accepted_quotation_says_so_for_an_hour(self):
        url = self._accept_quotation(self._create_order())
        with self._later(minutes=55):
            self.assertTrue(self._get_message(self._get_page(url)))
        with self._later(minutes=65):
            self.assertFalse(self._get_message(self._get_page(url)))

    def test_accepted_quotation_says_nothing_once_the_account_is_activated(self):
        url = self._accept_quotation(self._create_order())
        self._log_in_once()
        self.assertFalse(self._get_message(self._get_page(url)))

    def test_order_confirmed_by_staff_says_nothing_whatever_the_address_says(self):
        order = self._create_order()
        order.action_confirm()
        for message in ("", "&message=sign_ok"):
            page = self._get_page(order.get_portal_url(query_string=message))
            self.assertFalse(self._get_message(page))

    def test_employee_who_looks_at_an_accepted_order_reads_nothing(self):
        url = self._accept_quotation(self._create_order())
        new_test_user(self.env, "employee", "sales_team.group_sale_manager")
        self.authenticate("employee", "employee")
        self.assertFalse(self._get_message(self._get_page(url)))

    def test_customer_sees_own_orders_and_nobody_elses(self):
        order = self._create_order()
        order.action_confirm()
        other = self._create_order(self._create_customer("Other", "other@example.com"))
        other.action_confirm()
        self.customer.user_ids.password = PASSWORD
        self.authenticate("jane@example.com", PASSWORD)
        page = self._get_page("/my/orders").text_content()
        self.assertIn(order.name, page)
        self.assertNotIn(other.name, page)
        self.assertIn(
            order.name, self._get_page(f"/my/orders/{order.id}").text_content()
        )
        for url in (f"/my/orders/{other.id}", f"/my/orders/{other.id}?report_type=pdf"):
            response = self.url_open(url)
            self.assertNotIn(other.name, response.text)
            self.assertTrue(response.url.endswith("/my"), response.url)


@tagged("post_install", "-at_install")
class TestConfirmationPageQueries(PortalAccountCommon, UtilPerf):
    """The page costs nothing more than without the addon."""

    def _count_queries(self, order):
        session = self.authenticate(None, None)
        session["sale_last_order_id"] = order.id
        http.root.session_store.save(session)
        return self._get_url_hot_query("/shop/confirmation")

    def test_confirmation_page_takes_no_query_more(self):
        website = self.env["website"].get_current_website()
        website.auth_signup_uninvited = "b2c"
        order = self._create_order(website_id=website.id)
        order.action_confirm()
        self.assertTrue(order.user_created)
        count = self._count_queries(order)
        hook = "_prepare_shop_payment_confirmation_values"
        self.env.ref("sales_confirm_user_create.payment_confirmation_status").active = 0
        with patch.object(WebsiteSalePortalAccount, hook, getattr(WebsiteSale, hook)):
            self.assertLessEqual(count, self._count_queries(order))
