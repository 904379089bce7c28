from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.portal_own_documents.hooks import pre_init_hook

from .common import OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestInvoices(OwnDocumentsCommon):
    """Invoices that are addressed to others of the company, found by an index."""

    def _invoice(self, *orders):
        """Return one invoice of several orders."""
        return sum(orders, self.env["sale.order"])._create_invoices()

    def _order(self, partner, **values):
        line = Command.create({"product_id": self.product.id})
        order = self.env["sale.order"].create(
            {"partner_id": partner.id, "order_line": [line], **values}
        )
        order.action_confirm()
        return order

    def test_buyer_is_the_customer_of_all_orders(self):
        other = self._create_customer("Other", "other@example.com", is_company=True)
        home = self._create_customer("Home", "", parent_id=self.customer.id)
        foreign = self._order(self.customer, partner_invoice_id=other.id)
        nobody = self.env["res.partner"]
        for expected, orders in (
            (self.customer, [self._order(self.customer), self._order(self.customer)]),
            (home, [self._order(home)]),
            (nobody, [self._order(self.customer), self._order(self.bob)]),
            (nobody, [foreign]),
        ):
            invoice = self._invoice(*orders)
            invoice.action_post()
            with self.subTest(expected.name):
                self.assertEqual(invoice.portal_buyer_id, expected)
                is_shown = bool(self._get_all(self.user, invoice))
                self.assertEqual(is_shown, expected in self.customer + home)
        self.assertFalse(self._get_all(self.user, self.invoices[1:]))

    def test_buyer_follows_the_order(self):
        self.order.partner_id = self.bob
        self.assertEqual(self.invoices[0].portal_buyer_id, self.bob)
        self.assertFalse(self._get_all(self.user, self.invoices))

    def test_credit_note_has_the_buyer_of_its_invoice(self):
        credit_note = self.invoices[0]._reverse_moves()
        credit_note.action_post()
        self.assertEqual(credit_note.portal_buyer_id, self.customer)

    def test_installation_finds_the_same_buyers(self):
        self._invoice(self._order(self.customer), self._order(self.bob))
        moves = self.env["account.move"].search([])
        before = {move.id: move.portal_buyer_id.id for move in moves}
        self.assertIn(self.customer.id, before.values())
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_move SET portal_buyer_id = NULL")
        pre_init_hook(self.env)
        self.env.invalidate_all()
        after = {move.id: move.portal_buyer_id.id for move in moves}
        self.assertEqual(after, before)

    def _assert_index_is_used(self, what):
        """The list of invoices and their number are found by the two indexes."""
        invoices = self.env["account.move"].with_user(self.user)
        domain = [("move_type", "in", ("out_invoice", "out_refund"))]
        order = "invoice_date desc"
        for query in (
            invoices._search(domain, order=order, limit=80).select(),
            invoices._search(domain).select(SQL("COUNT(*)")),
        ):
            rows = self.env.execute_query(SQL("EXPLAIN %s", query))
            plan = "\n".join(line for (line,) in rows)
            with self.subTest(what):
                self.assertIn("account_move__portal_buyer_id_index", plan)
                self.assertIn("account_move__partner_id_index", plan)
                self.assertNotIn("Seq Scan on account_move", plan)

    def test_plans_use_the_index_also_with_statistics_of_a_small_table(self):
        self.env.flush_all()
        self.env.cr.execute("ANALYZE account_move")
        columns = [
            SQL.identifier(name)
            for name, field in self.env["account.move"]._fields.items()
            if field.store and field.column_type and name not in ("id", "name")
        ]
        self.env.cr.execute(
            SQL(
                "INSERT INTO account_move (name, %(columns)s) "
                "SELECT name || number, %(columns)s "
                "FROM account_move, generate_series(1, 10000) number WHERE id = %(id)s",
                columns=SQL(", ").join(columns),
                id=self.invoices[1].id,
            )
        )
        self._assert_index_is_used("small")
        self.env.cr.execute("ANALYZE account_move")
        self._assert_index_is_used("large")
