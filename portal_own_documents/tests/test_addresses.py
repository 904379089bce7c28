from werkzeug.exceptions import Forbidden

from odoo import http
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestAddresses(OwnDocumentsCommon):
    """Nobody sees, uses or changes the address of a colleague."""

    def test_pickup_point_is_no_address_of_a_colleague(self):
        belgium = self.env.ref("base.be")
        self.bob_home.write({"street": "Bob 1", "city": "Ghent", "country_id": belgium})
        location = {
            "street": "Bob 1",
            "city": "Ghent",
            "zip_code": "9000",
            "country_code": "BE",
        }
        for is_active in (True, False):
            self.user.active = is_active
            order = self._create_order(partner_shipping_id=self.acme.id)
            order.pickup_location_data = location
            order.action_confirm()
            self.assertEqual(order.partner_shipping_id.street, "Bob 1")
            self.assertEqual(order.partner_shipping_id.parent_id, self.customer)

    def test_addresses_of_others_are_not_edited(self):
        self._log_in(self.user)
        self._add_to_cart()
        for address in (self.bob_home, self.depot, self.bob, self.acme):
            values = {
                "partner_id": address.id,
                "name": "Changed",
                "csrf_token": http.Request.csrf_token(self),
            }
            for url in ("/my/address", "/shop/address"):
                with self.subTest(address.name, url=url), mute_logger("odoo.http"):
                    response = self.url_open(f"{url}?partner_id={address.id}")
                    self.assertEqual(response.status_code, 403)
                    response = self.url_open(f"{url}/submit", data=values)
                    self.assertEqual(response.status_code, 403)
            with (
                mute_logger("odoo.http"),
                self.assertRaisesRegex(JsonRpcException, "Forbidden"),
            ):
                url = "/my/address/archive"
                self.make_jsonrpc_request(url, {"partner_id": address.id})

    def test_own_form_changes_nothing_of_the_company(self):
        contacts = self.acme + self.bob
        fields = ["name", "street", "city", "vat"]
        before = contacts.read(fields)
        self._log_in(self.user)
        response = self._submit_address(
            partner_id=self.customer.id,
            company_name="Renamed",
            street="Evil Street",
            vat="",
        )
        self.assertNotIn("messages", response.text)
        self.assertEqual(self.customer.street, "Evil Street")
        self.assertEqual(contacts.read(fields), before)
        self._log_in(self.manager)
        self._submit_address(
            partner_id=self.manager.partner_id.id, company_name="Renamed"
        )
        self.assertEqual(self.acme.name, "Renamed", "as in Odoo")

    def test_new_address_gives_the_company_no_vat(self):
        self._log_in(self.user)
        response = self._submit_address(name="Jane 2", vat="BE0477472701")
        self.assertNotIn("messages", response.text)
        address = self.env["res.partner"].search([("name", "=", "Jane 2")])
        self.assertEqual(address.parent_id, self.customer)
        for partner in self.acme + self.customer + address:
            self.assertFalse(partner.vat)

    def test_own_address_takes_no_documents_of_colleagues(self):
        self.invoice_address.name = "Z Accounting"
        (self.depot + self.bob_home).type = "other"
        self.customer.name = "A Jane"
        self._log_in(self.user)
        for address_type in ("billing", "delivery"):
            self._submit_address(name=f"A {address_type}", address_type=address_type)
        addresses = self.customer.child_ids
        self.assertEqual(len(addresses), 2)
        for partner in (self.acme, self.bob):
            order = self._create_order(partner)
            with self.subTest(partner.name):
                used = order.partner_invoice_id + order.partner_shipping_id
                self.assertFalse(used & addresses)
                self.assertEqual(order.partner_invoice_id, self.invoice_address)
                self.assertEqual(order.partner_shipping_id, partner)

    def test_express_checkout_changes_no_address_of_others(self):
        address = {
            "name": "Evil",
            "email": "attacker@evil.test",
            "phone": "666",
            "street": "Evil Street",
            "street2": "",
            "city": "Ghent",
            "zip": "9000",
            "country": "BE",
        }
        self._log_in(self.user)
        cart = self._add_to_cart()
        fields = ["name", "email", "phone", "street", "city"]
        for other in self.acme + self.depot:
            other.name = f"{other.name} {cart.name}"
            before = other.read(fields)
            for url, values in (
                (
                    "/shop/express/shipping_address_change",
                    {"partial_delivery_address": {**address}},
                ),
                (
                    "/shop/express_checkout",
                    {
                        "billing_address": {**address},
                        "shipping_address": {**address},
                    },
                ),
            ):
                cart.partner_shipping_id = other
                self.make_jsonrpc_request(url, values)
                with self.subTest(other.name, url=url):
                    self.assertEqual(other.read(fields), before)

    def test_express_checkout_finds_no_address_of_a_colleague(self):
        country = self.env.ref("base.be")
        address = {
            "street": "Bob Street 1",
            "street2": "",
            "city": "Ghent",
            "zip": "9000",
        }
        self.bob_home.write({**address, "country_id": country.id, "phone": "123"})
        address |= {"country": "BE", "state": ""}
        known = {
            "name": "Bob at Home",
            "email": "home@example.com",
            "phone": "123",
            **address,
        }
        for user, is_found in ((self.manager, True), (self.user, False)):
            self._log_in(user)
            cart = self._add_to_cart()
            self.make_jsonrpc_request(
                "/shop/express/shipping_address_change",
                {"partial_delivery_address": {**address}},
            )
            with self.subTest(user.login):
                self.assertEqual(cart.partner_shipping_id == self.bob_home, is_found)
            self.make_jsonrpc_request(
                "/shop/express_checkout",
                {"billing_address": {**known}, "shipping_address": {**known}},
            )
            with self.subTest(user.login):
                self.assertEqual(cart.partner_shipping_id == self.bob_home, is_found)
                self.assertEqual(cart.partner_invoice_id == self.bob_home, is_found)
            if not is_found:
                addresses = cart.partner_shipping_id + cart.partner_invoice_id
                self.assertEqual(addresses.parent_id, self.customer)
        self.assertEqual(self.bob_home.name, "Bob at Home")

    def test_wrong_types_fail_as_in_odoo(self):
        values = None, [], [1], {}, {"a": 1}, "abc", "", 10**20, -1, 1.5, True
        routes = (
            ("/shop/update_address", "partner_id"),
            ("/payment/archive_token", "token_id"),
        )
        answers = {}
        self.bob_home.type = "contact"
        for is_own in (True, False):
            self.user.portal_own_documents = is_own
            self._log_in(self.user)
            for url, key in routes:
                for value in values:
                    answers[is_own, url, repr(value)] = self._get_error(url, key, value)
        for (is_own, url, value), answer in answers.items():
            if is_own and answer != "werkzeug.exceptions.Forbidden":
                with self.subTest(url=url, value=value):
                    self.assertEqual(answer, answers[False, url, value])

    def _get_error(self, url, key, value):
        with mute_logger("odoo.http", "odoo.sql_db"):
            response = self.url_open(url, json={"params": {key: value}})
        return response.json().get("error", {}).get("data", {}).get("name")

    def test_addresses_of_colleagues_are_not_offered(self):
        own = self._create_customer(
            "Jane at Home",
            "",
            parent_id=self.customer.id,
            type="delivery",
            street="Own",
        )
        for user, is_shown in ((self.user, False), (self.manager, True)):
            self._log_in(user)
            _page, response = self._get_page("/my/addresses")
            self.assertEqual("Bob at Home" in response.text, is_shown)
            self.assertIn(own.street, response.text)
            _page, response = self._get_page(
                f"/my/address?partner_id={self.bob_home.id}"
            )
            self.assertEqual("home@example.com" in response.text, is_shown)

    def test_new_address_is_the_users_own(self):
        self._log_in(self.user)
        response = self._submit_address(name="Jane on Holiday", address_type="delivery")
        self.assertEqual(response.status_code, 200, response.text)
        address = self.env["res.partner"].search([("name", "=", "Jane on Holiday")])
        self.assertEqual(address.parent_id, self.customer)
        _page, response = self._get_page("/my/addresses")
        self.assertIn("Jane on Holiday", response.text)

    def test_cart_takes_no_address_of_a_colleague(self):
        self._log_in(self.user)
        cart = self._add_to_cart()
        self.assertEqual(cart.partner_shipping_id, self.depot)
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self.make_jsonrpc_request(
                "/shop/update_address",
                {"partner_id": self.bob_home.id, "address_type": "delivery"},
            )
        self.assertEqual(cart.partner_shipping_id, self.depot)
        _page, response = self._get_page("/shop/checkout")
        self.assertIn("A1 Depot", response.text, "Odoo chose it")
        self.assertNotIn("Bob at Home", response.text)

    def test_cart_takes_no_address_of_a_colleague_from_another_module(self):
        """OCA's `website_sale_one_time_delivery_address` writes it by this method."""
        self._log_in(self.user)
        cart_sudo = self._add_to_cart().with_user(self.user).sudo()
        with self.assertRaises(Forbidden):
            cart_sudo._update_address(self.bob_home.id, {"partner_shipping_id"})
