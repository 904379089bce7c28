from lxml import html

from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from .common import PortalAccountCommon

PIXEL = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="


@tagged("post_install", "-at_install")
class TestAsk(PortalAccountCommon, HttpCase):
    """Customers are asked whether they want an account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.portal_account_policy = "ask"
        cls.website = cls.env["website"].get_current_website()
        cls.website.auth_signup_uninvited = "b2c"

    def _confirm(self, partner=None, **values):
        """Confirm an order of the website, in a session of its visitor."""
        order = self._create_order(partner, website_id=self.website.id, **values)
        order.action_confirm()
        self._visit(order)
        return order

    def _visit(self, order):
        session = self.authenticate(None, None)
        session["sale_last_order_id"] = order.id
        http.root.session_store.save(session)

    def _get_page(self, url="/shop/confirmation", **kwargs):
        response = self.url_open(url, **kwargs)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def _get_offers(self, page):
        return page.xpath("//form[contains(@class, 'o_portal_account_offered')]")

    def _accept(self, page):
        """Click the button, and return the page that follows."""
        [form] = self._get_offers(page)
        self.assertTrue(form.xpath(".//button[@type='submit']"))
        response = self.url_open(form.get("action"), data=dict(form.form_values()))
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def _has_message(self, page):
        return bool(page.xpath("//*[contains(@class, 'o_portal_account_created')]"))

    def test_confirmation_creates_nothing(self):
        order = self._confirm()
        self.assertEqual(order.state, "sale")
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(order.user_created)
        self.assertFalse(order.portal_account_issue)
        self.assertFalse(self._get_notes(order))
        self.assertTrue(order.portal_account_offered)

    def test_button_creates_the_account(self):
        order = self._confirm()
        page = self._get_page()
        [form] = self._get_offers(page)
        self.assertIn("Create an account to follow your order", form.text_content())
        self.assertIn("jane@example.com", form.text_content())
        page = self._accept(page)
        self.assertTrue(self._has_message(page))
        self.assertFalse(self._get_offers(page))
        self.assertTrue(order.user_created)
        self.assertEqual(self.customer.user_ids.login, "jane@example.com")
        [note] = self._get_notes(order)
        self.assertIn("account created", note)
        [mail] = self._send_invitations()
        self.assertIn("jane@example.com", mail["email_to"])
        self.assertIn("As you asked, we have created an account", mail["body"])

    def test_customer_who_takes_a_decline_back_is_asked_again(self):
        order = self._confirm()
        self._accept(self._get_page())
        login = self.customer.user_ids.login
        self.env["res.users"]._decline_portal_account(login, self.customer, order)
        self.env["portal.decline"]._forget([login])
        self.assertTrue(self._has_message(self._accept(self._get_page())))
        self.assertTrue(self.customer.user_ids)

    def test_page_offers_no_link_that_skips_the_email(self):
        self._confirm()
        self.assertFalse(self._get_page().xpath("//a[contains(@href, 'token=')]"))

    def test_second_click_changes_nothing(self):
        order = self._confirm()
        page = self._get_page()
        self._accept(page)
        page = self._accept(page)
        self.assertTrue(self._has_message(page))
        self.assertEqual(len(self.customer.user_ids), 1)
        self.assertEqual(len(self._get_notes(order)), 1)
        self.assertEqual(len(self._send_invitations()), 1)

    def test_opening_the_address_of_the_button_creates_nothing(self):
        self._confirm()
        self.assertIn(self.url_open("/web/portal/account").status_code, (404, 405))
        self.assertFalse(self.customer.user_ids)

    def test_forged_click_is_refused(self):
        self._confirm()
        page = self._get_page("/web/portal/account", data={"x": 1})
        self.assertIn("Please try again", page.text_content())
        self.assertFalse(self.customer.user_ids)

    def test_click_without_an_order_goes_to_the_shop(self):
        self.authenticate(None, None)
        token = http.Request.csrf_token(self)
        response = self.url_open("/web/portal/account", data={"csrf_token": token})
        self.assertIn("/shop", response.url)

    def test_order_of_somebody_else_is_refused(self):
        order = self._confirm()
        self.authenticate(None, None)
        for access_token in ("", "wrong"):
            data = {
                "csrf_token": http.Request.csrf_token(self),
                "order_id": order.id,
                "access_token": access_token,
            }
            self.url_open("/web/portal/account", data=data)
            self.assertFalse(self.customer.user_ids)

    def test_nonsense_is_refused_without_an_error(self):
        order = self._confirm()
        self.authenticate(None, None)
        csrf_token = http.Request.csrf_token(self)
        url = "/web/portal/account"
        for order_id in (order.id, "x", "9" * 5000, "9" * 30, "-1", "1.5", "\x00"):
            for access_token in ("ü", "\x00", "x" * 5000):
                data = {"order_id": order_id, "access_token": access_token}
                response = self.url_open(url, data=data | {"csrf_token": csrf_token})
                with self.subTest(data):
                    self.assertEqual(response.status_code, 200)
        for name in ("order_id", "access_token"):
            data = {"order_id": order.id, "csrf_token": csrf_token}
            data.pop(name, None)
            response = self.url_open(url, data=data, files={name: ("a", b"b")})
            self.assertEqual(response.status_code, 200)
        self.assertFalse(self.customer.user_ids)

    def test_order_that_is_not_confirmed_is_refused(self):
        order = self._confirm()
        page = self._get_page()
        order._action_cancel()
        self.assertFalse(self._has_message(self._accept(page)))
        self.assertFalse(self.customer.user_ids)
        self.assertFalse(self._get_offers(self._get_page()))

    def test_quotation_accepted_in_the_portal_asks(self):
        order = self._create_order(require_signature=True, require_payment=False)
        token = order._portal_ensure_token()
        result = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {"access_token": token, "name": "Jane Doe", "signature": PIXEL},
        )
        self.assertTrue(order.portal_account_offered)
        page = self._accept(self._get_page(result["redirect_url"]))
        self.assertTrue(self._has_message(page))
        self.assertTrue(order.user_created)

    def test_offer_stays_for_thirty_days_on_the_page_of_the_order(self):
        order = self._confirm()
        url = order.get_portal_url()
        with self._later(days=31):
            self.assertFalse(self._get_offers(self._get_page(url)))
            self.assertFalse(self._get_offers(self._get_page()))
        with self._later(days=29):
            page = self._accept(self._get_page(url))
            self.assertTrue(self._has_message(page))
            self.assertTrue(order.user_created)
            self.assertTrue(self._has_message(self._get_page(url)))

    def test_customer_who_declined_is_asked_in_one_line(self):
        self.env["portal.decline"]._remember("jane@example.com", self.customer)
        self.env["portal.decline"].search([]).create_date = "2020-01-01"
        self._confirm()
        page = self._get_page()
        [form] = self._get_offers(page)
        self.assertEqual(
            " ".join(form.text_content().split()),
            "Create an account to follow your order",
        )
        self.assertNotIn("Have an account?", page.text_content())

    def test_order_confirmed_by_staff_asks_nobody(self):
        order = self._create_order()
        order.with_user(self.salesperson).action_confirm()
        self.assertFalse(order.portal_account_offered)
        self.assertFalse(self.customer.user_ids)
        page = self._get_page(order.get_portal_url())
        self.assertFalse(self._get_offers(page))
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertTrue(order.user_created)

    def test_customers_who_cannot_get_an_account_are_not_asked(self):
        nobody = self._create_customer("Nobody", False)
        self.assertFalse(self._confirm(nobody).portal_account_offered)
        self.assertFalse(self._get_offers(self._get_page()))

    def test_customers_who_have_an_account_are_not_asked(self):
        order = self._create_order()
        order.action_confirm()
        order._ensure_portal_accounts()
        self.assertTrue(self.customer.user_ids)
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertFalse(self._confirm(guest).portal_account_offered)
        self.assertFalse(self._get_offers(self._get_page()))

    def test_account_created_elsewhere_ends_the_offer(self):
        order = self._confirm()
        page = self._get_page()
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertFalse(self._get_offers(self._get_page()))
        self._accept(page)
        self.assertEqual(len(self.customer.user_ids), 1)

    def test_what_goes_wrong_is_said(self):
        self._confirm()
        page = self._get_page()
        parameter = "base.template_portal_user_id"
        self.env["ir.config_parameter"].sudo().set_param(parameter, "0")
        with self._mute_odoo():
            [form] = self._get_offers(self._accept(page))
        self.assertIn("contact us", form.text_content())
        self.assertFalse(form.xpath(".//button"))

    def test_contact_of_a_company_may_ask_for_the_account(self):
        self.company.portal_company_contacts = "none"
        acme = self._create_customer("Acme", "acme@example.com", is_company=True)
        self.customer.parent_id = acme
        order = self._confirm()
        self._accept(self._get_page())
        self.assertTrue(order.user_created)
        self.assertTrue(self.customer.user_ids.portal_own_documents)

    def test_reminders_follow_as_usual(self):
        self._confirm()
        self._accept(self._get_page())
        self._send_invitations()
        domain = self.company._get_portal_reminder_domain()
        invitation = self._get_invitation()
        invitation.sent_date = "2020-01-01"
        self.assertIn(invitation, self.env["portal.invitation"].search(domain))

    def test_report_counts_offers(self):
        accepted = self._confirm()
        self._accept(self._get_page())
        other = self._confirm(self._create_customer("Other", "other@example.com"))
        staff = self._create_order()
        staff.action_confirm()
        self._get_page()
        unseen = self._confirm(self._create_customer("Unseen", "unseen@example.com"))
        for order, counts in (
            (accepted, (1, 1)),
            (other, (1, 0)),
            (unseen, (0, 0)),
            (staff, (0, 0)),
        ):
            row = self.env["portal.adoption.report"].browse(order.id)
            self.assertEqual((row.offered_count, row.accepted_count), counts)

    def test_nobody_sets_what_the_confirmation_found_out(self):
        order = self._create_order()
        with self.assertRaises(AccessError):
            order.with_user(self.salesperson).portal_account_offered = True

    def test_other_companies_pay_no_query(self):
        for policy in ("all", "website", "never"):
            self.company.portal_account_policy = policy
            order = self._create_order(website_id=self.website.id)
            order.action_confirm()
            self.env.flush_all()
            with self.subTest(policy), self.assertQueryCount(0):
                order._offer_portal_accounts()
            self.assertFalse(order.portal_account_offered)
