from odoo.tests import HttpCase, tagged

from ..tools import get_shown_name
from .common import MAIL_TEMPLATE, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestEmail(PortalAccountCommon):
    """What mail programs and the people behind them see."""

    def _invite(self, name="Jane Doe", **values):
        self._confirm_order(self._create_customer(name, "guest@example.com", **values))
        [mail] = self._send_invitations()
        return mail

    def test_mail_programs_know_that_nobody_wrote_it(self):
        message = self._invite()["EmailMessage"]
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertEqual(message["X-Auto-Response-Suppress"], "All")
        self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_replies_go_to_the_shop(self):
        self._init_mail_gateway()
        self.assertEqual(self._invite()["reply_to"], self.company.email_formatted)

    def test_template_may_say_where_replies_go(self):
        self.env.ref(MAIL_TEMPLATE).reply_to = "desk@example.com"
        self.assertEqual(self._invite()["reply_to"], "desk@example.com")

    def test_name_that_is_no_link_is_shown(self):
        for name in ("Jane Doe", "Zoë Ünal", "ياسمين", "Smith & Co.", "J.-P. Doe"):
            self.assertEqual(get_shown_name(name), name)
        self.assertEqual(get_shown_name("Jane\r\nDoe"), "Jane Doe")

    def test_name_that_becomes_a_link_is_left_out(self):
        for name in (
            "Win a prize http://evil.test",
            "www.evil",
            "हिन्दी.com",
            "evil\u00ad.com",
            "evil.\u00adcom",
            "evil.test",
            "prize1.com",
            "jane@example.com",
            "evil\uff0etest",
            "a" * 99,
            False,
        ):
            self.assertEqual(get_shown_name(name), "", name)

    def test_greeting_without_a_name_has_no_comma(self):
        mail = self._invite("Win a prize http://evil.test")
        self.assertNotIn("evil.test", str(mail["body"]))
        self.assertEqual(mail["EmailMessage"]["To"], "guest@example.com")
        text = mail["body_alternative"].splitlines()
        self.assertIn("Hello", text)

    def test_greeting_and_recipient_have_the_name(self):
        mail = self._invite()
        self.assertIn("<bdi>Jane Doe</bdi>", str(mail["body"]))
        self.assertIn("Hello Jane Doe,", mail["body_alternative"])
        self.assertIn('"Jane Doe" <guest@example.com>', str(mail["EmailMessage"]))

    def test_logo_is_that_of_the_company(self):
        self.assertNotIn("/logo.png", str(self._invite()["body"]))
        self.company.logo = self._get_pixel()
        self.env["portal.invitation"].search([])._make_due()
        [mail] = self._send_invitations()
        url = f"{self.company.get_base_url()}/logo.png?company={self.company.id}"
        self.assertIn(url, str(mail["body"]))
        self.assertNotIn("logo", mail["body_alternative"])

    def _get_pixel(self):
        return (
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAW"
            "jR9awAAAABJRU5ErkJggg=="
        )

    def test_no_deliveries_are_promised(self):
        # the shop may have no inventory app
        self.assertNotIn("deliveries", str(self._invite()["body"]))

    def test_lists_of_emails_show_what_to_do(self):
        text = self._invite()["body_alternative"]
        self.assertTrue(text.startswith("Choose a password to open your account."))


@tagged("post_install", "-at_install")
class TestUnsubscribe(HttpCase, PortalAccountCommon):
    """One click in a mail program, RFC 8058."""

    def _invite(self):
        order = self._confirm_order()
        [mail] = self._send_invitations()
        url = mail["EmailMessage"]["List-Unsubscribe"].strip("<>")
        return order, "/web/" + url.split("/web/")[1]

    def _click(self, url):
        self.opener.cookies.clear()
        data = {"List-Unsubscribe": "One-Click"}
        return self.url_open(url, data=data, allow_redirects=False)

    def test_one_click_ends_the_automatic_emails(self):
        order, url = self._invite()
        self.assertEqual(self._click(url).status_code, 200)
        self.env.invalidate_all()
        self.assertTrue(self.customer.user_ids.active)
        self.assertFalse(self.env["portal.decline"].search([]))
        self.assertFalse(self._remind(9))
        self._get_invitation()._make_due()
        self.assertFalse(self._send_invitations(), "a new order")
        with self._later(days=1):
            order.action_resend_portal_invitation()
            self.assertEqual(len(self._send_invitations()), 1, "somebody asked for it")

    def test_opening_the_address_changes_nothing(self):
        _order, url = self._invite()
        response = self.url_open(url, allow_redirects=False)
        self.assertIn("/decline?token=", response.headers["Location"])
        self.env.invalidate_all()
        self.assertEqual(len(self._remind(9)), 1)

    def test_bad_token_answers_the_same_and_changes_nothing(self):
        _order, url = self._invite()
        link = self._get_invitation()._get_link(self._get_invitation().expiry_date)
        base = url.split("token=")[0]
        for token in ("x", link.split("token=")[1], ""):
            self.assertEqual(self._click(f"{base}token={token}").status_code, 200)
        self.env.invalidate_all()
        self.assertEqual(len(self._remind(9)), 1)

    def test_another_address_of_the_account_gets_emails(self):
        _order, url = self._invite()
        self._click(url)
        self.env.invalidate_all()
        self.customer.email = "right@example.com"
        self._get_invitation()._make_due()
        self.assertSent(self._send_invitations(), "right")
