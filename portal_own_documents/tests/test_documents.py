from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import RULES, OwnDocumentsCommon


@tagged("post_install", "-at_install")
class TestDocuments(OwnDocumentsCommon):
    """Who sees what."""

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
            # Pages and files read the lines for whoever may read the invoice.
            lines = self._get_all(user, self.invoices.line_ids)
            self.assertLessEqual(lines, expected.line_ids)

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
