from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import RULES, OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestPages(OwnDocumentsCommon):
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
