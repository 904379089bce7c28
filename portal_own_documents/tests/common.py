from lxml import html

from odoo import Command, http
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.sale.tests.common import SaleCommon

RULES = "odoo.addons.base.models.ir_rule"


@tagged("post_install", "-at_install")
class OwnDocumentsCommon(SaleCommon, AccountTestInvoicingCommon, HttpCase):
    """A company, whose receptionist Jane sees the own documents, and whose manager
    Walter sees all of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesperson = new_test_user(
            cls.env,
            "salesperson",
            "sales_team.group_sale_salesman_all_leads",
            email="salesperson@example.com",
        )
        cls.customer = cls._create_customer("Jane Doe", "jane@example.com")
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
        cls.user = cls._create_user(cls.customer)
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

    @classmethod
    def _create_customer(cls, name, email, **values):
        return cls.env["res.partner"].create({"name": name, "email": email, **values})

    @classmethod
    def _create_user(cls, partner, **values):
        """Return a portal user with own documents only, see ``_log_in``."""
        login = partner.email
        return new_test_user(
            cls.env,
            login,
            "base.group_portal",
            password=f"{login.split('@')[0]}-12345",
            partner_id=partner.id,
            name=partner.name,
            email=login,
            **{"portal_own_documents": True, **values},
        )

    def _create_order(self, partner=None, **values):
        return self._create_so(partner_id=(partner or self.customer).id, **values)

    def _get_all(self, user, records):
        """Return those of some records that a user finds by a search."""
        return records.with_user(user).search([("id", "in", records.ids)]).sudo()

    def _create_private_user(self):
        """Return the user of a guest, who has ordered and belongs to no company."""
        private = self._create_customer(
            "Private", "private@example.com", street="Private Street"
        )
        user = self._create_user(private)
        self.private_order = self._create_order(private)
        self.private_order.action_confirm()
        return user

    def _merge(self, source, target):
        """Merge contacts by Odoo's wizard, which wants at most one user."""
        # another module may have created some
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
