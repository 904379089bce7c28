import re
from urllib.parse import parse_qs, urlencode, urlsplit

from lxml import etree, html

from odoo.tests import tagged
from odoo.tools import hash_sign

from .common_http import PASSWORD, PortalPageCase

PAGES = ("/web/signup", "/web/reset_password", "/web/login")


@tagged("post_install", "-at_install")
class TestOdooPages(PortalPageCase):
    """Odoo's own pages and links are what they are without the addon."""

    def test_views_are_attached_to_what_every_page_has(self):
        """A shop may have removed anything but the root and the first part, and leaves
        something in the layout."""
        for view in self._get_views().filtered(lambda view: view.mode == "extension"):
            [path] = etree.fromstring(view.arch).xpath("//xpath/@expr")
            self.assertIn(path, (".", "./*[1]", "./*[1]/*[1]"), view.key)

    def _get_views(self):
        """Return the addon's parts of pages."""
        data = self.env["ir.model.data"].search(
            [
                ("module", "=", "sales_confirm_user_create"),
                ("model", "=", "ir.ui.view"),
            ]
        )
        views = self.env["ir.ui.view"].browse(data.mapped("res_id"))
        return views.filtered(lambda view: view.type == "qweb")

    def test_pages_are_the_same_without_the_views(self):
        self.env["ir.config_parameter"].set_param("auth_signup.reset_password", "True")
        self._open_link()  # is forgotten on all other pages
        pages = [self._get_text(url) for url in PAGES]
        for text in pages:
            self.assertNotIn("jane@example.com", text)
        self._get_views().active = False
        self.assertEqual([self._get_text(url) for url in PAGES], pages)

    def _get_text(self, url):
        """Return the source of a page without what is different each time."""
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        return re.sub(r"[0-9a-f]{40}o\d+|nonce=[\w-]+", "", response.text)

    def _sign_up(self, login, url="/web/signup", **values):
        """Fill in Odoo's form in a new browser."""
        self._open_browser()
        return self._send_form(self.url_open(url), login=login, **values)

    def _send_form(self, response, **values):
        """Send the form of one of Odoo's pages, with a password and other values."""
        form = self._get_odoo_form(response)
        password = dict.fromkeys(("password", "confirm_password"), PASSWORD)
        with self.mock_mail_gateway():
            return self.url_open(response.url, data=form | password | values)

    def _get_odoo_form(self, response):
        [form] = html.fromstring(response.text).xpath(
            "//form[contains(@class, 'oe_signup_form')"
            " or contains(@class, 'oe_reset_password_form')]"
        )
        return {name: value or "" for name, value in form.fields.items()}

    def test_sign_up_with_a_new_address(self):
        self._sign_up("new@example.com", name="New")
        self.assertTrue(self._is_logged_in())
        self.assertTrue(self._get_users("new@example.com"))

    def test_sign_up_with_the_address_of_an_invited_customer_sends_the_link(self):
        self._invite()
        with self._later(hours=1):
            response = self._sign_up("JANE@example.com ", name="Jane")
            self.assertIn("account for this address", self._get_alert(response))
            self.assertEqual(
                self._get_heading(self._open_link(self._get_sent_link())),
                "Activate your account",
            )
        users = self.env["res.users"].search([("login", "ilike", "jane@example.com")])
        self.assertEqual(users, self.customer.user_ids)
        self.assertNotActivated(users)

    def test_sign_up_with_the_address_of_an_active_account_is_refused(self):
        self._choose_password(self._open_link())
        response = self._sign_up("JANE@example.com", name="Jane")
        self.assertIn("already registered", self._get_alert(response))
        self.assertActivated(self.customer.user_ids)

    def test_link_of_odoo_signs_a_contact_up(self):
        """Odoo's own link is for contacts without a user, who choose their name."""
        self.customer.signup_prepare()
        url = self._get_path(self.customer._get_signup_url())
        self._sign_up("other@example.com", url, name="Jane")
        self.assertEqual(self.customer.user_ids.login, "other@example.com")
        self.assertTrue(self._is_logged_in())

    def test_garbled_link_of_odoo_is_told_so(self):
        for token in ("garbage", "AAAA", "e30"):
            with self.subTest(token):
                self._open_browser()
                response = self.url_open(f"/web/signup?token={token}")
                self.assertEqual(response.status_code, 200)
                self.assertIn("Invalid signup token", response.text)

    def _open_mailed_quotation(self):
        """Open a quotation from Odoo's email, whose link says who may sign up."""
        order = self._create_order()
        [param] = self.customer.signup_get_auth_param().values()
        self._open_browser()
        self._get_page(order.get_portal_url(query_string=f"&{urlencode(param)}"))
        return order

    def test_customer_signs_up_after_a_mailed_quotation(self):
        order = self._open_mailed_quotation()
        self._send_form(self.url_open("/web/signup"), name="Jane")
        self.assertEqual(self.customer.user_ids.login, "jane@example.com")
        order.action_confirm()
        self.assertFalse(order.user_created)

    def test_mailed_quotation_opened_by_now_leaves_the_invitation_alone(self):
        order = self._open_mailed_quotation()
        response = self.url_open(self._invite(order))
        response = self._choose_password(response)
        self.assertIn("/my/orders/", response.url)
        self.assertActivated(self.customer.user_ids)

    def _reset_password(self):
        """Have staff send a link for a new password; return its path."""
        self._open_browser()
        with self.mock_mail_gateway():
            self.customer.user_ids.action_reset_password()
        [mail] = self._mails
        self.assertEqual(mail["email_to"], ["jane@example.com"])
        return self._get_path(self._get_link(mail))

    def _get_path(self, link):
        """Return a link without its server."""
        link = urlsplit(link)
        return f"{link.path}?{link.query}"

    def test_customer_who_asks_for_a_new_password_gets_the_invitation(self):
        self._invite()
        self._open_browser()
        with self._later(minutes=11):
            response = self.url_open("/web/reset_password")
            response = self._send_form(response, login="jane@example.com")
            self.assertFalse(self._mails)
            self._choose_password(self._open_link(self._get_sent_link()))
        self.assertActivated(self.customer.user_ids)

    def test_customer_resets_the_password_instead_of_activating(self):
        link = self._invite()
        self._send_form(self.url_open(self._reset_password()))
        self._log_in("jane@example.com", PASSWORD)
        self.assertTrue(self._is_logged_in())
        response = self._open_link(link)
        self.assertEqual(self._get_heading(response), "Your account is active")

    def test_customer_activates_after_asking_for_a_new_password(self):
        link = self._invite()
        reset = self._reset_password()
        self._choose_password(self._open_link(link))
        self.assertActivated(self.customer.user_ids)
        response = self.url_open(reset)
        self.assertIn("Invalid signup token", response.text)

    def _grant_access(self):
        """Use Odoo's wizard; return the path of the link in its email."""
        wizard = self.env["portal.wizard"].with_context(active_ids=self.customer.ids)
        line = wizard.create({}).user_ids
        with self.mock_mail_gateway():
            if self.customer.user_ids:
                line.action_invite_again()
            else:
                line.action_grant_access()
        [mail] = self._mails
        return self._get_path(self._get_link(mail))

    def test_access_granted_by_staff_is_activated_on_the_page_of_odoo(self):
        link = self._grant_access()
        self._open_browser()
        self._send_form(self.url_open(link))
        self.assertTrue(self._is_logged_in())
        self._create_order().action_confirm()
        self.assertFalse(self._send_invitations())

    def test_invitation_of_odoo_works_after_ours(self):
        ours = self._invite()
        self._open_browser()
        self._send_form(self.url_open(self._grant_access()))
        self.assertTrue(self._is_logged_in())
        self.assertActivated(self.customer.user_ids)
        response = self._open_link(ours)
        self.assertEqual(self._get_heading(response), "Your account is active")

    def test_mailed_link_of_the_first_release_activates_the_account(self):
        self._invite()
        self._get_invitation().revision = 2  # as the migration writes it
        self.customer.signup_prepare()
        link = self._get_path(
            self.customer._get_signup_url_for_action(url="/my/orders")[self.customer.id]
        )
        [token] = parse_qs(urlsplit(link).query)["token"]
        # instead of the date of a login, that release had the number of the email
        old_token = hash_sign(
            self.env,
            "signup",
            [self.customer.id, self.customer.user_ids.ids, -2, "signup"],
            expiration_hours=1,
        )
        self._open_browser()
        response = self.url_open(link.replace(token, old_token))
        self.assertEqual(self._get_odoo_form(response)["login"], "jane@example.com")
        response = self._send_form(response)
        self.assertEqual(urlsplit(response.url).path, "/my/orders")
        self.assertActivated(self.customer.user_ids)
