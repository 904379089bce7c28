from contextlib import suppress

from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import RULES, OwnDocumentsCommon

PIXEL = (
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    b"AABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestOwnDocumentsMoved(OwnDocumentsCommon):
    """Whatever happens to the contact of a user, it shows nothing of a company."""

    is_seen_before = True

    def setUp(self):
        super().setUp()
        self.guest_user = self._create_private_user()
        self.guest = self.guest_user.partner_id
        if self.is_seen_before:  # the workers of the shop have cached the rules
            self.assertShown(self.private_order)

    def assertShown(self, orders):
        """The guest sees these orders and their invoices, and nothing of others."""
        all_orders = self.orders + self.private_order
        user = self.guest_user
        self.assertEqual(self._get_all(user, all_orders), orders)
        self.assertEqual(self._get_all(user, all_orders.order_line), orders.order_line)
        invoices = orders.invoice_ids
        self.assertEqual(self._get_all(user, self.invoices), invoices)
        lines = self._get_all(user, self.invoices.line_ids)
        self.assertLessEqual(lines, invoices.line_ids)

    def assertNothingShown(self):
        self.assertShown(self.orders.browse())
        partners = self.acme.exists() + self.acme.exists().child_ids + self.guest
        self.assertFalse(self._get_all(self.guest_user, partners.exists()))
        self.assertFalse(self._get_all(self.guest_user, self.manager))

    def test_merged_into_contact_of_company(self):
        self._merge(self.guest, self.bob)
        self.assertShown(self.bob_order + self.private_order)

    def test_merged_into_company(self):
        self._merge(self.guest, self.acme)
        self.assertEqual(self.guest_user.partner_id, self.acme)
        self.assertNothingShown()
        message = self.bob_order.message_post(
            body="Hello",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.acme.ids,
        )
        self.assertFalse(self._get_all(self.guest_user, message))

    def test_contact_of_company_merged_into_guest(self):
        self._merge(self.bob, self.guest)
        self.assertEqual(self.guest.parent_id, self.acme)
        self.assertShown(self.bob_order + self.private_order)

    def test_company_merged_into_guest(self):
        self._merge(self.acme, self.guest)
        self.assertIn(self.bob, self.guest.child_ids)
        self.assertNothingShown()

    def test_contact_joins_company(self):
        self.guest.parent_id = self.acme
        self.assertShown(self.private_order)
        self.guest.parent_id = False
        self.assertShown(self.private_order)

    def test_contact_becomes_company(self):
        self.bob.parent_id = self.guest
        self.guest.is_company = True
        self.assertNothingShown()
        self.guest.is_company = False
        self.bob.parent_id = False
        self.assertShown(self.private_order)

    def test_user_gets_another_contact(self):
        self.guest_user.partner_id = self.bob
        self.assertShown(self.bob_order)
        self.guest_user.partner_id = self.acme
        self.assertNothingShown()
        self.guest_user.partner_id = self.guest
        self.assertShown(self.private_order)

    def test_undecided_account_changes_nothing_of_the_company(self):
        self._merge(self.guest, self.acme)
        values = {
            "name": "X",
            "email": "x@evil.test",
            "phone": "1",
            "image_1920": PIXEL,
            "lang": "fr_FR",
            "tz": "Asia/Tokyo",
        }
        self.env["res.lang"]._activate_lang("fr_FR")
        before = self.acme.read(values)
        user = self.guest_user.with_user(self.guest_user)
        for name, value in values.items():
            # Odoo may also refuse it
            with mute_logger(RULES), suppress(AccessError):
                user.write({name: value})
        user.sudo()._deactivate_portal_user()
        self.assertEqual(self.acme.read(values), before)
        self.assertTrue(self.acme.active)

    def test_salesperson_decides(self):
        self._merge(self.guest, self.acme)
        self.assertEqual(self.acme.portal_documents, "none")
        self.acme.user_ids.portal_own_documents = False
        self.assertEqual(self.acme.portal_documents, "company")
        self.assertShown(self.orders + self.private_order)


class TestOwnDocumentsMovedUnseen(TestOwnDocumentsMoved):
    """The same for users who have not been there before."""

    is_seen_before = False


@tagged("post_install", "-at_install")
class TestUndecidedPages(OwnDocumentsCommon):
    """An account of which nobody knows whose it is, is closed."""

    def setUp(self):
        super().setUp()
        self.undecided = self._create_private_user()
        self._log_in(self.undecided)
        self.cart = self._add_to_cart()
        self._merge(self.undecided.partner_id, self.acme)

    def test_pages_ask_to_log_in_and_show_nothing(self):
        self.acme.vat = "BE0477472701"
        for url in ("/my", "/my/account", "/my/addresses", "/my/orders", "/shop/cart"):
            self._log_in(self.undecided)
            with self.subTest(url):
                response = self.url_open(url)
                self.assertEqual(response.status_code, 200)
                self.assertIn("/web/login", response.url)
                self.assertIn("Your contact has become a company", response.text)
                for word in ("Bob", "Jane", "Depot", self.order.name, self.acme.vat):
                    self.assertNotIn(word, response.text)
        response = self.url_open("/shop")
        self.assertTrue(response.url.endswith("/shop"), "the session has ended")

    def test_nothing_is_bought_or_changed(self):
        product = {
            "product_template_id": self.product.product_tmpl_id.id,
            "product_id": self.product.id,
            "quantity": 1,
        }
        password = self.undecided.login.split("@")[0] + "-12345"
        address = {"street": "X", "city": "Y", "zip": "1", "country": "BE"}
        addresses = self.acme.child_ids
        for url, values in (
            ("/shop/cart/add", product),
            ("/shop/express_checkout", {"billing_address": address}),
            (f"/shop/payment/transaction/{self.cart.id}", {"access_token": "x"}),
        ):
            with (
                self.subTest(url),
                mute_logger("odoo.http"),
                self.assertRaisesRegex(JsonRpcException, "Forbidden"),
            ):
                self.make_jsonrpc_request(url, values)
        for url, values in (
            ("/my/address/submit", {"name": "Evil"}),
            (
                "/my/deactivate_account",
                {
                    "validation": self.undecided.login,
                    "password": password,
                    "request_blacklist": "1",
                },
            ),
        ):
            values["csrf_token"] = http.Request.csrf_token(self)
            with mute_logger("odoo.http"):
                response = self.url_open(url, data=values)
            self.assertEqual(response.status_code, 403)
        self.assertFalse(self.cart.transaction_ids)
        self.assertEqual(self.cart.order_line.product_uom_qty, 1)
        self.assertEqual(self.acme.child_ids, addresses)
        blacklisted = self.env["mail.blacklist"].search([])
        self.assertNotIn(self.acme.email, blacklisted.mapped("email"))

    def test_decided_account_goes_on_with_its_cart(self):
        self.undecided.portal_own_documents = False
        self.assertEqual(self._add_to_cart(), self.cart)
        self.assertEqual(self.cart.order_line.product_uom_qty, 2)
