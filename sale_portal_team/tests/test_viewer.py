from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import JsonRpcException
from odoo.tools import mute_logger

from .common import TeamCommon

HIDDEN = ".o_wsale_my_cart, .o_wsale_product_btn_primary"  # by style
PIXEL = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="


class TestViewer(TeamCommon):
    """Viewers read all of the company, and order nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_published_product()
        cls.quotation = cls.env["sale.order"].create(
            {
                "partner_id": cls.bob.partner_id.id,
                "order_line": [Command.create({"product_id": cls.product.id})],
                "require_signature": True,
                "require_payment": False,
                "state": "sent",
            }
        )
        cls.quotation._portal_ensure_token()

    def _call(self, path, **params):
        """Call a JSON route; return its result, or what went wrong."""
        with mute_logger("odoo.http"):
            try:
                return self.make_jsonrpc_request(path, params)
            except JsonRpcException as error:
                return str(error)

    def _add_to_cart(self):
        return self._call(
            "/shop/cart/add",
            product_template_id=self.product.product_tmpl_id.id,
            product_id=self.product.id,
            quantity=1,
        )

    def _get_carts(self):
        domain = [("website_id", "!=", False), ("state", "=", "draft")]
        return self.env["sale.order"].search(domain)

    def test_viewer_fills_no_cart(self):
        before = self._get_carts()
        self._as(self.vera)
        self.assertIn("AccessError", self._add_to_cart())
        self.assertEqual(self._get_carts(), before)

    def test_buyer_fills_a_cart(self):
        self._as(self.bob)
        self.assertEqual(self._add_to_cart()["quantity"], 1)

    def test_json_routes_are_closed(self):
        order = self.quotation
        self._as(self.vera)
        for path, params in (
            ("/shop/cart/update", {"line_id": 1, "quantity": 2}),
            ("/shop/cart/clear", {}),
            ("/shop/cart/quick_add", {"product_template_id": 1, "product_id": 1}),
            ("/shop/express_checkout", {"billing_address": {"country": "BE"}}),
            ("/shop/express/shipping_address_change", {"partial_delivery_address": {}}),
            ("/shop/set_delivery_method", {"dm_id": 1}),
            ("/website_sale/set_pickup_location", {"pickup_location_data": "{}"}),
            ("/shop/update_address", {"partner_id": self.acme.id}),
            (f"/shop/payment/transaction/{order.id}", {"access_token": "x"}),
            ("/my/orders/reorder", {"order_id": order.id}),
            (f"/my/orders/{order.id}/transaction", {"access_token": "x"}),
            (f"/invoice/transaction/{order.id}", {"access_token": "x"}),
            ("/invoice/transaction/overdue", {"payment_reference": "x"}),
            ("/payment/archive_token", {"token_id": 1}),
            ("/my/address/archive", {"partner_id": self.bob.partner_id.id}),
        ):
            with self.subTest(path):
                self.assertIn("AccessError", str(self._call(path, **params)))

    def test_pages_lead_to_the_one_that_says_whom_to_ask(self):
        self._as(self.vera)
        for path in (
            "/shop/cart",
            "/shop/checkout",
            "/shop/address",
            "/shop/payment",
            "/shop/payment/validate",
            "/my/payment_method",
            "/my/invoices/overdue",
            "/my/address?address_type=delivery",
            "/payment/pay?amount=1",
        ):
            with self.subTest(path):
                response = self.url_open(path)
                self.assertTrue(response.url.endswith("/my/team"))
                self.assertIn("ask Anna", response.text)

    def test_routes_of_related_apps_are_closed(self):
        self._as(self.vera)
        for app, path, params in (
            ("website_sale_loyalty", "/coupon/abc", None),
            ("website_sale_loyalty", "/shop/claimreward?reward_id=1", None),
            ("website_sale_loyalty", "/wallet/top_up?trigger_product_id=1", None),
            (
                "website_sale_collect",
                "/shop/set_click_and_collect_location",
                {"pickup_location_data": "{}"},
            ),
            (
                "website_sale_mondialrelay",
                "/website_sale_mondialrelay/update_shipping",
                {},
            ),
        ):
            if app not in self.env.registry._init_modules:
                continue
            with self.subTest(path):
                if params is None:
                    self.assertTrue(self.url_open(path).url.endswith("/my/team"))
                else:
                    self.assertIn("AccessError", str(self._call(path, **params)))

    def test_viewer_signs_no_quotation_with_or_without_its_link(self):
        order = self.quotation
        self._as(self.vera)
        for token in (None, order.access_token):
            said = self._call(
                f"/my/orders/{order.id}/accept",
                access_token=token,
                name="Vera",
                signature=PIXEL,
            )
            self.assertIn("AccessError", said)
        self.env.invalidate_all()
        self.assertEqual(order.state, "sent")
        self.assertFalse(order.signature)

    def test_viewer_declines_no_quotation(self):
        order = self.quotation
        self._as(self.vera)
        url = f"/my/orders/{order.id}/decline?access_token={order.access_token}"
        response = self._post(url, decline_message="No")
        self.assertEqual(response.status_code, 403)
        self.assertIn("ask Anna", response.text)
        self.assertEqual(order.state, "sent")

    def test_visitor_with_the_link_signs(self):
        self._open_browser()
        self._call(
            f"/my/orders/{self.quotation.id}/accept",
            access_token=self.quotation.access_token,
            name="Whoever",
            signature=PIXEL,
        )
        self.env.invalidate_all()
        self.assertEqual(self.quotation.state, "sale")

    def test_staff_confirm_what_a_viewer_asked_for(self):
        self.quotation.partner_id = self.vera.partner_id
        self.quotation.with_user(self.salesperson).action_confirm()
        self.assertEqual(self.quotation.state, "sale")

    def test_page_of_a_quotation_offers_nothing_and_says_whom_to_ask(self):
        url = f"/my/orders/{self.quotation.id}"
        self._as(self.bob)
        self.assertIn("Accept & Sign", self.url_open(url).text)
        self._as(self.vera)
        for query in ("", f"?access_token={self.quotation.access_token}"):
            page = self.url_open(url + query).text
            self.assertIn("ask Anna", page)
            self.assertNotIn("Accept & Sign", page)
            self.assertNotIn('data-bs-target="#modal', page)

    def test_pages_of_an_invoice_offer_nothing_and_say_whom_to_ask(self):
        self.env["ir.config_parameter"].set_param(
            "account_payment.enable_portal_payment", True
        )
        self.quotation.action_confirm()
        self.quotation.order_line.qty_delivered = 1
        invoice = self.quotation._create_invoices()
        invoice.invoice_date_due = "2020-01-01"
        invoice.action_post()
        self._as(self.bob)
        pages = "/my/invoices", f"/my/invoices/{invoice.id}?payment=True"
        for path in pages:
            self.assertIn("Pay Now", self.url_open(path).text)
        self._as(self.vera)
        for path in pages:
            with self.subTest(path):
                page = self.url_open(path).text
                self.assertIn(invoice.name, page)
                self.assertNotIn("Pay Now", page)
                self.assertNotIn("/my/invoices/overdue", page)
        self.assertEqual(page.count("ask Anna"), 2)  # above it, and in the dialog
        counters = ["overdue_invoice_count"]
        counted = self._call("/my/counters", counters=counters)
        self.assertEqual(counted, {"overdue_invoice_count": 0})

    def test_page_of_a_product_offers_nothing_and_says_whom_to_ask(self):
        url = self.product.website_url
        self._as(self.vera)
        page = self.url_open(url).text
        self.assertIn("ask Anna", page)
        self.assertNotIn('id="add_to_cart"', page)
        self.assertIn(HIDDEN, page)
        self.assertIn("oe_price", page)
        self.assertIn(HIDDEN, self.url_open("/shop").text)
        self._as(self.bob)
        page = self.url_open(url).text
        self.assertIn('id="add_to_cart"', page)
        self.assertNotIn(HIDDEN, page)

    def test_no_transaction_is_created(self):
        transactions = self.env["payment.transaction"].with_user(self.vera).sudo()
        with self.assertRaises(AccessError):
            transactions.create({})

    def test_cart_of_a_buyer_who_becomes_viewer_waits(self):
        self._as(self.bob)
        self._add_to_cart()
        cart = self._get_carts().filtered(
            lambda order: order.partner_id == self.bob.partner_id
        )
        self.bob.portal_role = "viewer"
        self.assertTrue(self.url_open("/shop/payment").url.endswith("/my/team"))
        self.assertIn("AccessError", self._add_to_cart())
        self.bob.portal_role = "buyer"
        self.assertIn("cart_line", self.url_open("/shop/cart").text)
        self.assertTrue(cart.exists())

    def test_viewer_reads_orders_of_the_company(self):
        self._as(self.vera)
        self.assertIn(self.quotation.name, self.url_open("/my/quotes").text)

    def test_viewer_leaves_the_addresses_of_the_company(self):
        self.acme.street = "Acme Street"
        self._as(self.vera)
        depot = self._create_customer(
            "Depot", "depot@example.com", parent_id=self.acme.id, type="delivery"
        )
        values = {
            "name": "Vera V.",
            "email": "vera@example.com",
            "phone": "+32 470 12 34 56",
            "street": "Evil Street",
            "city": "Ghent",
            "zip": "9000",
            "country_id": self.env.ref("base.be").id,
            "company_name": "Evil",
        }
        self._post("/my/address/submit", **values, partner_id=self.vera.partner_id.id)
        for data in ({"partner_id": depot.id}, {}):
            response = self._post("/my/address/submit", **values, **data)
            self.assertEqual(response.status_code, 403)
        response = self.url_open(f"/my/address?partner_id={depot.id}")
        self.assertTrue(response.url.endswith("/my/team"))
        self.assertEqual(self.acme.street, "Acme Street")
        self.assertEqual(self.vera.partner_id.street, "Evil Street")
        self.assertEqual(self.acme.name, "Acme")
        self.assertEqual(depot.name, "Depot")
