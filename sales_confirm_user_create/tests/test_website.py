import logging
from urllib.parse import parse_qs, urlencode, urlsplit

from lxml import html

from odoo import fields, http
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.website.tests.test_performance import UtilPerf

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestWebsitePages(PortalAccountCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].get_current_website()
        cls.website.auth_signup_uninvited = "b2c"

    def _get_page(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def _get_confirmation_page(self, order):
        """Open the confirmation page as the visitor who placed the order."""
        session = self.authenticate(None, None)
        session["sale_last_order_id"] = order.id
        http.root.session_store.save(session)
        return self._get_page("/shop/confirmation")

    def _get_message(self, page):
        return [
            " ".join(message.text_content().split())
            for message in page.xpath(
                "//*[contains(@class, 'o_portal_account_created')]"
            )
        ]

    def _get_tokens(self, page):
        return page.xpath("//a[contains(@href, 'token=')]")

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

    def test_message_is_gone_once_the_account_is_activated(self):
        order = self._create_order(website_id=self.website.id)
        order.action_confirm()
        user = self.customer.user_ids
        user.with_user(user)._update_last_login()
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertFalse(self._get_tokens(page))

    def test_visitor_with_known_address_reads_nothing_and_gets_no_key(self):
        self._create_order().action_confirm()
        guest = self._create_customer("Guest", "jane@example.com")
        order = self._create_order(guest, website_id=self.website.id)
        order.action_confirm()
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertFalse(self._get_tokens(page))

    def test_visitor_without_account_may_still_sign_up(self):
        order = self._create_order(website_id=self.website.id)
        order.state = "sale"  # as an order from before the addon
        page = self._get_confirmation_page(order)
        self.assertFalse(self._get_message(page))
        self.assertTrue(self._get_tokens(page), "the button is there for the others")

    def test_message_is_escaped(self):
        self.customer.email = '"<b id=x>" <jane@example.com>'
        order = self._create_order(website_id=self.website.id)
        order.action_confirm()
        self.assertFalse(self._get_confirmation_page(order).xpath("//b[@id='x']"))

    def test_quotation_accepted_in_the_portal_says_so(self):
        order = self._create_order(require_signature=True, require_payment=False)
        token = order._portal_ensure_token()
        pixel = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
        result = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {"access_token": token, "name": "Jane Doe", "signature": pixel},
        )
        self.assertTrue(order.user_created)
        page = self._get_page(result["redirect_url"])
        [message] = self._get_message(page)
        self.assertIn("jane@example.com", message)
        page = self._get_page(f"/my/orders/{order.id}?access_token={token}")
        self.assertFalse(self._get_message(page), "only where it was just accepted")
        user = self.customer.user_ids
        user.with_user(user)._update_last_login()
        page = self._get_page(result["redirect_url"])
        self.assertFalse(self._get_message(page), "not once the account is activated")

    def test_sign_up_with_the_address_of_an_account_is_refused_kindly(self):
        self._create_order().action_confirm()
        for address in ("jane@example.com", "JANE@example.com"):
            with self.subTest(address):
                page = self._sign_up(address)
                [alert] = page.xpath("//p[@role='alert']")
                self.assertIn(
                    "There is an account for this address already", alert.text_content()
                )
        users = self.env["res.users"].search([("login", "=ilike", "jane@example.com")])
        self.assertEqual(users, self.customer.user_ids)

    def test_sign_up_with_a_new_address_works_as_ever(self):
        self._sign_up("new@example.com")
        self.assertTrue(self._get_users("new@example.com"))

    def _sign_up(self, address):
        self.authenticate(None, None)
        response = self.url_open(
            "/web/signup",
            data={
                "name": "Jane",
                "login": address,
                "password": "Secret-12345",
                "confirm_password": "Secret-12345",
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        return html.fromstring(response.text)

    def _open_link(self):
        """Confirm an order and open the link of the invitation as a visitor."""
        self._create_order().action_confirm()
        [mail] = self._send_invitations()
        link = urlsplit(self._get_link(mail))
        self.authenticate(None, None)
        return link, self.url_open(f"{link.path}?{link.query}")

    def _get_inputs(self, response):
        return html.fromstring(response.text).xpath(
            "//form[contains(@class, 'oe_signup_form')"
            " or contains(@class, 'oe_reset_password_form')]//input"
        )

    def _get_values(self, response):
        """Return what the form sends as it is."""
        return {
            field.get("name"): field.get("value")
            for field in self._get_inputs(response)
        }

    def _get_form(self, response, **values):
        """Return what the form to sign up sends, with a password and other values."""
        password = dict.fromkeys(("password", "confirm_password"), "Secret-12345")
        return self._get_values(response) | password | values

    def _get_readonly(self, response):
        return [
            field.get("name")
            for field in self._get_inputs(response)
            if field.get("readonly")
        ]

    def test_link_activates_once_and_keeps_its_token_to_itself(self):
        link, response = self._open_link()
        token = parse_qs(link.query)["token"][0]
        self.assertNotIn("token", response.url)
        self.assertNotIn(token, response.text)
        form = self._get_form(response)
        self.assertEqual(form["login"], "jane@example.com")
        self.assertEqual(self._get_readonly(response), ["name", "login"])
        with self.mock_mail_gateway():
            response = self.url_open(response.url, data=form)
        self.assertTrue(response.url.endswith("/my/orders"), response.url)
        self.assertIn(
            self.customer.user_ids.portal_invitation_order_id.name, response.text
        )
        self.assertEqual(self.customer.user_ids.state, "active")
        self.assertTrue(self.customer.user_ids.portal_activation_date)
        self.authenticate(None, None)
        response = self.url_open(f"{link.path}?{link.query}")
        self.assertNotIn("oe_signup_form", response.text)
        self.assertIn("This link no longer works", response.text)
        self.assertEqual(
            parse_qs(urlsplit(response.url).query)["redirect"], ["/my/orders"]
        )

    def test_garbled_link_is_answered_kindly_and_forgotten(self):
        self.authenticate(None, None)
        for token in ("garbage", "%F0%9F", "AAAA", "e30"):
            with self.subTest(token):
                response = self.url_open(f"/web/signup?token={token}")
                self.assertEqual(response.status_code, 200)
                self.assertIn("This link no longer works", response.text)
        self.assertIn("oe_signup_form", self.url_open("/web/signup").text)

    def test_garbled_form_is_not_taken_for_an_invitation(self):
        self.authenticate(None, None)
        form = self._get_form(self.url_open("/web/signup"), token="garbage")
        response = self.url_open("/web/signup", data=form)
        self.assertIn("Invalid signup token", response.text)
        self.assertNotIn("Activate my account", response.text)

    def test_link_of_odoo_to_sign_up_creates_an_account(self):
        """Odoo's own link is for contacts without a user, who choose their name."""
        self.customer.signup_prepare()
        link = urlsplit(self.customer._get_signup_url())
        self.authenticate(None, None)
        response = self.url_open(f"{link.path}?{link.query}")
        self.assertFalse(self._get_readonly(response))
        self.assertNotIn("Activate my account", response.text)
        form = self._get_form(response, name="Jane")
        with self.mock_mail_gateway():
            self.url_open(response.url, data=form | {"login": "other@example.com"})
        self.assertEqual(self.customer.user_ids.login, "other@example.com")

    def _open_mailed_quotation(self, order):
        """Open a quotation from Odoo's mail, whose link tells who may sign up."""
        [param] = self.customer.signup_get_auth_param().values()
        url = order.get_portal_url(query_string=f"&{urlencode(param)}")
        self.authenticate(None, None)
        self.assertIn("auth_signup_token", url)
        self._get_page(url)
        return url

    def test_who_signs_up_after_a_mailed_quotation_is_its_customer(self):
        order = self._create_order()
        self._open_mailed_quotation(order)
        response = self.url_open("/web/signup")
        form = self._get_form(response, name="Jane")
        with self.mock_mail_gateway():
            self.url_open(response.url, data=form)
        self.assertEqual(self.customer.user_ids.login, "jane@example.com")
        order.action_confirm()
        self.assertFalse(order.user_created)

    def test_mailed_quotation_opened_meanwhile_leaves_the_invitation_alone(self):
        url = self._open_mailed_quotation(self._create_order())
        _link, response = self._open_link()
        form = self._get_form(response)
        self._get_page(url)
        with self.mock_mail_gateway():
            self.url_open(response.url, data=form)
        self.assertEqual(self.customer.user_ids.state, "active")

    def test_mailed_quotation_of_a_customer_with_an_account_is_forgotten(self):
        order = self._create_order()
        self._open_mailed_quotation(order)
        self.assertIn("jane@example.com", self.url_open("/web/signup").text)
        order.action_confirm()
        response = self.url_open("/web/signup")
        self.assertNotIn("Invalid signup token", response.text)
        self.assertNotIn("jane@example.com", response.text)

    def test_form_of_odoo_with_a_token_needs_no_free_sign_up(self):
        self.website.auth_signup_uninvited = "b2b"
        self._create_order().action_confirm()
        [mail] = self._send_invitations()
        token = parse_qs(urlsplit(self._get_link(mail)).query)["token"][0]
        self.authenticate(None, None)
        with self.mock_mail_gateway():
            self.url_open(
                "/web/signup",
                data={
                    "token": token,
                    "login": "jane@example.com",
                    "name": "Jane Doe",
                    "password": "Secret-12345",
                    "confirm_password": "Secret-12345",
                    "csrf_token": http.Request.csrf_token(self),
                },
            )
        self.assertEqual(self.customer.user_ids.state, "active")

    def test_reset_password_is_not_about_the_link(self):
        link, _response = self._open_link()
        for _visit in range(2):
            response = self.url_open("/web/reset_password")
            self.assertEqual(response.status_code, 200)
            self.assertNotIn(parse_qs(link.query)["token"][0], response.text)
            self.assertNotIn('name="password"', response.text)
            self.assertIn('name="login"', response.text)

    def test_who_has_a_dead_link_gets_another_by_reset_password(self):
        link, _response = self._open_link()
        self.customer.user_ids.portal_invitation_count += 1
        response = self.url_open(f"{link.path}?{link.query}")
        [href] = html.fromstring(response.text).xpath(
            "//a[starts-with(@href, '/web/reset_password')]/@href"
        )
        response = self.url_open(href)
        self.assertNotIn("alert-danger", response.text)
        self._reset_password(response)

    def _reset_password(self, response):
        """Send the form on the page *Reset Password*, and check that a mail leaves."""
        form = self._get_values(response)
        self.assertIn("login", form)
        with self.mock_mail_gateway():
            self.url_open(response.url, data=form | {"login": "jane@example.com"})
        self.assertEqual(
            [mail["email_to"] for mail in self._mails], [["jane@example.com"]]
        )

    def test_reset_password_after_a_mailed_quotation_is_not_about_it(self):
        order = self._create_order()
        self._open_mailed_quotation(order)
        order.action_confirm()
        self._reset_password(self.url_open("/web/reset_password"))

    def test_reset_password_is_not_about_a_guest_with_a_known_address(self):
        self._create_order().action_confirm()
        self.customer = self._create_customer("Jane as a guest", "jane@example.com")
        self._open_mailed_quotation(self._create_order(self.customer))
        self._reset_password(self.url_open("/web/reset_password"))

    def test_link_for_a_contact_without_address_lets_type_one(self):
        self.customer.signup_prepare()
        link = urlsplit(self.customer._get_signup_url())
        self.customer.email = False
        self.authenticate(None, None)
        response = self.url_open(f"{link.path}?{link.query}")
        self.assertFalse(self._get_readonly(response))
        form = self._get_form(response, name="Jane", login="typed@example.com")
        with self.mock_mail_gateway():
            self.url_open(response.url, data=form)
        self.assertEqual(self.customer.user_ids.login, "typed@example.com")

    def test_sign_up_without_the_link_is_not_about_the_account(self):
        _link, response = self._open_link()
        self.assertIn("jane@example.com", self.url_open(response.url).text)
        response = self.url_open("/web/signup")
        self.assertFalse(self._get_readonly(response))
        self.assertNotIn("jane@example.com", response.text)
        self.assertNotIn("Activate my account", response.text)

    def test_form_of_another_link_sets_no_password(self):
        _link, response = self._open_link()
        form = self._get_form(response, login="somebody@example.com")
        response = self.url_open(response.url, data=form)
        self.assertEqual(self.customer.user_ids.state, "new")
        self.assertEqual(self._get_form(response)["login"], "jane@example.com")

    def test_form_of_a_link_that_was_replaced_says_so(self):
        _link, response = self._open_link()
        page, form = response.url, self._get_form(response)
        self.customer.user_ids.portal_invitation_count += 1
        response = self.url_open(page, data=form)
        self.assertIn("This link no longer works", response.text)
        self.assertEqual(self.customer.user_ids.state, "new")
        self.assertIn("oe_signup_form", self.url_open(page).text, "it is forgotten")

    def test_signup_page_without_link_leads_to_the_login(self):
        self.website.auth_signup_uninvited = "b2b"
        self.authenticate(None, None)
        response = self.url_open("/web/signup")
        self.assertEqual(urlsplit(response.url).path, "/web/login")
        self.assertIn("This link no longer works", response.text)

    def test_login_page_speaks_of_no_link_to_who_comes_without(self):
        self.authenticate(None, None)
        response = self.url_open("/web/login")
        self.assertNotIn("This link no longer works", response.text)

    def test_mailed_quotation_lets_sign_up_where_nobody_else_may(self):
        self.website.auth_signup_uninvited = "b2b"
        # from when everybody might: Odoo gives no such link else
        self.customer.signup_prepare()
        param = {"auth_signup_token": self.customer._generate_signup_token()}
        url = self._create_order().get_portal_url(query_string=f"&{urlencode(param)}")
        self.authenticate(None, None)
        self._get_page(url)
        form = self._get_form(self.url_open("/web/signup"))
        self.assertEqual(form["login"], "jane@example.com")

    def test_log_of_requests_has_no_token(self):
        self.assertEqual(
            self._log_request("/web/signup?db=x&token=abcDEF-_123&redirect=/my"),
            '"GET /web/signup?db=x&token=…&redirect=/my HTTP/1.1" 200',
        )
        self.assertEqual(
            self._log_request("/shop?search=token=1"),
            '"GET /shop?search=token=1 HTTP/1.1" 200',
        )

    def _log_request(self, path):
        """Return what the log of requests says about a path."""
        logger = logging.getLogger("werkzeug")
        record = logger.makeRecord(
            logger.name, logging.INFO, "", 0, '"GET %s HTTP/1.1" %s', (path, 200), None
        )
        self.assertTrue(logger.filter(record))
        return record.getMessage()

    def test_customer_sees_own_orders_and_nobody_elses(self):
        order = self._create_order()
        order.action_confirm()
        other = self._create_order(self._create_customer("Other", "other@example.com"))
        other.action_confirm()
        self.customer.user_ids.password = "Secret-12345"
        self.authenticate("jane@example.com", "Secret-12345")
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
class TestTours(PortalAccountCommon, HttpCase):
    def test_guest_checks_out_and_reads_the_message(self):
        self.env["product.product"].create(
            {
                "name": "Free advice",
                "type": "service",
                "list_price": 0,
                "is_published": True,
            }
        )
        website = self.env["website"].get_current_website()
        website.prevent_zero_price_sale = False
        # else there is no button to sign up that could be gone
        website.auth_signup_uninvited = "b2c"
        self.start_tour("/shop", "portal_account_guest_checkout")
        order = self.env["sale.order"].search(
            [("user_created", "=", True)], limit=1, order="id desc"
        )
        self.assertEqual(order.partner_id.email, "jane.guest@example.com")
        self.assertEqual(order.partner_id.user_ids.login, "jane.guest@example.com")
        self.assertFalse(order.partner_id.user_ids.login_date)
        self.assertTrue(order.partner_id.user_ids.portal_invitation_due)

    def test_salesperson_clicks_confirm(self):
        user = new_test_user(
            self.env,
            "portal-account-seller",
            "sales_team.group_sale_salesman",
            password="Secret-12345",
        )
        order = self._create_order(user_id=user.id)
        self.start_tour(
            f"/odoo/sales/{order.id}", "portal_account_confirm_button", login=user.login
        )
        self.assertTrue(order.user_created)
        self.assertTrue(self.customer.user_ids)

    def test_salesperson_resends_the_invitation(self):
        user = new_test_user(
            self.env,
            "portal-account-seller",
            "sales_team.group_sale_salesman",
            password="Secret-12345",
        )
        order = self._create_order(user_id=user.id)
        order.action_confirm()
        self._send_invitations_in_http_case()
        self.start_tour(
            f"/odoo/sales/{order.id}", "portal_account_resend", login=user.login
        )
        self.assertTrue(self.customer.user_ids.portal_invitation_due)

    def _send_invitations_in_http_case(self):
        """Mark the invitations as sent: the tours are about sending them again."""
        self.customer.user_ids.write(
            {
                "portal_invitation_due": False,
                "portal_invitation_date": fields.Datetime.now(),
            }
        )

    def test_administrator_changes_the_settings(self):
        self.start_tour("/odoo/settings", "portal_account_settings", login="admin")
        company = self.env.ref("base.user_admin").company_id
        self.assertEqual(company.portal_account_policy, "never")

    def test_manager_creates_accounts_for_past_orders(self):
        manager = new_test_user(
            self.env,
            "portal-account-manager",
            "sales_team.group_sale_manager",
            password="Secret-12345",
        )
        order = self._create_order(user_id=manager.id, state="sale")
        self.start_tour(
            "/odoo/action-sale.action_orders",
            "portal_account_batch",
            login=manager.login,
        )
        batch = self.env["portal.account.batch"].search([], limit=1)
        self.assertEqual(batch.create_uid, manager)
        self.assertEqual(batch.state, "stopped")
        self.assertIn(order, batch.order_ids)
        self.assertFalse(order.user_created)


@tagged("post_install", "-at_install")
class TestConfirmationPageQueries(PortalAccountCommon, UtilPerf):
    """The page costs nothing more than without the addon's view of it."""

    def _count_queries(self, order):
        session = self.authenticate(None, None)
        session["sale_last_order_id"] = order.id
        http.root.session_store.save(session)
        return self._get_url_hot_query("/shop/confirmation")

    def test_confirmation_page_takes_no_query_more(self):
        website = self.env["website"].get_current_website()
        website.auth_signup_uninvited = "b2c"
        view = self.env.ref("sales_confirm_user_create.confirmation")
        self.company.portal_account_policy = "never"
        unknown = self._create_order(website_id=website.id)
        unknown.action_confirm()
        self.company.portal_account_policy = "all"
        created = self._create_order(
            self._create_customer("John", "john@example.com"), website_id=website.id
        )
        created.action_confirm()
        self.assertTrue(created.user_created)
        for order in (unknown, created):
            with self.subTest(user_created=order.user_created):
                view.active = True
                count = self._count_queries(order)
                view.active = False
                self.assertLessEqual(count, self._count_queries(order))
