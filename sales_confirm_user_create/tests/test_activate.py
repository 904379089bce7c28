from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from lxml import html

from odoo import http
from odoo.exceptions import AccessDenied, UserError
from odoo.tests import HOST, tagged
from odoo.tools import config

from .common_http import PASSWORD, PortalPageCase


@tagged("post_install", "-at_install")
class TestActivate(PortalPageCase):
    """The page that the link in an invitation opens, up to the login."""

    def test_link_leaves_the_address_for_a_cookie(self):
        link = self._invite()
        [token] = parse_qs(urlsplit(link).query)["token"]
        response = self._open_link(link, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertEqual(
            urlsplit(response.headers["Location"]).path, "/web/portal/activate"
        )
        self.assertNotIn(token, response.headers["Location"])
        cookie = self._get_set_cookie(response)
        self.assertIn(token, cookie)
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Lax", cookie)
        self.assertIn("Max-Age=1800", cookie)
        self.assertNotIn("Secure", cookie)
        self.assertEqual(response.headers["Cache-Control"], "no-store")

    def _get_set_cookie(self, response, name="portal_activation"):
        """Return the header that sets the cookie of the page."""
        [cookie] = [
            value
            for key, value in response.raw.headers.items()
            if key.lower() == "set-cookie" and value.startswith(f"{name}=")
        ]
        return cookie

    def _open_over_https(self, link):
        """Open a link as behind a proxy that has received it over HTTPS."""
        headers = {
            "X-Forwarded-Host": "shop.example.com",
            "X-Forwarded-Proto": "https",
        }
        with patch.dict(config.options, {"proxy_mode": True}):
            return self.url_open(link, allow_redirects=False, headers=headers)

    def test_cookie_is_of_this_host_only_where_there_is_https(self):
        link = self._invite()
        decline = self._get_invitation()._get_decline_link()
        self._open_browser()
        for url, name in ((link, "portal_activation"), (decline, "portal_decline")):
            response = self._open_over_https(url)
            cookie = self._get_set_cookie(response, f"__Host-{name}")
            self.assertIn("Secure", cookie)
            self.assertIn("Path=/", cookie)
            self.assertNotIn("Domain", cookie)
            self.assertIn("HttpOnly", cookie)

    def test_cookie_of_another_name_is_not_read(self):
        [token] = parse_qs(urlsplit(self._invite()).query)["token"]
        for name, heading in (
            ("portal_activation", "Open the link in our email again"),
            ("__Host-portal_activation", "Activate your account"),
        ):
            self._open_browser()
            self.opener.cookies.set(name, token)
            response = self._open_over_https("/web/portal/activate")
            self.assertEqual(self._get_heading(response), heading)

    def test_cookie_ends_with_the_activation(self):
        response = self._open_link()
        self.assertIn("portal_activation", self.opener.cookies)
        self._choose_password(response)
        self.assertNotIn("portal_activation", self.opener.cookies)

    def test_long_password_is_said_to_be_too_long(self):
        response = self._choose_password(self._open_link(), "x" * 4097)
        self.assertEqual(self._get_alert(response), "The password is too long.")
        self.assertNotActivated(self.customer.user_ids)

    def test_files_and_other_nonsense_are_a_clear_page(self):
        response = self._open_link()
        form = self._get_form(response)
        for name in ("password", "confirm_password"):
            data = {key: value for key, value in form.items() if key != name}
            response = self.url_open(
                "/web/portal/activate", data=data, files={name: ("a", b"b")}
            )
            self.assertTrue(self._get_alert(response))
        for name in ("login", "action"):
            data = {key: value for key, value in form.items() if key != name}
            response = self.url_open(
                "/web/portal/activate", data=data, files={name: ("a", b"b")}
            )
            self.assertEqual(self._get_heading(response), "Activate your account")
        response = self.url_open(
            "/web/portal/activate", data=form, files={"token": ("a", b"")}
        )
        self.assertEqual(self._get_heading(response), "This link does not work")
        self.assertNotActivated(self.customer.user_ids)

    def test_page_and_session_do_not_hold_the_token(self):
        link = self._invite()
        [token] = parse_qs(urlsplit(link).query)["token"]
        response = self._open_link(link)
        self.assertEqual(self._get_heading(response), "Activate your account")
        self.assertEqual(urlsplit(response.url).query, "")
        self.assertNotIn(token, response.text)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        session = http.root.session_store.get(self.opener.cookies["session_id"])
        self.assertNotIn(token, str(dict(session)))

    def test_opening_the_link_changes_nothing(self):
        link = self._invite()
        self._open_link(
            "/web/portal/activate"
        )  # builds what all pages of the website need
        count = self._count_changes()
        for method in ("GET", "HEAD", "GET"):
            for headers in ({}, {"Sec-Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
                self._open_browser()
                self.url_open(link, method=method, headers=headers)
        self.assertEqual(self._count_changes(), count)
        self.assertEqual(
            self._get_heading(self._open_link(link)), "Activate your account"
        )

    def _count_changes(self):
        """Return how many rows of all tables were written in this transaction."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del)"
            "  FROM pg_stat_xact_user_tables"
        )
        return self.env.cr.fetchone()[0]

    def test_customer_is_logged_in_and_sees_the_order(self):
        order = self._create_order()
        response = self._open_link(self._invite(order))
        page = html.fromstring(response.text)
        [login] = page.xpath("//input[@autocomplete='username']/@value")
        self.assertEqual(login, "jane@example.com")
        self.assertEqual(
            page.xpath("//input[@autocomplete='new-password']/@name"),
            ["password", "confirm_password"],
        )
        self.assertIn(
            self.company.name, page.xpath("//*[@id='wrap']")[0].text_content()
        )
        response = self._choose_password(response)
        self.assertEqual(urlsplit(response.url).path, f"/my/orders/{order.id}")
        self.assertIn(order.name, response.text)
        self.assertFalse(self._mails, "nothing is left to say by email")
        self.assertEqual(self._get_invitation().state, "activated")
        self.assertActivated(self.customer.user_ids)

    def test_order_says_once_that_the_account_is_active(self):
        response = self._choose_password(self._open_link())
        self.assertEqual(
            self._get_notice(response),
            "Your account is active. You are logged in as jane@example.com.",
        )
        self.assertFalse(self._get_notice(self.url_open(response.url)))

    def test_message_on_the_order_after_the_activation_is_sent(self):
        """The composer of Odoo's page takes the token from its address."""
        order = self._create_order()
        response = self._choose_password(self._open_link(self._invite(order)))
        [token] = parse_qs(urlsplit(response.url).query)["access_token"]
        self.assertEqual(token, order.access_token)

    def test_customer_whose_order_is_cancelled_sees_all_orders(self):
        order = self._create_order()
        link = self._invite(order)
        order._action_cancel()
        response = self._choose_password(self._open_link(link))
        self.assertEqual(urlsplit(response.url).path, "/my/orders")

    def test_domain_with_other_letters_is_activated_and_declined(self):
        """IDNA 2003 writes ß as ss, which is another domain."""
        partner = self._create_customer("Info", "Info@Straße.de")
        order = self._create_order(partner)
        link = self._invite(order)
        decline = self._get_invitation(partner)._get_decline_link()
        page = self._open_link(decline)
        self.assertEqual(self._get_heading(page), "Don't want an account?")
        self.assertIn("info@xn--strae-oqa.de", page.text)
        response = self._choose_password(self._open_link(link))
        self.assertIn("logged in as", self._get_notice(response))
        self.assertIn(order.name, self.url_open("/my/orders").text)
        self.assertActivated(partner.user_ids)
        for login in ("info@straße.de", "info@xn--strae-oqa.de"):
            self._open_browser()
            self._log_in(login, PASSWORD)
            self.assertTrue(self._is_logged_in(), login)

    def test_page_is_in_the_language_of_the_customer(self):
        self._activate_languages()
        for lang, heading in (
            ("fr_FR", "Activez votre compte"),
            ("ar_001", "فعّل حسابك"),
            ("en_US", "Activate your account"),
        ):
            with self.subTest(lang):
                partner = self._create_customer(lang, f"{lang}@example.com", lang=lang)
                order = self._create_order(partner)
                response = self._open_link_in_french(self._invite(order))
                self.assertEqual(self._get_heading(response), heading)
                self.assertIsLanguage(response, lang)
                response = self._choose_password(response)
                path = urlsplit(response.url).path
                self.assertTrue(path.endswith(f"/my/orders/{order.id}"))
                self.assertIsLanguage(response, lang)

    def _open_link_in_french(self, link, **kwargs):
        """Open a link in a browser that has seen the website in French."""
        self._open_browser()
        self.opener.cookies.set("frontend_lang", "fr_FR", domain=HOST)
        return self.url_open(link, **kwargs)

    def test_token_is_not_redirected_to_another_language(self):
        self._activate_languages()
        response = self._open_link_in_french(self._invite(), allow_redirects=False)
        self.assertEqual(
            urlsplit(response.headers["Location"]).path, "/web/portal/activate"
        )
        self.assertNotIn("token", response.headers["Location"])

    def _activate_languages(self):
        """Have the website in French and Arabic, too, and the heading of the page."""
        for code in ("fr_FR", "ar_001"):
            self.website.language_ids += self.env["res.lang"]._activate_lang(code)
        self.env.ref("sales_confirm_user_create.activate").update_field_translations(
            "arch_db",
            {
                "fr_FR": {"Activate your account": "Activez votre compte"},
                "ar_001": {"Activate your account": "فعّل حسابك"},
            },
        )

    def assertIsLanguage(self, response, lang):
        """A page is in a language, and its text runs in the direction of that."""
        page = html.fromstring(response.text)
        self.assertEqual(page.get("lang"), lang.replace("_", "-"))
        [main] = page.xpath("//*[@id='wrapwrap']")
        self.assertEqual("o_rtl" in main.get("class"), lang == "ar_001")

    def test_language_of_the_page_can_be_changed(self):
        self._activate_languages()
        self._open_link()
        response = self.url_open("/website/lang/fr?r=/fr/web/portal/activate")
        self.assertEqual(self._get_heading(response), "Activez votre compte")
        self.assertIsLanguage(response, "fr_FR")
        self.assertIn("/my/orders/", self._choose_password(response).url)

    def test_refused_password_is_explained_and_the_next_one_works(self):
        link = self._invite()
        response = self._open_link(link)
        message = "Passwords need an emoji."

        def refuse(users):
            raise UserError(message)

        with patch.object(type(self.env["res.users"]), "_set_password", refuse):
            response = self._choose_password(response)
        self.assertEqual(self._get_heading(response), "Activate your account")
        self.assertEqual(self._get_alert(response), message)
        self.assertNotActivated(self.customer.user_ids)
        response = self._choose_password(response)
        self.assertIn("/my/orders/", response.url)
        self.assertActivated(self.customer.user_ids)

    def test_password_is_not_kept_where_the_login_is_refused(self):
        response = self._open_link()
        message = "Too many login failures, please wait a bit."

        def refuse(users, *args):
            raise AccessDenied(message)

        with patch.object(type(self.env["res.users"]), "authenticate", refuse):
            response = self._choose_password(response)
        self.assertIn(message, self._get_alert(response))
        self.assertNotActivated(self.customer.user_ids)
        self.assertIn("/my/orders/", self._choose_password(response).url)

    def test_link_is_alive_after_a_refused_password(self):
        link = self._invite()
        self._choose_password(self._open_link(link), confirm_password="Other-12345")
        response = self._choose_password(self._open_link(link))
        self.assertIn("/my/orders/", response.url)

    def test_mistyped_passwords_are_explained(self):
        response = self._open_link()
        for password, confirmation, alert in (
            (PASSWORD, "Other-12345", "The passwords do not match."),
            ("", "", "Enter a password."),
        ):
            with self.subTest(alert):
                response = self._choose_password(
                    response, password, confirm_password=confirmation
                )
                self.assertEqual(self._get_alert(response), alert)
                self.assertNotActivated(self.customer.user_ids)
                self.assertNotIn(PASSWORD, response.text)
        self.assertIn("/my/orders/", self._choose_password(response).url)

    def test_rules_of_the_password_policy_are_shown(self):
        link, users = self._invite(), self.env["res.users"]
        self.assertEqual(
            "minlength" in self._open_link(link).text,
            hasattr(users, "get_password_policy"),
        )
        # what the module `auth_password_policy` adds
        with patch.object(
            type(users),
            "get_password_policy",
            lambda users: {"minlength": 12},
            create=True,
        ):
            page = html.fromstring(self._open_link(link).text)
        [field] = page.xpath("//input[@minlength='12']")
        self.assertEqual(field.get("name"), "password")
        [rule] = page.xpath(f"//*[@id='{field.get('aria-describedby')}']")
        self.assertEqual(
            " ".join(rule.text_content().split()), "At least 12 characters."
        )

    def test_two_factor_authentication_comes_after_the_password(self):
        self.env["ir.config_parameter"].set_param("auth_totp.policy", "all_required")
        order = self._create_order()
        response = self._choose_password(self._open_link(self._invite(order)))
        url = urlsplit(response.url)
        self.assertEqual(url.path, "/web/login/totp")
        self.assertEqual(parse_qs(url.query)["redirect"], [order.get_portal_url()])
        self.assertFalse(self._is_logged_in())

    def test_later_passwords_are_alerted(self):
        self._choose_password(self._open_link())
        self.assertFalse(self._mails)
        with self.mock_mail_gateway():
            self.customer.user_ids.password = "Other-12345"
        [mail] = self._mails
        self.assertIn("Password Changed", mail["subject"])

    def test_form_needs_its_own_csrf_token(self):
        response = self._open_link()
        for token in ("", "garbage"):
            with self.subTest(token):
                answer = self._choose_password(response, csrf_token=token)
                self.assertIn("Please try again", self._get_alert(answer))
                self.assertNotActivated(self.customer.user_ids)

    def test_form_sent_twice_activates_once(self):
        response = self._open_link()
        form = self._get_form(response)
        cookies = dict(self.opener.cookies)
        self._choose_password(response)
        date = self.customer.user_ids.portal_activation_date
        logins = self.customer.user_ids.log_ids
        # the second click, of a browser that has not read the first answer
        self._open_browser()
        self.opener.cookies.update(cookies)
        form |= {"password": "Other-12345", "confirm_password": "Other-12345"}
        response = self.url_open("/web/portal/activate", data=form)
        self.assertLess(response.status_code, 500)
        self.assertEqual(self.customer.user_ids.portal_activation_date, date)
        self.assertEqual(self.customer.user_ids.log_ids, logins)
        self.assertActivated(self.customer.user_ids)

    def test_account_of_a_website_is_activated_there(self):
        other = self.env["website"].create({"name": "Other", "domain": self.base_url()})
        self.website.domain = "https://shop.example.com"
        other.specific_user_account = True
        order = self._create_order(website_id=other.id)
        response = self._choose_password(self._open_link(self._invite(order)))
        self.assertEqual(urlsplit(response.url).path, f"/my/orders/{order.id}")
        self.assertEqual(self.customer.user_ids.website_id, other)

    def test_account_of_a_website_is_not_activated_elsewhere(self):
        other = self.env["website"].create({"name": "Other shop"})
        other.specific_user_account = True
        self.website.domain = self.base_url()
        response = self._open_link(
            self._invite(self._create_order(website_id=other.id))
        )
        response = self._choose_password(response)
        self.assertEqual(self._get_alert(response), "This account is for Other shop.")
        self.assertNotActivated(self.customer.user_ids)
