from datetime import timedelta
from smtplib import SMTPServerDisconnected
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from lxml import html

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import (
    IrMail_Server,
    MailDeliveryException,
)
from odoo.addons.sales_confirm_user_create.tests.common import PortalAccountCommon

from ..wizard import portal_claim_request

PASSWORD = "Secret-12345"

OFFER = "Have an account? Log in to add this order to it."


@tagged("post_install", "-at_install")
class TestClaimPortal(PortalAccountCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].get_current_website()
        cls.portal_user = cls._create_user("jane@example.com")
        cls.account = cls.portal_user.partner_id
        cls.stranger = cls._create_user("stranger@example.com")

    @classmethod
    def _create_user(cls, login):
        return new_test_user(
            cls.env, login, "base.group_portal", password=PASSWORD, email=login
        )

    def _create_guest_order(self, email="jane@example.com", **values):
        partner = self._create_customer(
            "Guest", email, street="1 Guest Street", phone="555 0100"
        )
        order = self._create_order(partner, website_id=self.website.id, **values)
        order.action_confirm()
        order._portal_ensure_token()
        return order

    def _log_in(self, user=None):
        self.authenticate(user.login if user else None, PASSWORD if user else None)

    def _order_in_this_browser(self, order):
        self.session["sale_last_order_id"] = order.id
        http.root.session_store.save(self.session)

    def _open(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def _get_offer(self, page):
        return [
            " ".join(offer.text_content().split())
            for offer in page.xpath("//*[contains(@class, 'o_portal_claim')]")
        ]

    def _post(self, url, **data):
        data.setdefault("csrf_token", http.Request.csrf_token(self))
        return self.url_open(url, data=data)

    def _claim(self, order, **data):
        return self._post(f"/my/orders/{order.id}/claim", **data)

    def _assert_unclaimed(self, *orders):
        self.env.invalidate_all()
        for order in orders:
            self.assertFalse(order.portal_partner_id)

    def _assert_claimed(self, order, method):
        self.env.invalidate_all()
        self.assertEqual(order.portal_partner_id, self.account)
        self.assertEqual(order.portal_claim_method, method)

    def test_page_says_the_same_to_known_and_unknown_addresses(self):
        self.company.portal_account_policy = "never"
        texts = set()
        for email in ("jane@example.com", "nobody@example.com"):
            self._log_in()
            self._order_in_this_browser(self._create_guest_order(email))
            [text] = self._get_offer(self._open("/shop/confirmation"))
            texts.add(text)
        self.assertEqual(texts, {OFFER})

    def _follow_offer(self, page, login="jane@example.com"):
        """Log in by the link of an offer; return the response."""
        [link] = page.xpath("//*[contains(@class, 'o_portal_claim')]//a/@href")
        [form] = self._open(link).xpath("//form[contains(@class, 'oe_login_form')]")
        data = dict(form.form_values()) | {"login": login, "password": PASSWORD}
        self._assert_unclaimed(self.env["sale.order"].search([], limit=1))
        return self.url_open("/web/login", data=data)

    def _get_notice(self, response):
        page = html.fromstring(response.text)
        [notice] = page.xpath("//*[contains(@class, 'o_portal_notice')]")
        return notice.text_content().strip()

    def test_login_from_the_browser_that_ordered_adds_the_order(self):
        order = self._create_guest_order()
        self._log_in()
        self._order_in_this_browser(order)
        response = self._follow_offer(self._open("/shop/confirmation"))
        self._assert_claimed(order, "browser")
        self.assertEqual(urlsplit(response.url).path, f"/my/orders/{order.id}")
        self.assertEqual(
            self._get_notice(response), f"Order {order.name} is in your account."
        )
        self.assertFalse(self._get_offer(html.fromstring(response.text)))
        self.assertIn(order.name, self.url_open("/my/orders").text)

    def test_login_from_the_email_adds_the_order(self):
        order = self._create_guest_order()
        self._log_in()
        response = self._follow_offer(self._open(order.get_portal_url()))
        self._assert_claimed(order, "email")
        self.assertIn("is in your account", self._get_notice(response))

    def test_guest_who_is_asked_for_an_account_reads_one_box(self):
        self.company.portal_account_policy = "ask"
        self.portal_user.unlink()
        order = self._create_guest_order()
        self._log_in()
        self._order_in_this_browser(order)
        for url in ("/shop/confirmation", order.get_portal_url()):
            page = self._open(url)
            [box] = page.xpath("//*[contains(@class, 'alert-info')]")
            text = " ".join(box.text_content().split())
            self.assertTrue(text.startswith("Create an account to follow your order"))
            self.assertIn("Have an account?", text)

    def test_login_of_somebody_else_adds_nothing_and_says_so(self):
        order = self._create_guest_order()
        self._log_in()
        page = self._open(order.get_portal_url())
        response = self._follow_offer(page, "stranger@example.com")
        self._assert_unclaimed(order)
        self.assertIn(
            "was not added to the account of stranger@example.com",
            self._get_notice(response),
        )

    def test_order_of_another_spelling_of_the_domain_is_added(self):
        self.portal_user.partner_id.email = self.portal_user.login = "i@straße.de"
        for email in ("i@straße.de", "i@xn--strae-oqa.de"):
            order = self._create_guest_order(email)
            self._log_in()
            page = self._open(order.get_portal_url())
            self._follow_offer(page, "i@straße.de")
            self._assert_claimed(order, "email")

    def test_login_that_leads_to_no_address_works(self):
        self._log_in()
        [form] = self._open("/web/login").xpath(
            "//form[contains(@class, 'oe_login_form')]"
        )
        values = {"login": "jane@example.com", "password": PASSWORD}
        data = dict(form.form_values()) | values | {"redirect": "//a\u2100b/my"}
        response = self.url_open("/web/login", data=data)
        self.assertEqual(urlsplit(response.url).path, "/my")

    def test_address_of_the_login_alone_adds_nothing(self):
        order = self._create_guest_order()
        token = order.access_token
        self._log_in(self.portal_user)
        claim = f"/my/orders/{order.id}/claim?access_token={token}"
        for link in (claim, f"/web/login?redirect={claim}"):
            page = self._open(link)
            self._assert_unclaimed(order)
            self.assertTrue(self._get_offer(page))

    def test_page_offers_nothing_that_would_not_work(self):
        new = self._create_customer("New", "new@example.com")
        created = self._create_order(new, website_id=self.website.id)
        created.action_confirm()
        self.assertTrue(created.user_created)
        quotation = self._create_order(self._create_customer("G", "jane@example.com"))
        claimed = self._create_guest_order()
        claimed._claim_for(self.portal_user, "staff")
        off = self._create_guest_order()
        self._log_in()
        for order in (created, quotation, claimed):
            self._order_in_this_browser(order)
            self.assertFalse(self._get_offer(self._open("/shop/confirmation")))
        self._order_in_this_browser(off)
        self.assertTrue(self._get_offer(self._open("/shop/confirmation")))
        self.website.account_on_checkout = "mandatory"
        self.assertFalse(self._get_offer(self._open("/shop/confirmation")))
        self.website.account_on_checkout = "optional"
        self.company.portal_order_claims = False
        self.assertFalse(self._get_offer(self._open("/shop/confirmation")))

    def test_email_of_the_order_adds_it(self):
        order = self._create_guest_order()
        url = order.get_portal_url()
        self._log_in()
        page = self._open(url)
        self.assertEqual(self._get_offer(page), [OFFER])
        [link] = page.xpath("//*[contains(@class, 'o_portal_claim')]//a/@href")
        self.assertIn(order.access_token, parse_qs(urlsplit(link).query)["redirect"][0])
        self.assertIn("/claim?", parse_qs(urlsplit(link).query)["redirect"][0])
        self._log_in(self.portal_user)
        page = self._open(url)
        self._assert_unclaimed(order)
        [form] = page.xpath("//form[contains(@class, 'o_portal_claim')]")
        self.url_open(form.get("action"), data=dict(form.fields))
        self._assert_claimed(order, "email")
        self.assertFalse(self._get_offer(self._open(url)))

    def test_my_orders_and_my_invoices_list_what_was_added(self):
        order, own = self._create_guest_order(), self._create_order(self.account)
        foreign = self._create_guest_order()
        own.action_confirm()
        order.order_line.qty_delivered = 1
        order._create_invoices().action_post()
        self._log_in(self.portal_user)
        self.assertNotIn(order.name, self.url_open("/my/orders").text)
        self.assertNotIn(order.invoice_ids.name, self.url_open("/my/invoices").text)
        order._claim_for(self.portal_user, "staff")
        text = self.url_open("/my/orders").text
        self.assertIn(order.name, text)
        self.assertIn(own.name, text)
        self.assertNotIn(foreign.name, text)
        self.assertIn(order.invoice_ids.name, self.url_open("/my/invoices").text)
        text = self.url_open(f"/my/orders/{order.id}").text
        self.assertIn(order.name, text)
        text = self.url_open(f"/my/invoices/{order.invoice_ids.id}").text
        self.assertIn(order.invoice_ids.name, text)
        self.assertNotIn("1 Guest Street", self.url_open("/my/addresses").text)

    def _ask_for_link(self):
        with self.mock_mail_gateway(mail_unlink_sent=True):
            response = self._post("/web/portal/missing")
        self.assertEqual(response.status_code, 200)
        return response.text, [self._get_link(mail) for mail in self._mails]

    def test_missing_order_is_found_by_a_link_to_the_login(self):
        order, foreign = self._create_guest_order(), self._create_guest_order("x@y.com")
        self._log_in(self.portal_user)
        [link] = self._open("/my/orders").xpath(
            "//*[contains(@class, 'o_portal_missing')]//a/@href"
        )
        self._open(link)
        with self.mock_mail_gateway(mail_unlink_sent=True):
            self._post(link)
        [mail] = self._mails
        self.assertEqual(mail["email_to"], ["jane@example.com"])
        self.assertFalse(
            self.env["mail.mail"].search([("body_html", "like", "token=")])
        )
        page = self._open(self._get_link(mail))
        self._assert_unclaimed(order)
        text = page.text_content()
        self.assertIn(order.name, text)
        self.assertNotIn(foreign.name, text)
        [form] = page.xpath("//form[@action='/web/portal/missing']")
        self.url_open(form.get("action"), data=dict(form.fields))
        self._assert_claimed(order, "search")
        self._assert_unclaimed(foreign)

    def test_link_that_could_not_be_sent_is_not_kept(self):
        self._log_in(self.portal_user)
        for error in (MailDeliveryException("Down"), SMTPServerDisconnected("Down")):
            with (
                self.subTest(error=error),
                self.mock_mail_gateway(mail_unlink_sent=True),
                patch.object(IrMail_Server, "send_email", side_effect=error),
                mute_logger("odoo.addons.mail.models.mail_mail"),
                self.assertLogs("odoo.addons.sale_portal_claim", "ERROR"),
            ):
                response = self._post("/web/portal/missing")
                self.assertIn("could not be sent", self._get_answer(response.text))
                domain = [("subject", "like", "Find your orders")]
                self.assertFalse(self.env["mail.mail"].search(domain))

    def test_name_that_is_a_link_is_not_in_the_email(self):
        """A stranger registers freely with any name and somebody else's address."""
        self.portal_user.name = "Win at http://evil.example"
        self._log_in(self.portal_user)
        self._ask_for_link()
        [mail] = self._mails
        self.assertNotIn("evil", mail["body"])
        self.portal_user.name = "Jane Doe"
        self._ask_for_link()
        self.assertIn("Jane Doe", self._mails[0]["body"])

    def test_link_keeps_its_token_on_the_way_to_the_login(self):
        self._log_in(self.portal_user)
        _text, [link] = self._ask_for_link()
        parts = urlsplit(link)
        self.assertEqual(parts.path, "/web/portal/missing")
        self._log_in()
        url = self.url_open(link).url
        self.assertEqual(
            parse_qs(urlsplit(url).query)["redirect"], [f"{parts.path}?{parts.query}"]
        )

    def test_answer_is_the_same_until_three_emails_a_day_are_enough(self):
        self._log_in(self.portal_user)
        text, links = self._ask_for_link()
        self.assertEqual(len(links), 1)
        self._create_guest_order()
        for _click in range(2):
            again, links = self._ask_for_link()
            self.assertEqual(len(links), 1)
            self.assertEqual(self._get_answer(again), self._get_answer(text))
        for _click in range(2):
            again, links = self._ask_for_link()
            self.assertFalse(links)
            self.assertIn("have sent three links", self._get_answer(again))
        self.env.cr.execute(
            "UPDATE portal_claim_request SET create_date = create_date - interval '25h'"
        )
        self.assertEqual(len(self._ask_for_link()[1]), 1)

    def _get_answer(self, text):
        [answer] = html.fromstring(text).xpath(
            "//*[contains(@class, 'o_portal_missing_orders')]"
        )
        return answer.text_content()

    def test_setting_off_hides_the_search(self):
        self.company.portal_order_claims = False
        self._log_in(self.portal_user)
        self.assertNotIn("/web/portal/missing", self.url_open("/my/orders").text)
        _text, links = self._ask_for_link()
        self.assertFalse(links)

    def test_prefetch_and_head_change_nothing(self):
        order = self._create_guest_order()
        self._log_in(self.portal_user)
        _text, [link] = self._ask_for_link()
        claim = f"/my/orders/{order.id}/claim?access_token={order.access_token}"
        for url in (order.get_portal_url(), link, claim):
            for method in ("GET", "HEAD"):
                parts = urlsplit(url)
                self.opener.request(
                    method, self.base_url() + parts.path, params=parts.query
                )
        self._assert_unclaimed(order)

    def test_forged_post_changes_nothing_and_says_so(self):
        order = self._create_guest_order()
        self._log_in(self.portal_user)
        _text, [link] = self._ask_for_link()
        token = parse_qs(urlsplit(link).query)["token"][0]
        for response in (
            self._claim(order, access_token=order.access_token, csrf_token="forged"),
            self._post("/web/portal/missing", token=token, csrf_token="forged"),
        ):
            self.assertIn("Please try again", self._get_notice(response))
        self._assert_unclaimed(order)

    def test_visitor_claims_nothing(self):
        order = self._create_guest_order()
        self._log_in()
        response = self._claim(order, access_token=order.access_token)
        self.assertIn("/web/login", response.url)
        self._assert_unclaimed(order)

    def test_another_login_claims_nothing(self):
        order = self._create_guest_order()
        self._log_in(self.portal_user)
        _text, [link] = self._ask_for_link()
        token = parse_qs(urlsplit(link).query)["token"][0]
        self.stranger.partner_id.email = "jane@example.com"
        self._log_in(self.stranger)
        self._order_in_this_browser(order)
        self._claim(order, access_token=order.access_token)
        self.assertFalse(self._get_offer(self._open(order.get_portal_url())))
        self.assertNotIn(order.name, self.url_open(link).text)
        self._post("/web/portal/missing", token=token)
        self._assert_unclaimed(order)

    def test_counting_up_ids_claims_nothing(self):
        orders = [self._create_guest_order() for _ in range(3)]
        foreign = self._create_guest_order("stranger@example.com")
        self._log_in(self.portal_user)
        self._order_in_this_browser(foreign)
        for order in orders:
            for token in ("", "None", "False", foreign.access_token, orders[0].name):
                self._claim(order, access_token=token)
            self._claim(order)
        response = self._post("/my/orders/999999999/claim", access_token="x")
        self.assertEqual(response.status_code, 200)
        self._assert_unclaimed(*orders, foreign)

    def test_order_without_token_is_not_claimed_by_an_empty_one(self):
        order = self._create_guest_order()
        order.access_token = False
        self._log_in(self.portal_user)
        for token in ("", "False", "None"):
            self._claim(order, access_token=token)
        self._assert_unclaimed(order)

    def test_expired_changed_and_garbled_links_find_nothing(self):
        order = self._create_guest_order()
        self._log_in(self.portal_user)
        with patch.object(portal_claim_request, "VALIDITY", timedelta(seconds=-1)):
            _text, [expired] = self._ask_for_link()
        _text, [link] = self._ask_for_link()
        tokens = [
            parse_qs(urlsplit(expired).query)["token"][0],
            parse_qs(urlsplit(link).query)["token"][0] + "A",
            parse_qs(urlsplit(link).query)["token"][0][:-3],
            "garbage",
            "é",
        ]
        for token in tokens:
            with self.subTest(token):
                page = self._post("/web/portal/missing", token=token)
                self.assertEqual(page.status_code, 200)
                self.assertNotIn(order.name, page.text)
        self._assert_unclaimed(order)

    def test_link_dies_with_the_login(self):
        order = self._create_guest_order()
        self._log_in(self.portal_user)
        _text, [link] = self._ask_for_link()
        self.portal_user.login = "changed@example.com"
        self.assertNotIn(order.name, self.url_open(link).text)

    def test_registered_and_never_proven_account_claims_nothing(self):
        """A stranger registers freely with Jane's address before she does."""
        self.portal_user.unlink()
        self.website.auth_signup_uninvited = "b2c"
        self._log_in()
        page = self._open("/web/signup")
        [form] = page.xpath("//form[contains(@class, 'oe_signup_form')]")
        data = dict(form.fields) | {
            "login": "jane@example.com",
            "name": "Stranger",
            "password": PASSWORD,
            "confirm_password": PASSWORD,
        }
        with self.mock_mail_gateway():
            self.url_open("/web/signup", data=data)
        user = self._get_users("jane@example.com")
        self.assertTrue(user)
        order = self._create_guest_order()
        self._log_in(user)
        self._claim(order)
        self._claim(order, access_token="guessed")
        with self.mock_mail_gateway(mail_unlink_sent=True):
            self._post("/web/portal/missing")
        self.assertEqual(self._mails[0]["email_to"], ["jane@example.com"])
        self._assert_unclaimed(order)
        self.assertNotIn(order.name, self.url_open("/my/orders").text)

    def test_second_account_gets_nothing_of_what_is_claimed(self):
        other_site = self.env["website"].create({"name": "Other"})
        second = self._create_user("jane@example.org")
        order = self._create_guest_order()
        order.website_id = False
        self._log_in(self.portal_user)
        self._claim(order, access_token=order.access_token)
        self._assert_claimed(order, "email")
        self.env.cr.execute(
            "UPDATE res_users SET login = 'jane@example.com', website_id = %s "
            "WHERE id = %s",
            (other_site.id, second.id),
        )
        self.env.invalidate_all()
        self.assertFalse(order._filter_claimable(second))

    def _change_details(self, partner):
        partner.write(
            {"name": "Jane New", "street": "2 Secret Street", "phone": "555 0199"}
        )

    def _create_activated_order(self):
        order = self._create_order(website_id=self.website.id)
        self.customer.write({"street": "1 Old Street", "phone": "555 0100"})
        order.action_confirm()
        order._portal_ensure_token()
        order.order_line.qty_delivered = 1
        order._create_invoices().action_post()
        user = self.customer.user_ids
        self.assertTrue(user)
        user.password = PASSWORD
        return order, user

    def _assert_details(self, order):
        invoice = order.invoice_ids
        self._order_in_this_browser(order)
        for url in (
            "/shop/confirmation",
            order.get_portal_url(),
            invoice.get_portal_url(),
            order.get_portal_url(report_type="html"),
            invoice.get_portal_url(report_type="html"),
        ):
            with self.subTest(url):
                response = self.url_open(url)
                self.assertEqual(response.status_code, 200)
                if invoice.access_url not in url:
                    self.assertIn(order.name, response.text)
                if invoice.access_url not in url or "report" in url:
                    self.assertIn("Jane New", response.text)
                    self.assertIn("2 Secret Street", response.text)

    def test_documents_are_complete_for_whoever_has_the_link(self):
        """As in Odoo: for the customer, for staff who print them, and by the link."""
        self.portal_user.unlink()
        order, user = self._create_activated_order()
        self._change_details(self.customer)
        user.with_user(user)._update_last_login()
        self._log_in()
        self._assert_details(order)
        self._log_in(user)
        self._assert_details(order)
        self.salesperson.password = PASSWORD
        self._log_in(self.salesperson)
        self._assert_details(order)

    def test_account_sees_the_details_of_the_guest(self):
        order = self._create_guest_order()
        order.order_line.qty_delivered = 1
        order._create_invoices().action_post()
        order._claim_for(self.portal_user, "staff")
        self._change_details(order.partner_id)
        self._log_in(self.portal_user)
        self._assert_details(order)

    def test_points_stay_with_the_guest_until_staff_merge(self):
        if "loyalty.card" not in self.env:
            self.skipTest("needs sale_loyalty")
        order, plain = self._create_guest_order(), self._create_guest_order()
        program = self.env["loyalty.program"].create(
            {"name": "eWallet", "program_type": "ewallet"}
        )
        card = self.env["loyalty.card"].create(
            {"program_id": program.id, "partner_id": order.partner_id.id, "points": 50}
        )
        (order + plain)._claim_for(self.portal_user, "search")
        self.assertIn("merge the contacts", order.message_ids[0].body)
        self.assertNotIn("merge", plain.message_ids[0].body)
        self._log_in(self.portal_user)
        pages = [self._open(f"/my/orders/{o.id}") for o in (order, plain)]
        found = [
            page.xpath("//*[contains(@class, 'o_portal_points')]") for page in pages
        ]
        self.assertEqual([len(boxes) for boxes in found], [1, 0])
        card.partner_id = self.account
        page = self._open(f"/my/orders/{order.id}")
        self.assertFalse(page.xpath("//*[contains(@class, 'o_portal_points')]"))
