from ast import literal_eval
from contextlib import suppress

from lxml import html

from odoo import Command, http
from odoo.exceptions import AccessError
from odoo.tests import Form, HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .common import PortalAccountCommon

RULES = "odoo.addons.base.models.ir_rule"


class OwnDocumentsCommon(PortalAccountCommon, AccountTestInvoicingCommon, HttpCase):
    """A company, whose receptionist Jane has an account for her own documents, and
    whose manager Walter was given access by somebody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._create_customer(
            "Acme", "acme@example.com", is_company=True, street="Acme Street"
        )
        cls.customer.write({"parent_id": cls.acme.id, "street": "Jane Street"})
        cls.bob = cls._create_customer("Bob", "bob@example.com", parent_id=cls.acme.id)
        cls.depot = cls._create_customer(
            "A1 Depot", "depot@example.com", parent_id=cls.acme.id, type="delivery"
        )
        cls.bob_home = cls._create_customer(
            "Bob at Home", "home@example.com", parent_id=cls.acme.id, type="delivery"
        )
        cls.invoice_address = cls._create_customer(
            "Accounting",
            "accounting@example.com",
            parent_id=cls.acme.id,
            type="invoice",
        )
        cls.manager = new_test_user(
            cls.env, "walter@example.com", "base.group_portal", password="walter-12345"
        )
        cls.manager.partner_id.parent_id = cls.acme
        cls.orders = cls.env["sale.order"]
        cls.product.invoice_policy = "order"
        for partner in (cls.customer, cls.bob, cls.acme):
            line = Command.create({"product_id": cls.product.id})
            order = cls.env["sale.order"].create(
                {"partner_id": partner.id, "order_line": [line]}
            )
            order.action_confirm()
            cls.orders += order
        cls.order, cls.bob_order, cls.acme_order = cls.orders
        cls.invoices = cls.env["account.move"]
        for order in cls.orders:
            cls.invoices += order._create_invoices()
        cls.invoices.action_post()
        cls.user = cls.customer.user_ids
        cls.user.password = "jane-12345"

    def _get_all(self, user, records):
        """Return those of some records that a user finds by a search."""
        return records.with_user(user).search([("id", "in", records.ids)]).sudo()

    def _create_private_user(self):
        """Return the user of a guest, who has ordered and belongs to no company."""
        private = self._create_customer(
            "Private", "private@example.com", street="Private Street"
        )
        self.private_order = self._create_order(private)
        self.private_order.action_confirm()
        private.user_ids.password = "private-12345"
        return private.user_ids

    def _merge(self, source, target):
        """Merge contacts by Odoo's wizard, which wants at most one user."""
        (self.bob + self.acme).user_ids.unlink()
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((source + target).ids, target)

    def _add_to_cart(self):
        """Return the cart of the user who is logged in."""
        self.product.is_published = True
        self.make_jsonrpc_request(
            "/shop/cart/add",
            {
                "product_template_id": self.product.product_tmpl_id.id,
                "product_id": self.product.id,
                "quantity": 1,
            },
        )
        user = self.env["res.users"].browse(self.session.uid)
        domain = [("partner_id", "=", user.partner_id.id), ("state", "=", "draft")]
        return self.env["sale.order"].sudo().search(domain, limit=1)

    def _submit_address(self, url="/my/address/submit", **values):
        """Submit the form of an address; return the response."""
        values = {
            "name": "Jane",
            "email": "jane@example.com",
            "phone": "+32 2 290 34 90",
            "street": "Beach 1",
            "city": "Ostend",
            "zip": "8400",
            "country_id": self.env.ref("base.be").id,
            "csrf_token": http.Request.csrf_token(self),
            **values,
        }
        return self.url_open(url, data=values)

    def _get_page(self, url):
        response = self.url_open(url)
        return html.fromstring(response.text), response

    def _log_in(self, user):
        self.authenticate(user.login, f"{user.login.split('@')[0]}-12345")

    def _call(self, model, method, *args, **kwargs):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )


@tagged("post_install", "-at_install")
class TestOwnDocuments(OwnDocumentsCommon):
    """Who sees what."""

    def test_account_of_a_contact_of_a_company_shows_its_own_documents(self):
        self.assertTrue(self.user.portal_own_documents)
        self.assertFalse(self.manager.portal_own_documents, "somebody decided on it")

    def test_account_of_a_person_without_company_is_theirs(self):
        private = self._create_private_user().partner_id
        self.assertTrue(private.user_ids.portal_own_documents)
        self.assertEqual(private.portal_documents, "own")

    def test_account_of_a_company_shows_the_company(self):
        self._create_order(self.acme).action_confirm()
        self.assertFalse(self.acme.user_ids.portal_own_documents)
        self.assertEqual(self.acme.portal_documents, "company")
        self.assertEqual(self._get_all(self.acme.user_ids, self.orders), self.orders)

    def test_orders_and_lines(self):
        for user, expected in ((self.user, self.order), (self.manager, self.orders)):
            found = self._get_all(user, self.orders)
            self.assertEqual(found, expected)
            lines = self._get_all(user, self.orders.order_line)
            self.assertEqual(lines, expected.order_line)

    def test_invoices_and_lines(self):
        # all of them go to the accounting of the company
        self.assertEqual(self.invoices.partner_id, self.invoice_address)
        own = self.invoices[0]
        for user, expected in ((self.user, own), (self.manager, self.invoices)):
            self.assertEqual(self._get_all(user, self.invoices), expected)
            lines = self._get_all(user, self.invoices.line_ids)
            self.assertEqual(lines, expected.line_ids)

    def test_draft_invoices_are_not_shown(self):
        own = self.invoices[0]
        own.button_draft()
        self.assertFalse(self._get_all(self.user, own))

    def test_contacts(self):
        own_address = self._create_customer(
            "Jane at Home", "jane.home@example.com", parent_id=self.customer.id
        )
        contacts = self.acme.child_ids + self.acme + own_address + self.customer
        expected = self.customer + own_address
        self.assertEqual(self._get_all(self.user, contacts), expected)
        self.assertEqual(self._get_all(self.manager, contacts), contacts)

    def test_nothing_of_the_company_is_read(self):
        group = self._create_customer("Group", "group@example.com", is_company=True)
        self.acme.parent_id = group
        self.acme.comment = "Pays late"
        for company in self.acme + group:
            with (
                self.subTest(company.name),
                mute_logger(RULES),
                self.assertRaises(AccessError),
            ):
                company.with_user(self.user).read(["name"])
        message = self.acme.message_post(
            body="Hello Acme",
            subtype_xmlid="mail.mt_comment",
            attachments=[("acme.txt", b"content")],
        )
        self.assertEqual(self._get_all(self.manager, message), message)
        for records in (message, message.attachment_ids):
            self.assertFalse(self._get_all(self.user, records))

    def test_users(self):
        users = self.user + self.manager + self.env.user
        self.assertEqual(self._get_all(self.user, users), self.user)

    def test_what_is_not_shown_cannot_be_read(self):
        for record in (
            self.bob_order,
            self.bob_order.order_line[0],
            self.invoices[1],
            self.invoices[1].line_ids[0],
            self.bob,
            self.bob_home,
            self.manager.partner_id,
            self.acme,
        ):
            with self.subTest(record), mute_logger(RULES):
                record.with_user(self.manager).check_access("read")
                with self.assertRaises(AccessError):
                    record.with_user(self.user).read(["display_name"])

    def test_the_company_cannot_be_written(self):
        with mute_logger(RULES), self.assertRaises(AccessError):
            self.acme.with_user(self.user).write({"street": "Elsewhere"})

    def test_a_condition_on_related_contacts_tells_nothing(self):
        orders = self.env["sale.order"].with_user(self.user)
        for path, value in (
            ("partner_id.parent_id.child_ids.email", "bob@example.com"),
            ("partner_id.commercial_partner_id.child_ids.name", "Bob"),
            ("partner_id.parent_id.street", "Acme"),
            ("partner_invoice_id.parent_id.child_ids.user_ids.login", "walter@"),
        ):
            with self.subTest(path):
                self.assertFalse(orders.search_count([(path, "ilike", value)]))

    def test_pickup_point_is_no_address_of_a_colleague(self):
        belgium = self.env.ref("base.be")
        self.bob_home.write({"street": "Bob 1", "city": "Ghent", "country_id": belgium})
        location = {
            "street": "Bob 1",
            "city": "Ghent",
            "zip_code": "9000",
            "country_code": "BE",
        }
        order = self._create_order(partner_shipping_id=self.acme.id)
        order.pickup_location_data = location
        order.action_confirm()
        self.assertEqual(order.partner_shipping_id.street, "Bob 1")
        self.assertEqual(order.partner_shipping_id.parent_id, self.customer)

    def test_followers_do_not_share_documents(self):
        self.bob_order.message_subscribe(self.acme.ids)
        self.assertNotIn(self.bob_order, self._get_all(self.user, self.orders))

    def test_messages_follow_their_document(self):
        for order in self.orders:
            order.message_post(body="Hello", subtype_xmlid="mail.mt_comment")
        messages = self.orders.message_ids.filtered(lambda msg: "Hello" in msg.body)
        for user, orders in ((self.user, self.order), (self.manager, self.orders)):
            expected = messages & orders.message_ids
            self.assertEqual(self._get_all(user, messages), expected)

    def test_claimed_orders_need_one_rule_more(self):
        # as a rule of another module, or of a shop, would show it
        self.env["ir.rule"].create(
            {
                "name": "Claimed",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
                "domain_force": f"[('id', '=', {self.bob_order.id})]",
                "groups": [Command.link(self.env.ref("base.group_portal").id)],
            }
        )
        self.assertEqual(
            self._get_all(self.user, self.orders), self.order + self.bob_order
        )

    def test_rules_of_other_modules_show_nothing_of_the_company(self):
        for path in (
            "user.partner_id.commercial_partner_id",
            "user.commercial_partner_id",
        ):
            domain = f"[('user_id.partner_id', 'child_of', [{path}.id])]"
            self.env["ir.rule"].create(
                {
                    "name": "Of another module",
                    "model_id": self.env["ir.model"]._get_id("utm.campaign"),
                    "domain_force": domain,
                    "groups": [Command.link(self.env.ref("base.group_portal").id)],
                }
            )
            IrRule = self.env["ir.rule"].with_user(self.user)
            domain = str(IrRule._compute_domain("utm.campaign", "read"))
            self.assertNotIn(str(self.acme.id), domain)
            self.assertIn(str(self.customer.id), domain)

    def test_other_users_pay_nothing(self):
        models = ("sale.order", "account.move", "account.move.line", "res.partner")
        users = self.manager, self.env.user, self.env.ref("base.public_user")

        def get_sql():
            self.env.registry.clear_cache()
            return [
                str(self.env[model].with_user(user)._search([]).select())
                for model in models
                for user in users
                if user != self.env.ref("base.public_user") or model == "res.partner"
            ]

        before = get_sql()
        rules = self.env["ir.rule"].search([("name", "like", "Portal, own documents")])
        self.assertEqual(len(rules), 4)
        rules.active = False
        self.assertEqual(get_sql(), before)

    def test_persons_without_company_have_the_rules_of_odoo(self):
        user = self._create_private_user()
        models = self.env["ir.rule"].search([]).model_id.mapped("model")

        def get_domains():
            IrRule = self.env["ir.rule"].with_user(user)
            return {
                (model, mode): str(IrRule._compute_domain(model, mode))
                for model in models
                for mode in ("read", "write", "create", "unlink")
            }

        self.assertGreater(len(models), 50)
        with_flag = get_domains()
        user.portal_own_documents = False
        self.env["ir.rule"].search(
            [("name", "like", "Portal, own documents")]
        ).active = False
        self.assertEqual(with_flag, get_domains())

    def test_cached_rules_need_no_query(self):
        internal = self.env.ref("base.user_admin")
        users = internal, self.manager, self.user, self._create_private_user()
        for user in users:
            IrRule = self.env["ir.rule"].with_user(user)
            IrRule._compute_domain("sale.order")
            with self.subTest(user.login), self.assertQueryCount(0):
                IrRule._compute_domain("sale.order")
        # Of others, the contact is read, which each of their pages shows anyway.
        for user, count in ((internal, 0), (self.manager, 3)):
            self.env["res.partner"].invalidate_model()
            IrRule = self.env["ir.rule"].with_user(user)
            with self.subTest(user.login), self.assertQueryCount(count):
                IrRule._compute_domain("sale.order")

    def test_changing_it_shows_at_once(self):
        self.assertEqual(self._get_all(self.user, self.orders), self.order)
        self.user.portal_own_documents = False
        self.assertEqual(self._get_all(self.user, self.orders), self.orders)
        self.user.portal_own_documents = True
        self.assertEqual(self._get_all(self.user, self.orders), self.order)


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
        self.assertEqual(lines, invoices.line_ids)

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
        before = self.acme.read(["name", "email", "phone"])
        user = self.guest_user.with_user(self.guest_user)
        # Odoo may also refuse it
        with mute_logger(RULES), suppress(AccessError):
            user.write({"name": "X", "email": "x@evil.test", "phone": "1"})
        user.sudo()._deactivate_portal_user()
        self.assertEqual(self.acme.read(["name", "email", "phone"]), before)
        self.assertTrue(self.acme.active)

    def test_salesperson_decides(self):
        self._merge(self.guest, self.acme)
        self.assertEqual(self.acme.portal_documents, "none")
        self.acme.portal_own_documents = False
        self.assertEqual(self.acme.portal_documents, "company")
        self.assertShown(self.orders + self.private_order)


class TestOwnDocumentsMovedUnseen(TestOwnDocumentsMoved):
    """The same for users who have not been there before."""

    is_seen_before = False


@tagged("post_install", "-at_install")
class TestOwnDocumentsPages(OwnDocumentsCommon):
    """The same over HTTP."""

    def test_lists_and_counters(self):
        for user, count in ((self.user, 1), (self.manager, 3)):
            self._log_in(user)
            for url, name in (
                ("/my/orders", "order"),
                ("/my/invoices", "invoice"),
            ):
                with self.subTest(url=url, user=user.login):
                    page, _response = self._get_page(url)
                    rows = page.xpath(
                        "//table[contains(@class, 'o_portal_my_doc')]//td/a"
                    )
                    rows = {row.get("href").split("?")[0] for row in rows}
                    self.assertEqual(len(rows), count, name)

    def test_pages_open(self):
        """No page of Odoo's breaks for want of the company's contact."""
        self.acme.write({"user_id": self.salesperson.id, "vat": "BE0477472701"})
        self._log_in(self.user)
        text = self._assert_pages_open(self.order, self.invoices[0])
        self.assertTrue("Acme, Accounting" in text, "who gets the invoice")
        self.assertTrue("Acme Street" in text, "an address to choose")

    def test_pages_open_before_somebody_decides(self):
        user = self._create_private_user()
        self._log_in(user)
        self._add_to_cart()
        self.acme.vat = "BE0477472701"
        self._merge(user.partner_id, self.acme)
        texts = []
        for url in self._get_urls():
            with self.subTest(url):
                response = self.url_open(url)
                self.assertEqual(response.status_code, 200)
                texts.append(response.text)
        for word in (
            "Bob",
            "Jane",
            "Depot",
            self.order.name,
            self.bob_order.name,
            self.acme.vat,
        ):
            self.assertFalse(word in "".join(texts), word)

    def test_nothing_is_bought_before_somebody_decides(self):
        user = self._create_private_user()
        self._log_in(user)
        cart = self._add_to_cart()
        self._merge(user.partner_id, self.acme)
        address = {"street": "X", "city": "Y", "zip": "1", "country": "BE"}
        token = cart._portal_ensure_token()
        provider = self.env.ref("payment.payment_provider_demo").sudo()
        provider.state = "test"
        transaction = {
            "provider_id": provider.id,
            "payment_method_id": self.env.ref("payment.payment_method_card").id,
            "token_id": None,
            "amount": cart.amount_total,
            "flow": "direct",
            "tokenization_requested": False,
            "landing_route": "/shop",
            "access_token": token,
        }
        for url, values in (
            (
                "/shop/cart/add",
                {
                    "product_template_id": self.product.product_tmpl_id.id,
                    "product_id": self.product.id,
                    "quantity": 1,
                },
            ),
            ("/shop/express_checkout", {"billing_address": {**address}}),
            (f"/shop/payment/transaction/{cart.id}", transaction),
        ):
            with (
                self.subTest(url),
                mute_logger("odoo.http"),
                self.assertRaisesRegex(JsonRpcException, "Forbidden"),
            ):
                self.make_jsonrpc_request(url, values)
        self.assertFalse(cart.transaction_ids)
        self.assertEqual(cart.order_line.product_uom_qty, 1)
        addresses = self.acme.child_ids
        for address_type in ("billing", "delivery"):
            with mute_logger("odoo.http"):
                response = self._submit_address(address_type=address_type)
            self.assertEqual(response.status_code, 403)
        self.assertEqual(self.acme.child_ids, addresses)
        self.acme.portal_own_documents = False
        self.assertEqual(self._add_to_cart(), cart)
        self.assertEqual(cart.order_line.product_uom_qty, 2)
        with mute_logger("odoo.http"):
            response = self.url_open(url, json={"params": transaction})
        self.assertNotIn("Forbidden", response.text)

    def _assert_pages_open(self, *documents):
        """Open all pages of the portal and the shop; return their texts."""
        cart = self._add_to_cart()
        texts = []
        for url in self._get_urls(*documents):
            with self.subTest(url):
                response = self.url_open(url)
                self.assertEqual(response.status_code, 200)
                self.assertIn(url.split("?")[0], response.url)
                texts.append(response.text)
        cart.website_id.auth_signup_uninvited = "b2b"
        cart.action_confirm()
        response = self.url_open("/shop/confirmation")
        self.assertEqual(response.status_code, 200)
        counters = [
            "order_count",
            "quotation_count",
            "invoice_count",
            "overdue_invoice_count",
        ]
        self.make_jsonrpc_request("/my/counters", {"counters": counters})
        return "".join([*texts, response.text])

    def _get_urls(self, *documents):
        """Return the pages of the portal and the shop."""
        return [
            *(document.get_portal_url() for document in documents),
            *(document.access_url for document in documents),
            *(f"{document.access_url}?report_type=html" for document in documents),
            "/my",
            "/my/account",
            "/my/addresses",
            "/my/address",
            "/my/address?address_type=delivery",
            "/my/quotes",
            "/my/orders",
            "/my/orders/missing",
            "/my/invoices",
            "/my/invoices?filterby=invoices",
            "/my/security",
            "/my/payment_method",
            "/contactus",
            "/shop",
            "/shop/cart",
            "/shop/checkout",
            "/shop/address",
            "/shop/address?address_type=delivery",
            "/shop/payment",
        ]

    def test_nothing_of_the_company_opens(self):
        message = self.acme.message_post(
            body="Hello Acme",
            subtype_xmlid="mail.mt_comment",
            attachments=[("acme.txt", b"content")],
        )
        thread = {"thread_model": "res.partner", "thread_id": self.acme.id}
        for user, is_shown in ((self.user, False), (self.manager, True)):
            self._log_in(user)
            with self.subTest(user.login):
                data = self.make_jsonrpc_request("/mail/thread/messages", thread)
                self.assertEqual("Hello Acme" in str(data), is_shown)
        self._log_in(self.user)
        response = self.url_open(f"/web/content/{message.attachment_ids.id}")
        self.assertEqual(response.status_code, 404)
        for method, values in (
            ("read", [["comment", "email"]]),
            ("web_read", [{"email": {}}]),
        ):
            with (
                self.subTest(method),
                mute_logger("odoo.http", RULES),
                self.assertRaisesRegex(JsonRpcException, "AccessError"),
            ):
                self._call("res.partner", method, self.acme.ids, *values)
        groups = self._call(
            "res.partner", "formatted_read_group", [], ["parent_id.email"], ["__count"]
        )
        self.assertNotIn(self.acme.email, str(groups))

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
        staff_made.user_ids.portal_activation_date = "2020-01-01"
        archived, deleted, deactivated = (
            self._create_customer(name, f"{name}@example.com")
            for name in ("archived", "deleted", "deactivated")
        )
        partners = archived + deleted + deactivated
        self._create_orders(partners).action_confirm()
        archived.user_ids.active = False
        deleted.user_ids.unlink()
        user = deactivated.user_ids
        user._deactivate_portal_user()
        user.unlink()
        guest = self._create_customer("guest", "guest@example.com")
        self.assertEqual(
            (partners + staff_made + guest)._filter_account_holders(),
            partners + staff_made,
        )
        website = self.env["website"].get_current_website()
        orders = self.env["sale.order"].sudo()
        for partner in partners + staff_made:
            with self.subTest(partner.name):
                cart = orders.create(
                    {"partner_id": partner.id, "website_id": website.id}
                )
                response = self._hold_cart_without_login(cart)
                self.assertIn("/web/login?redirect=/shop/cart", response.url)
                page = self.url_open(f"/shop/address?partner_id={partner.id}").text
                self.assertNotIn(partner.email, page)

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
                    self.assertEqual(cart.partner_shipping_id.street, "Evil Street")

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

    def test_counters(self):
        counters = {"counters": ["order_count", "invoice_count"]}
        (self.order + self.bob_order).write({"partner_id": self.acme.id})
        for user, count in ((self.user, 0), (self.manager, 1)):
            self._log_in(user)
            counted = self.make_jsonrpc_request("/my/counters", counters)
            # the home page asks for no more than whether there is any
            self.assertEqual(counted, dict.fromkeys(counters["counters"], count))

    def test_pages_and_files_of_own_documents_open(self):
        self._log_in(self.user)
        invoice = self.invoices[0]
        for url in (
            f"/my/orders/{self.order.id}",
            f"/my/orders/{self.order.id}?report_type=html",
            f"/my/invoices/{invoice.id}",
            f"/my/invoices/{invoice.id}?report_type=html",
        ):
            with self.subTest(url):
                _page, response = self._get_page(url)
                self.assertIn(url, response.url)
        self.assertNotIn("Bob", response.text)

    def test_pages_and_files_of_colleagues_do_not(self):
        self._log_in(self.user)
        for url in (
            f"/my/orders/{self.bob_order.id}",
            f"/my/orders/{self.bob_order.id}?report_type=pdf&download=1",
            f"/my/invoices/{self.invoices[1].id}",
            f"/my/invoices/{self.invoices[1].id}?report_type=pdf&download=1",
        ):
            with self.subTest(url), mute_logger(RULES):
                _page, response = self._get_page(url)
                self.assertTrue(response.url.endswith("/my"), response.url)

    def test_chatter_and_its_files_follow_their_document(self):
        for order in self.orders:
            order.message_post(
                body=f"Hello {order.name}",
                subtype_xmlid="mail.mt_comment",
                attachments=[(f"{order.name}.txt", b"content")],
            )
        for user, shown in ((self.user, self.order), (self.manager, self.orders)):
            self._log_in(user)
            for order in self.orders:
                data = self.make_jsonrpc_request(
                    "/mail/thread/messages",
                    {"thread_model": "sale.order", "thread_id": order.id},
                )
                is_shown = order in shown
                self.assertEqual(f"Hello {order.name}" in str(data), is_shown)
                self.assertEqual(f"{order.name}.txt" in str(data), is_shown)
                [attachment] = order.message_ids.attachment_ids
                response = self.url_open(f"/web/content/{attachment.id}")
                self.assertEqual(response.status_code, 404, "files need their token")

    def test_calls_from_outside(self):
        self._log_in(self.user)
        ids = self.orders.ids
        domain = [("id", "in", ids)]
        self.assertEqual(self._call("sale.order", "search", domain), self.order.ids)
        self.assertEqual(self._call("sale.order", "search_count", domain), 1)
        [order] = self._call("sale.order", "search_read", domain, ["name"])
        self.assertEqual(order["name"], self.order.name)
        [group] = self._call(
            "sale.order",
            "formatted_read_group",
            domain,
            groupby=["partner_id"],
            aggregates=["__count", "amount_total:sum"],
        )
        self.assertEqual(group["amount_total:sum"], self.order.amount_total)
        found = self._call("res.partner", "name_search", "Bob")
        self.assertFalse(found)
        with mute_logger("odoo.http", RULES), self.assertRaises(JsonRpcException):
            self._call("sale.order", "read", self.bob_order.ids, ["name"])

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


@tagged("post_install", "-at_install")
class TestOwnDocumentsSetting(OwnDocumentsCommon):
    """Who decides it."""

    def test_company_chooses_the_whole_company(self):
        self.company.portal_company_contacts = "all"
        self._create_order(self.bob_home).action_confirm()
        self.assertFalse(self.bob_home.user_ids.portal_own_documents)

    def test_company_chooses_no_account(self):
        self.company.portal_company_contacts = "none"
        contact = self._create_customer(
            "Carl", "carl@example.com", parent_id=self.acme.id
        )
        order = self._create_order(contact)
        order.action_confirm()
        self.assertNoAccount(order, "Contact of a company")
        self.assertEqual(order.portal_account_issue, "company_contact")
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertTrue(contact.user_ids.portal_own_documents)
        self.assertFalse(order.portal_account_issue)

    def test_the_whole_company_is_not_for_persons_who_join_it_later(self):
        self.company.portal_company_contacts = "all"
        private = self._create_private_user()
        private.partner_id.parent_id = self.acme
        self.assertEqual(self._get_all(private, self.orders), self.orders.browse())

    def test_users_of_others_stay_as_they_are(self):
        user = new_test_user(self.env, "staff-made", "base.group_portal")
        self.assertFalse(user.portal_own_documents)
        user.partner_id.parent_id = self.acme
        self.assertFalse(user.portal_own_documents)
        self.assertEqual(self._get_all(user, self.orders), self.orders)

    def test_sales_manager_changes_it_and_the_contact_says_who(self):
        sales_manager = new_test_user(
            self.env, "boss", "sales_team.group_sale_manager", name="The Boss"
        )
        contact = self.customer.with_user(sales_manager)
        self.assertTrue(contact.portal_own_documents)
        contact.portal_own_documents = False
        self.assertFalse(self.user.portal_own_documents)
        note = self.customer.message_ids[0]
        self.assertIn("whole company", note.body)
        self.assertEqual(note.author_id, sales_manager.partner_id)
        with Form(contact) as form:
            form.portal_own_documents = True
        self.assertTrue(self.user.portal_own_documents)

    def test_user_follows_nothing_that_is_not_shown_any_more(self):
        partner = self.manager.partner_id
        own_order = self._create_order(partner)
        followed = (self.bob_order, self.invoices[1], self.acme, self.bob, own_order)
        for record in followed:
            record.message_subscribe(partner.ids)
        self.manager.portal_own_documents = True
        for record in followed:
            with self.subTest(record):
                is_followed = partner in record.message_partner_ids
                self.assertEqual(is_followed, record == own_order)
        message = self.bob_order.message_post(
            body="Later", subtype_xmlid="mail.mt_comment"
        )
        self.assertFalse(self._get_all(self.manager, message))

    def test_nobody_else_sees_or_changes_it(self):
        for user in (self.salesperson, self.user):
            with self.subTest(user.login), mute_logger(RULES):
                contact = self.customer.with_user(user)
                with self.assertRaises(AccessError):
                    contact.read(["portal_own_documents"])
                with self.assertRaises(AccessError):
                    contact.write({"portal_own_documents": False})
        with mute_logger(RULES), self.assertRaises(AccessError):
            self.user.with_user(self.user).write({"portal_own_documents": False})

    def test_list_of_portal_users(self):
        action = self.env.ref("portal_own_documents.res_partner_action_portal")
        domain = [("user_ids.share", "=", True)]
        self.assertEqual(action.domain, str(domain))
        found = self.env["res.partner"].search(domain)
        self.assertIn(self.customer, found)
        self.assertIn(self.manager.partner_id, found)
        self.assertNotIn(self.salesperson.partner_id, found)

    def test_list_of_portal_users_shows_who_to_decide_on(self):
        user = self._create_private_user()
        self._merge(user.partner_id, self.acme)
        search = self.env.ref("portal_own_documents.res_partner_view_search_portal")
        arch = html.fromstring(search.arch)
        [domain] = arch.xpath("//filter[@name='no_documents']/@domain")
        found = self.env["res.partner"].search(literal_eval(domain))
        self.assertEqual(found.filtered("user_ids"), self.acme)
        self.assertEqual(found.mapped("portal_documents"), ["none"])
