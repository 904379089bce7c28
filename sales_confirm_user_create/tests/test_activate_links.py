from urllib.parse import urlsplit

from lxml import html

from odoo import Command
from odoo.tests import new_test_user, tagged

from .common_http import PASSWORD, PortalPageCase

VALID = "Activate your account"
EXPIRED = "This link has expired"
RENEWED = "Check your email"
USED = "Your account is active"
INVALID = "This link does not work"
MISSING = "Open the link in our email again"
OTHER_USER = "You are logged in"


@tagged("post_install", "-at_install")
class TestActivationLinks(PortalPageCase):
    """What a link is good for, and what the page says where it is not."""

    def assertLink(self, link, heading):
        """A link shows a page with a heading to somebody new."""
        self.assertEqual(self._get_heading(self._open_link(link)), heading)

    def test_expired_link_sends_a_new_one_to_the_login(self):
        link = self._invite()
        with self._later(days=7):
            response = self._open_link(link)
            self.assertEqual(self._get_heading(response), EXPIRED)
            self.assertIn("jane@example.com", response.text)
            self.assertNotIn('type="password"', response.text)
            response = self._submit(response, email="thief@example.com")
            self.assertEqual(self._get_heading(response), RENEWED)
            self.assertIn("jane@example.com", response.text)
            [mail] = self._send_invitations()
            self.assertEqual(mail["email_to"], ["jane@example.com"])
            link = urlsplit(self._get_link(mail))
            self.assertLink(f"{link.path}?{link.query}", VALID)

    def test_expired_link_sends_one_email_in_ten_minutes(self):
        link = self._invite()
        with self._later(days=7):
            page = self._open_link(link)
            for _click in range(2):
                self._submit(page)
            self.assertEqual(len(self._send_invitations()), 1)
            response = self._submit(page)
            self.assertEqual(self._get_heading(response), RENEWED)
            self.assertIn("in ten minutes", response.text)
            self.assertFalse(self._send_invitations())
        with self._later(days=7, minutes=11):
            self._submit(self._open_link(link))
            self.assertEqual(len(self._send_invitations()), 1)

    def test_link_is_dead_where_emails_go_somewhere_else(self):
        link = self._invite()
        # not by staff, whose correction the login would follow
        self.customer.with_user(
            self.customer.user_ids
        ).sudo().email = "other@example.com"
        for days in (0, 7):
            with self._later(days=days):
                response = self._open_link(link)
                self.assertEqual(self._get_heading(response), INVALID)
                self.assertFalse(self._send_invitations())

    def test_expired_link_sets_no_password(self):
        link = self._invite()
        with self._later(days=5, hours=23, minutes=50):
            response = self._open_link(link)
            self.assertEqual(self._get_heading(response), VALID)
        with self._later(days=6, minutes=10):
            response = self._choose_password(response)
        self.assertEqual(self._get_heading(response), EXPIRED)
        self.assertNotActivated(self.customer.user_ids)

    def test_valid_link_sends_no_email(self):
        response = self._open_link()
        with self._later(hours=1):
            self._submit(response, action="renew")
            self.assertFalse(self._send_invitations())

    def test_used_link_leads_to_the_login(self):
        link = self._invite()
        self._choose_password(self._open_link(link))
        response = self._open_link(link)
        self.assertEqual(self._get_heading(response), USED)
        [button] = html.fromstring(response.text).xpath(
            "//*[@id='wrap']//a[contains(@class, 'btn')]"
        )
        self.assertEqual(button.text_content(), "Log in")
        response = self.url_open(button.get("href"))
        self.assertEqual(urlsplit(response.url).path, "/web/login")

    def test_used_link_sets_no_password(self):
        link = self._invite()
        response = self._open_link(link)
        self._choose_password(self._open_link(link))
        page = self._open_link(link)
        form = {"action": "password", "login": "jane@example.com"}
        form |= dict.fromkeys(("password", "confirm_password"), "Other-12345")
        form["csrf_token"] = self._get_form(response)["csrf_token"]
        self.url_open(page.url, data=form)
        self.assertActivated(self.customer.user_ids)

    def test_used_link_of_logged_in_customer_leads_to_the_order(self):
        order = self._create_order()
        link = self._invite(order)
        self._choose_password(self._open_link(link))
        for url in (link, "/web/portal/activate"):
            response = self.url_open(url)
            self.assertEqual(urlsplit(response.url).path, f"/my/orders/{order.id}")

    def test_garbled_links_are_one_plain_sentence(self):
        link = self._invite()
        token = link.partition("token=")[2]
        for garbled in (
            "garbage",
            "%F0%9F",
            "AAAA",
            "e30",
            "a%0d%0aSet-Cookie:b",
            token[:-1],
            token[:40],
            token[1:],
            f"{token}A",
            token.swapcase(),
            token * 50,
        ):
            with self.subTest(garbled):
                response = self._open_link(f"/web/portal/activate?token={garbled}")
                self.assertEqual(self._get_heading(response), INVALID)
                self.assertNotIn("jane@example.com", response.text)

    def test_garbled_link_is_not_taken_for_an_earlier_one(self):
        self._open_link()
        response = self.url_open("/web/portal/activate?token=garbage")
        self.assertEqual(self._get_heading(response), INVALID)

    def test_page_that_another_browser_opens_asks_for_the_link(self):
        """Some mail programs open links in a browser of their own."""
        page = self._open_link()
        for link in (urlsplit(page.url).path, "/web/portal/activate?token="):
            self.assertLink(link, MISSING)

    def test_dead_link_offers_a_way_on(self):
        self.env["ir.config_parameter"].set_param("auth_signup.reset_password", "True")
        for link in ("/web/portal/activate?token=x", "/web/portal/decline?token=x"):
            self.assertEqual(
                self._get_ways_on(link),
                {
                    "Log in": "/web/login",
                    "Reset Password": "/web/reset_password",
                    "Contact us": "/contactus",
                },
            )
        self.env["ir.config_parameter"].set_param("auth_signup.reset_password", "False")
        self.assertNotIn("Reset Password", self._get_ways_on(link))

    def _get_ways_on(self, link):
        """Return the links that a page offers, each of which works."""
        page = html.fromstring(self._open_link(link).text)
        links = page.xpath("//*[@id='wrap']//a")
        for way in links:
            self.assertEqual(self.url_open(way.get("href")).status_code, 200)
        return {way.text_content(): way.get("href") for way in links}

    def test_password_typed_too_late_is_not_lost_without_a_word(self):
        page = self._open_link()
        del self.opener.cookies["portal_activation"]
        response = self._choose_password(page)
        self.assertEqual(self._get_heading(response), MISSING)
        self.assertEqual(self._get_alert(response), "Your password was not saved.")
        self.assertNotActivated(self.customer.user_ids)

    def test_form_of_another_session_is_shown_again(self):
        page = self._open_link()
        del self.opener.cookies["session_id"]
        response = self._choose_password(page)
        self.assertEqual(self._get_heading(response), VALID)
        self.assertIn("Please try again", self._get_alert(response))
        self.assertNotActivated(self.customer.user_ids)
        self._choose_password(response)
        self.assertActivated(self.customer.user_ids)

    def test_second_tab_leads_to_the_order_and_says_why(self):
        order = self._create_order()
        page = self._open_link(self._invite(order))
        self._choose_password(page)
        response = self._choose_password(page, "Other-12345")
        self.assertEqual(urlsplit(response.url).path, f"/my/orders/{order.id}")
        self.assertEqual(
            self._get_notice(response),
            "This account is already active. Its password has not changed.",
        )
        self.assertActivated(self.customer.user_ids)

    def test_odoo_tokens_are_no_links(self):
        self._invite()
        self.customer.signup_prepare()
        token = self.customer._generate_signup_token()
        self.assertLink(f"/web/portal/activate?token={token}", INVALID)

    def test_employee_is_told_and_stays_logged_in(self):
        link = self._invite()
        employee = new_test_user(self.env, "employee", "base.group_user")
        self.authenticate("employee", "employee")
        response = self.url_open(link)
        self.assertEqual(self._get_heading(response), OTHER_USER)
        page = html.fromstring(response.text)
        self.assertEqual(
            [name.text_content() for name in page.xpath("//*[@id='wrap']//strong")],
            ["employee", "jane@example.com"],
        )
        response = self._submit(
            response,
            action="password",
            password=PASSWORD,
            confirm_password=PASSWORD,
        )
        self.assertEqual(self._get_heading(response), OTHER_USER)
        self.assertNotActivated(self.customer.user_ids)
        self.assertTrue(self._is_logged_in())
        self.assertTrue(employee.has_group("base.group_user"))

    def test_employee_who_agrees_continues_as_the_customer(self):
        link = self._invite()
        new_test_user(self.env, "employee", "base.group_user")
        self.authenticate("employee", "employee")
        response = self._submit(self.url_open(link))
        self.assertEqual(self._get_heading(response), VALID)
        self.assertFalse(self._is_logged_in())
        response = self._choose_password(response)
        self.assertIn("/my/orders/", response.url)
        self.assertActivated(self.customer.user_ids)

    def test_form_is_about_the_account_it_names(self):
        page = self._open_link()
        other = self._create_customer("John", "john@example.com")
        link = self._invite(self._create_order(other))
        self._open_browser()
        self.url_open(link)
        form = self._get_form(page) | {
            "csrf_token": self._get_form(self.url_open("/web/portal/activate"))[
                "csrf_token"
            ],
            "password": PASSWORD,
            "confirm_password": PASSWORD,
        }
        response = self.url_open("/web/portal/activate", data=form)
        self.assertEqual(self._get_form(response)["login"], "john@example.com")
        self.assertIn("now about john@example.com", self._get_alert(response))
        self.assertNotActivated(other.user_ids)
        self.assertNotActivated(self.customer.user_ids)

    def test_two_links_in_one_browser_activate_two_accounts(self):
        other = self._create_customer("John", "john@example.com")
        link = self._invite()
        other_link = self._invite(self._create_order(other))
        self._choose_password(self._open_link(link))
        response = self._submit(self.url_open(other_link))
        response = self._choose_password(response, "Other-12345")
        self.assertIn("/my/orders/", response.url)
        self.assertActivated(self.customer.user_ids)
        self.assertActivated(other.user_ids, "Other-12345")

    def test_link_is_alive_after_a_second_email(self):
        order = self._create_order()
        first = self._invite(order)
        with self._later(hours=1):
            order.action_resend_portal_invitation()
            second = self._get_sent_link()
        self.assertNotEqual(first, second)
        self.assertLink(second, VALID)
        response = self._choose_password(self._open_link(first))
        self.assertIn("/my/orders/", response.url)
        self.assertLink(second, USED)

    def test_link_dies_with_the_login(self):
        link = self._invite()
        self.customer.user_ids.login = "other@example.com"
        self.assertLink(link, INVALID)

    def test_link_of_a_corrected_address_is_dead(self):
        order = self._create_order()
        link = self._invite(order)
        self.customer.email = "jane.doe@example.com"
        self.assertLink(link, INVALID)
        with self._later(hours=1):
            order.action_resend_portal_invitation()
            self.assertLink(self._get_sent_link(), VALID)
        self.assertLink(link, INVALID)

    def test_link_dies_with_the_access_for_good(self):
        link = self._invite()
        user = self.customer.user_ids
        portal, public = (
            self.env.ref(f"base.group_{name}").id for name in ("portal", "public")
        )
        user.group_ids = [Command.unlink(portal), Command.link(public)]
        self.assertLink(link, INVALID)
        user.group_ids = [Command.unlink(public), Command.link(portal)]
        self.assertLink(link, INVALID)

    def test_link_of_a_revoked_access_is_dead_once_odoo_grants_it_again(self):
        link = self._invite()
        self._use_portal_wizard("action_revoke_access")
        self.assertLink(link, INVALID)
        self._use_portal_wizard("action_grant_access")
        self.assertLink(link, INVALID)

    def _use_portal_wizard(self, action):
        """Click a button of Odoo's wizard *Grant portal access*."""
        with self.mock_mail_gateway():
            wizard = self.env["portal.wizard"].create({})
            wizard = wizard.with_context(active_ids=self.customer.ids)
            getattr(wizard.create({}).user_ids, action)()

    def test_link_dies_with_the_user_for_good(self):
        link = self._invite()
        user = self.customer.user_ids
        user.active = False
        self.assertLink(link, INVALID)
        user.active = True
        self.assertLink(link, INVALID)

    def test_link_of_a_deleted_user_is_dead(self):
        link = self._invite()
        self.customer.user_ids.unlink()
        self.assertLink(link, INVALID)

    def test_link_of_a_new_employee_is_dead(self):
        link = self._invite()
        self.customer.user_ids.group_ids = [
            Command.set(self.env.ref("base.group_user").ids)
        ]
        self.assertLink(link, INVALID)
