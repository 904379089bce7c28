from odoo import Command, http
from odoo.tests import JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common import OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestVisitors(OwnDocumentsCommon):
    """Carts and cards that a link must not open."""

    def _hold_cart_without_login(self, cart):
        """Open a cart in a browser that is not logged in, by its link."""
        cart = cart.sudo()
        token = cart._portal_ensure_token()
        self.authenticate(None, None)
        return self.url_open(
            f"/shop/cart?id={cart.id}&access_token={token}&revive_method=squash"
        )

    def test_cart_of_a_user_who_is_gone_opens_no_company(self):
        self._log_in(self.user)
        cart = self._add_to_cart()
        (self.user + self.manager).active = False
        response = self._hold_cart_without_login(cart)
        self.assertIn("/web/login?redirect=/shop/cart", response.url)
        page = self.url_open(f"/shop/address?partner_id={self.depot.id}").text
        self.assertNotIn(self.depot.name, page)

    def test_carts_and_cards_of_former_and_other_accounts_are_closed(self):
        """Whoever ordered in their name before still has the link."""
        staff_made = new_test_user(
            self.env, "self@example.com", "base.group_portal", email="self@example.com"
        ).partner_id
        partners = self.env["res.partner"]
        for name in ("archived", "deactivated"):
            partner = self._create_customer(name, f"{name}@example.com")
            self._create_user(partner)
            partners += partner
        archived, deactivated = partners
        archived.user_ids.active = False
        user = deactivated.user_ids
        user._deactivate_portal_user()
        user.unlink()
        family, past = (
            self._create_customer(name, f"{name}@example.com")
            for name in ("family", "past")
        )
        self._create_user(
            self._create_customer("child", "child@example.com", parent_id=family.id)
        )
        address = self._create_customer("address", False, parent_id=past.id)
        self._create_order(address).action_confirm()
        address.active = False
        partners += family + past
        guest = self._create_customer("guest", "guest@example.com")
        website = self.env["website"].get_current_website()
        self.product.is_published = True
        line = Command.create({"product_id": self.product.id})
        carts = self.env["sale.order"].sudo()
        carts = carts.create(
            [
                {
                    "partner_id": partner.id,
                    "website_id": website.id,
                    "order_line": [line],
                }
                for partner in (*partners, *staff_made, guest)
            ]
        )
        *closed, open_cart = carts
        for cart in closed:
            partner = cart.partner_id
            with self.subTest(partner.name):
                response = self._hold_cart_without_login(cart)
                self.assertIn("/web/login?redirect=/shop/cart", response.url)
                page = self.url_open(f"/shop/address?partner_id={partner.id}").text
                self.assertNotIn(partner.email, page)
        response = self._hold_cart_without_login(open_cart)
        self.assertNotIn("/web/login", response.url)
        page = self.url_open(f"/shop/address?partner_id={guest.id}").text
        self.assertIn(guest.email, page)

    def test_visitor_with_a_cart_of_a_customer_edits_nothing(self):
        """Log out with the own cart, and the company's addresses would be open."""
        self._log_in(self.user)
        cart = self._add_to_cart()
        response = self._hold_cart_without_login(cart)
        self.assertIn("/web/login?redirect=/shop/cart", response.url)
        for partner in (self.customer, self.acme, self.depot, self.bob_home):
            with self.subTest(partner.name):
                page = self.url_open(f"/shop/address?partner_id={partner.id}").text
                self.assertNotIn(partner.street or partner.name, page)
                before = partner.read(["name", "email", "street"])
                self.url_open(
                    "/shop/address/submit",
                    data={
                        "csrf_token": http.Request.csrf_token(self),
                        "partner_id": partner.id,
                        "name": "Evil",
                        "email": "evil@evil.test",
                        "street": "Evil Street",
                    },
                )
                self.env.invalidate_all()
                self.assertEqual(partner.read(["name", "email", "street"]), before)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Evil")]))

    def test_cards_of_the_company_are_not_shown_nor_deleted(self):
        provider = self.env.ref("payment.payment_provider_demo").sudo()
        own, of_company = (
            self.env["payment.token"]
            .sudo()
            .create(
                [
                    {
                        "provider_id": provider.id,
                        "payment_method_id": self.env.ref(
                            "payment.payment_method_card"
                        ).id,
                        "partner_id": partner.id,
                        "provider_ref": "test",
                        "payment_details": details,
                    }
                    for partner, details in (
                        (self.customer, "1111"),
                        (self.acme, "2222"),
                    )
                ]
            )
        )
        for user, is_shown in ((self.user, False), (self.manager, True)):
            self._log_in(user)
            _page, response = self._get_page("/my/payment_method")
            self.assertEqual("2222" in response.text, is_shown)
        self._log_in(self.user)
        _page, response = self._get_page("/my/payment_method")
        self.assertIn("1111", response.text)
        order = self.order.id
        transaction = {
            "provider_id": provider.id,
            "payment_method_id": own.payment_method_id.id,
            "amount": None,
            "flow": "token",
            "tokenization_requested": False,
            "landing_route": "/my",
            "access_token": self.order._portal_ensure_token(),
        }
        for url, values in (
            ("/payment/archive_token", {}),
            (f"/my/orders/{order}/transaction", transaction),
        ):
            for token_id in (of_company.id, str(of_company.id)):
                with (
                    self.subTest(url),
                    mute_logger("odoo.http"),
                    self.assertRaisesRegex(JsonRpcException, "Forbidden"),
                ):
                    self.make_jsonrpc_request(url, {**values, "token_id": token_id})
        # Whoever placed an order has its link, and is not logged in, or as another.
        stranger = self._create_private_user()
        for user, token in (
            (None, own),
            (None, of_company),
            (stranger, own),
            (stranger, of_company),
        ):
            self._log_in(user) if user else self.authenticate(None, None)
            with (
                mute_logger("odoo.http"),
                self.assertRaisesRegex(JsonRpcException, "Forbidden"),
            ):
                self.make_jsonrpc_request(
                    f"/my/orders/{order}/transaction",
                    {**transaction, "token_id": token.id},
                )
        self._log_in(self.user)
        self.assertTrue(of_company.active)
        self.assertFalse(self.order.transaction_ids)
        self.make_jsonrpc_request("/payment/archive_token", {"token_id": own.id})
        self.assertFalse(own.active)
