from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from freezegun import freeze_time
from lxml import html

from odoo import fields, http
from odoo.tests import HttpCase

from .common import PortalAccountCommon

PASSWORD = "Secret-12345"


class PortalPageCase(PortalAccountCommon, HttpCase):
    """Visitors of the shop, and customers who follow the link of an invitation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].get_current_website()
        cls.website.auth_signup_uninvited = "b2c"

    def _open_browser(self):
        """Start as a new visitor."""
        return self.authenticate(None, None)

    def _get_page(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def _get_confirmation_page(self, order):
        """Open the confirmation page as the visitor who placed the order."""
        session = self._open_browser()
        session["sale_last_order_id"] = order.id
        http.root.session_store.save(session)
        return self._get_page("/shop/confirmation")

    def _get_message(self, page):
        """Return the texts of the messages that an account was created."""
        return [
            " ".join(message.text_content().split())
            for message in page.xpath(
                "//*[contains(@class, 'o_portal_account_created')]"
            )
        ]

    def _accept_quotation(self, order):
        """Sign a quotation as its customer; return the address of the page then."""
        order.write({"require_signature": True, "require_payment": False})
        pixel = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
        result = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {
                "access_token": order._portal_ensure_token(),
                "name": "Jane Doe",
                "signature": pixel,
            },
        )
        return result["redirect_url"]

    def _invite(self, order=None):
        """Confirm an order and send the invitation; return its link, as a path."""
        (order or self._create_order()).action_confirm()
        return self._get_sent_link()

    def _get_sent_link(self):
        """Send the one invitation that is due; return its link, as a path."""
        [mail] = self._send_invitations()
        link = urlsplit(self._get_link(mail))
        return f"{link.path}?{link.query}"

    def _open_link(self, link=None, **kwargs):
        """Open a link, or that of a new invitation, in a new browser."""
        link = link or self._invite()
        self._open_browser()
        return self.url_open(link, **kwargs)

    @contextmanager
    def _later(self, **duration):
        """Have some time passed."""
        with freeze_time(fields.Datetime.now() + timedelta(**duration)):
            yield

    def _get_heading(self, response):
        """Return what a page says at its top."""
        self.assertEqual(response.status_code, 200)
        [heading] = html.fromstring(response.text).xpath("//*[@id='wrap']//h1")
        return " ".join(heading.text_content().split())

    def _get_alert(self, response):
        """Return what a page says went wrong."""
        [alert] = html.fromstring(response.text).xpath("//*[@role='alert']")
        return " ".join(alert.text_content().split())

    def _get_notice(self, response):
        """Return what a page of the portal says once."""
        page = html.fromstring(response.text)
        return " ".join(
            notice.text_content().strip()
            for notice in page.xpath("//*[contains(@class, 'o_portal_notice')]")
        )

    def _get_form(self, response):
        """Return what the one form of the page's content sends as it is."""
        [form] = html.fromstring(response.text).xpath("//*[@id='wrap']//form")
        return dict(form.form_values())

    def _submit(self, response, **values):
        """Send the form of a page, as it is but for some values."""
        data = self._get_form(response) | values
        return self.url_open(urlsplit(response.url).path, data=data)

    def _choose_password(self, response, password=PASSWORD, **values):
        """Send the form to activate an account, with a password."""
        values = {"password": password, "confirm_password": password, **values}
        with self.mock_mail_gateway():
            return self._submit(response, **values)

    def assertActivated(self, user, password=PASSWORD):
        """The user has logged in once, and can do so again with the password."""
        self.assertTrue(user.log_ids)
        self.assertTrue(user.portal_activation_date)
        self._open_browser()
        self._log_in(user.login, password)
        self.assertTrue(self._is_logged_in())

    def assertNotActivated(self, user):
        """Nobody has chosen a password."""
        self.assertFalse(user.log_ids)
        self.assertFalse(user.portal_activation_date)
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        self.assertEqual(self.env.cr.fetchone(), (None,))

    def _log_in(self, login, password):
        """Log in by Odoo's form."""
        data = {
            "login": login,
            "password": password,
            "csrf_token": http.Request.csrf_token(self),
        }
        return self.url_open("/web/login", data=data)

    def _is_logged_in(self):
        """Return whether the browser sees the pages of a portal user."""
        return urlsplit(self.url_open("/my").url).path != "/web/login"
