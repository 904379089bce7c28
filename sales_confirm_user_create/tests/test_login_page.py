from urllib.parse import quote, urlsplit

from lxml import html

from odoo.tests import tagged

from .common_http import PortalPageCase


@tagged("post_install", "-at_install")
class TestLoginPage(PortalPageCase):
    """Customers who come from the link of an order, and have to log in for it, as OCA's
    `portal_sale_confirm_require_login` wants."""

    def _ask(self, link):
        """Ask for the invitation on the login page; return the answer."""
        self._open_browser()
        page = self._get_page(f"/web/login?redirect={quote(link)}")
        [form] = page.xpath("//form[contains(@class, 'o_portal_invite')]")
        response = self.url_open(form.get("action"), data=dict(form.form_values()))
        self.assertEqual(urlsplit(response.url).path, "/web/login")
        page = html.fromstring(response.text)
        [answer] = page.xpath("//*[@role='status']")
        return answer.text_content().strip()

    def test_invitation_is_sent_again_once_in_a_day(self):
        order = self._create_order()
        self._invite(order)
        link = order.get_portal_url()
        for hours, count in ((23, 0), (25, 1)):
            with self._later(hours=hours):
                self._ask(link)
                self._ask(link)
                self.assertEqual(len(self._send_invitations()), count)

    def test_answer_is_the_same_whoever_asks(self):
        order = self._create_order()
        self._invite(order)
        active = self._create_customer("Active", "active@example.com")
        other = self._confirm_order(active)
        self._record_login(active.user_ids)
        links = [
            order.get_portal_url(),
            other.get_portal_url(),
            f"/my/orders/{order.id}?access_token=wrong",
            f"/fr/my/orders/{order.id}",
            "/my/orders/999999999?access_token=é",
        ]
        with self._later(days=2):
            self.assertEqual(len({self._ask(link) for link in links}), 1)
            mails = self._send_invitations()
        self.assertEqual([mail["email_to"] for mail in mails], [["jane@example.com"]])

    def test_link_without_the_token_sends_nothing(self):
        order = self._create_order()
        self._invite(order)
        with self._later(days=2):
            self._ask(f"/my/orders/{order.id}?access_token=wrong")
            self.assertFalse(self._send_invitations())

    def test_visitor_from_elsewhere_is_not_asked(self):
        for redirect in ("", "/my/orders", "https://evil.test/my/orders/1x", "%00"):
            page = self._get_page(f"/web/login?redirect={redirect}")
            self.assertFalse(page.xpath("//form[contains(@class, 'o_portal_invite')]"))

    def test_forged_form_sends_nothing(self):
        order = self._create_order()
        self._invite(order)
        with self._later(days=2):
            data = {"redirect": order.get_portal_url()}
            response = self.url_open("/web/portal/invite", data=data)
            self.assertIn("Please try again", response.text)
            self.assertFalse(self._send_invitations())

    def test_address_that_is_none_leaves_the_page_as_it_is(self):
        self._open_browser()
        for link in ("//[", "//my]", "//a℀b/my/orders/1"):
            response = self.url_open(f"/web/login?redirect={quote(link)}")
            self.assertEqual(response.status_code, 200, link)
