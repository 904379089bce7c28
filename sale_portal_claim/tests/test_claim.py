from ast import literal_eval
from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.sales_confirm_user_create.tests.common import PortalAccountCommon

from ..models import res_users


@tagged("post_install", "-at_install")
class TestClaim(PortalAccountCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env,
            "jane@example.com",
            "base.group_portal",
            name="Jane",
            email="jane@example.com",
        )
        cls.account = cls.portal_user.partner_id

    def _create_guest_order(self, email="jane@example.com", **values):
        """Confirm the order of a guest, who gets a contact of their own."""
        order = self._create_order(self._create_customer("Guest", email), **values)
        order.action_confirm()
        self.assertFalse(order.user_created)
        return order

    def _prove(self, user=None):
        """Use the link that we email to the login, see *Missing an order?*."""
        (user or self.portal_user)._on_mailbox_proven("search")

    def _set_proven(self, user=None):
        """Have the mailbox of an account proven before there was an order."""
        user = user or self.portal_user
        user.write(
            {"portal_proof_date": "2020-01-01", "portal_proof_login": user.login}
        )

    def _reset_password(self):
        """Set a new password by the link that Odoo emails."""
        self.account.signup_prepare(signup_type="reset")
        token = self.account._generate_signup_token()
        self.env["res.users"].signup({"password": "Secret-12345"}, token)

    def _assert_claimed(self, order, method):
        self.assertEqual(order.portal_partner_id, self.account)
        self.assertEqual(order.portal_claim_method, method)
        self.assertTrue(order.portal_claim_date)

    def _move_to(self, company, order):
        """Have an order belong to another company, without the checks of Odoo."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET company_id = %s WHERE id = %s",
            (company.id, order.id),
        )
        self.env.invalidate_all()

    def test_activation_claims_orders_of_the_address(self):
        guest = self._create_guest_order()
        order = self._create_order()
        self.portal_user.unlink()
        order.action_confirm()
        user = order.partner_id.user_ids
        user._activate_portal_account("Secret-12345")
        self.assertEqual(guest.portal_partner_id, order.partner_id)
        self.assertEqual(guest.portal_claim_method, "activation")
        self.assertFalse(order.portal_partner_id)

    def test_password_reset_claims_nothing(self):
        """It goes to whatever the contact's address is by then, and a passkey that
        somebody else has added before still works."""
        order = self._create_guest_order()
        self._reset_password()
        self.assertFalse(order.portal_partner_id)
        self.assertFalse(self.portal_user._get_proof_date())

    def test_link_to_the_login_claims_orders_of_the_address(self):
        order = self._create_guest_order("Jane Doe <JANE@example.com>")
        self._prove()
        self._assert_claimed(order, "search")
        note = self._get_notes(order)[0]
        self.assertIn("the portal account", note)
        self.assertIn("Search in the portal", note)
        self.assertEqual(order.message_ids[0].author_id, self.account)

    def test_punycode_login_claims_orders_of_the_unicode_address(self):
        self.portal_user.login = "jane@xn--exmple-cua.com"
        self.account.email = "jane@exämple.com"
        order = self._create_guest_order("jane@exämple.com")
        self._prove()
        self._assert_claimed(order, "search")

    def test_nothing_but_the_claim_and_a_note_changes(self):
        order = self._create_guest_order()
        ignored = {
            "write_date",
            "write_uid",
            "portal_partner_id",
            "portal_claim_date",
            "portal_claim_method",
            "portal_claim_customer",
            "portal_claim_address",
            "portal_proof_date",
            "portal_known_partner_id",
        }
        records = (order, order.partner_id, order.order_line, self.account)
        before = [record.read() for record in records]
        messages = order.message_ids
        self._prove()
        self.env.invalidate_all()
        for record, old_values in zip(records, before, strict=True):
            for old, new in zip(old_values, record.read(), strict=True):
                changed = {name for name in old if old[name] != new[name]} - ignored
                changed = {name for name in changed if "message" not in name}
                self.assertLessEqual(changed, {"signup_type"}, record)
        self.assertEqual(len(order.message_ids - messages), 1)

    def test_what_is_not_claimed(self):
        company = self._create_customer("Company", "co@example.com", is_company=True)
        colleague = self._create_customer(
            "Colleague", "jane@example.com", parent_id=company.id
        )
        has_user = new_test_user(self.env, "other", "base.group_portal")
        has_user.email = "jane@example.com"
        revoked = new_test_user(self.env, "revoked", "base.group_portal")
        revoked.write({"email": "jane@example.com", "active": False})
        unclaimed = self.env["sale.order"]
        for partner in (colleague, has_user.partner_id, revoked.partner_id):
            unclaimed += self._create_order(partner)
        for email in (
            "jane@example.org",
            "jane+tag@example.com",
            "jane.doe@example.com",
        ):
            unclaimed += self._create_order(self._create_customer("Guest", email))
        unclaimed.action_confirm()
        quotation = self._create_order(self._create_customer("G", "jane@example.com"))
        cancelled = self._create_guest_order()
        cancelled._action_cancel()
        taken = self._create_guest_order()
        taken._claim_for(has_user, "staff")
        self._prove()
        for order in unclaimed + quotation + cancelled:
            with self.subTest(order.partner_id.email):
                self.assertFalse(order.portal_partner_id)
        self.assertEqual(taken.portal_partner_id, has_user.partner_id)

    def test_account_of_a_website_claims_its_orders_only(self):
        website, other = self.env["website"].create([{"name": "A"}, {"name": "B"}])
        self.portal_user.website_id = website
        self.account.website_id = website
        own, neutral = (
            self._create_guest_order(website_id=website_id)
            for website_id in (website.id, False)
        )
        foreign = self._create_order(
            self._create_customer("G", "jane@example.com"), website_id=other.id
        )
        of_contact = self._create_order(
            self._create_customer("G", "jane@example.com", website_id=other.id)
        )
        (foreign + of_contact).state = "sale"
        self._prove()
        self._assert_claimed(own, "search")
        self._assert_claimed(neutral, "search")
        self.assertFalse(foreign.portal_partner_id)
        self.assertFalse(of_contact.portal_partner_id)

    def test_setting_off_leaves_staff(self):
        self.company.portal_order_claims = False
        order = self._create_guest_order()
        self._prove()
        self.assertFalse(order.portal_partner_id)
        order.with_user(self.salesperson).action_claim_for_account()
        self._assert_claimed(order, "staff")

    def test_account_whose_emails_go_elsewhere_claims_nothing(self):
        """Odoo's *Reset Password* goes to the contact's address."""
        for email in (
            "other@example.com",
            "jane@example.com, other@example.com",
            "other@example.com <jane@example.com>",
        ):
            with self.subTest(email), self.env.cr.savepoint() as savepoint:
                order = self._create_guest_order()
                self.account.email = email
                self._prove()
                self.assertFalse(order.portal_partner_id)
                self.assertFalse(order._filter_claimable(self.portal_user))
                action = order.action_claim_for_account()
                self.assertIn("login and its contact", action["params"]["message"])
                savepoint.rollback()

    def test_free_sign_up_claims_nothing(self):
        order = self._create_guest_order()
        self.portal_user.unlink()
        self.env["website"].get_current_website().auth_signup_uninvited = "b2c"
        self.env["res.users"].with_context(website_id=1).signup(
            {"login": "jane@example.com", "name": "Jane", "password": "Secret-12345"}
        )
        self.assertTrue(self._get_users("jane@example.com"))
        self.assertFalse(order.portal_partner_id)

    def test_internal_user_claims_nothing(self):
        order = self._create_guest_order()
        self.portal_user.write({"group_ids": [(6, 0, self.salesperson.group_ids.ids)]})
        self._prove()
        self.assertFalse(order.portal_partner_id)

    def test_rest_is_claimed_by_the_next_proof(self):
        orders = self.env["sale.order"]
        for _ in range(5):
            orders += self._create_guest_order()
        with patch.object(res_users, "CLAIM_MAX", 3):
            self._prove()
            self.assertEqual(len(orders.filtered("portal_partner_id")), 3)
            self._prove()
        for order in orders:
            self._assert_claimed(order, "search")
            self.assertEqual(len(self._get_notes(order)), 2)

    @mute_logger("odoo.addons.sale_portal_claim.models.res_users")
    def test_failed_claim_keeps_nobody_from_a_new_password(self):
        guest = self._create_guest_order()
        order = self._create_order()
        self.portal_user.unlink()
        order.action_confirm()
        with patch.object(type(order), "_claim_for", side_effect=ValueError):
            order.partner_id.user_ids._activate_portal_account("Secret-12345")
        self.assertFalse(guest.portal_partner_id)
        credential = {
            "type": "password",
            "login": "jane@example.com",
            "password": "Secret-12345",
        }
        self.env["res.users"].authenticate(credential, {"interactive": False})

    def test_salesperson_adds_and_removes(self):
        self._set_proven()
        order = self._create_guest_order()
        self.assertEqual(order.portal_account_issue, "other_contact")
        self.assertEqual(order.portal_known_partner_id, self.account)
        action = order.with_user(self.salesperson).action_claim_for_account()
        self.assertIn("account of Jane", action["params"]["message"])
        self._assert_claimed(order, "staff")
        self.assertEqual(order.message_ids[0].author_id, self.salesperson.partner_id)
        order.with_user(self.salesperson).action_unclaim()
        self.assertFalse(order.portal_partner_id or order.portal_claim_date)
        self.assertIn("Removed", self._get_notes(order)[0])
        self.assertEqual(order.message_ids[0].author_id, self.salesperson.partner_id)

    def test_salesperson_adds_the_order_of_a_company_contact(self):
        self._set_proven()
        company = self._create_customer("Company", "co@example.com", is_company=True)
        contact = self._create_customer(
            "Jane", "jane@example.com", parent_id=company.id
        )
        order = self._create_order(contact)
        order.action_confirm()
        order.with_user(self.salesperson).action_claim_for_account()
        self._assert_claimed(order, "staff")

    def test_first_contact_of_an_address_is_solved_by_staff(self):
        """A guest got the account that the first contact of the address cannot have."""
        order = self._create_guest_order()
        self.assertIn("Another contact", self._get_notes(order)[0])
        self.assertEqual(order.portal_known_partner_id, self.account)

    def test_list_says_what_was_not_added(self):
        self._set_proven()
        added = self._create_guest_order()
        draft = self._create_order(self._create_customer("G", "jane@example.com"))
        unknown = self._create_order(self._create_customer("G", "x@example.com"))
        unknown.action_confirm()
        own = self._create_order(self.account)
        own.action_confirm()
        orders = added + draft + unknown + own
        action = orders.with_user(self.salesperson).action_claim_for_account()
        for order in draft + unknown + own:
            self.assertFalse(order.portal_partner_id)
            self.assertIn(order.name, action["params"]["message"])
        self._assert_claimed(added, "staff")
        action = added.with_user(self.salesperson).action_claim_for_account()
        self.assertIn("already", action["params"]["message"])

    def test_context_of_a_caller_adds_nothing_to_an_unproven_account(self):
        order = self._create_guest_order().with_user(self.salesperson)
        asked = order.with_context(sale_portal_claim_asked=True)
        action = asked.action_claim_for_account()
        self.assertIn("never confirmed", action["params"]["message"])
        self.assertFalse(order.portal_partner_id)
        with self.assertRaises(ValueError):
            (order + self._create_guest_order()).action_claim_unproven()

    def test_order_of_another_company_lets_the_account_see_it(self):
        proven, added = self._create_guest_order(), self._create_guest_order()
        other = self.env["res.company"].create({"name": "Other"})
        for order in (proven, added):
            self._move_to(other, order)
        added.action_claim_unproven()
        self._prove()
        self._assert_claimed(added, "staff")
        self._assert_claimed(proven, "search")
        self.assertIn(other, self.portal_user.company_ids)

    def test_salesperson_reads_why_an_order_cannot_be_added(self):
        order = self._create_guest_order()
        other = self.env["res.company"].create({"name": "Other"})
        self.account.company_id = self.company
        self._move_to(other, order)
        order.action_claim_for_account()
        self.assertFalse(order.portal_partner_id)
        self.assertIn("another company", order.portal_claim_issue)

    def test_guest_orders_of_known_customers_are_found(self):
        order = self._create_guest_order()
        self.company.portal_account_policy = "never"
        silent = self._create_guest_order()
        self.assertFalse(silent.portal_account_issue)
        self._create_guest_order("stranger@example.com")
        employee = new_test_user(
            self.env, "boss@example.com", "base.group_user", email="boss@example.com"
        )
        self._create_guest_order(employee.email)
        view = self.env["sale.order"].get_views([(False, "search")])["views"]["search"]
        [guest] = etree.fromstring(view["arch"]).xpath("//filter[@name='portal_guest']")
        found = self.env["sale.order"].search(literal_eval(guest.get("domain")))
        self.assertEqual(found, order + silent)
        holder = self.account.id
        for domain in (
            [("portal_known_partner_id", "=", holder)],
            [("portal_known_partner_id", "in", [holder])],
        ):
            self.assertEqual(found.search(domain), order + silent)
        others = found.search([("portal_known_partner_id", "!=", holder)])
        self.assertFalse(others & (order + silent))
        self.assertIn(
            order + silent,
            [found.search([("portal_known_partner_id", "ilike", self.account.name)])],
        )
        silent.action_claim_unproven()
        self.assertNotIn(silent, found.search(literal_eval(guest.get("domain"))))

    def test_no_account_is_offered_where_the_address_has_one(self):
        self.company.portal_account_policy = "never"
        employee = new_test_user(
            self.env, "boss@example.com", "base.group_user", email="boss@example.com"
        )
        orders = self._create_guest_order() + self._create_guest_order(employee.email)
        self.assertEqual(orders.mapped("portal_account_known"), [True, True])
        stranger = self._create_guest_order("stranger@example.com")
        self.assertFalse(stranger.portal_account_known)

    def test_only_those_who_may_edit_the_order_add_it(self):
        order = self._create_guest_order(user_id=self.env.user.id)
        own_orders_only = new_test_user(
            self.env, "own", "sales_team.group_sale_salesman", email="own@example.com"
        )
        accountant = new_test_user(
            self.env, "books", "account.group_account_invoice", email="b@example.com"
        )
        for user in (own_orders_only, accountant, self.portal_user):
            for method in ("action_claim_for_account", "action_unclaim"):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    getattr(order.with_user(user), method)()

    def test_nobody_writes_claims_by_hand(self):
        order = self._create_guest_order()
        for values in (
            {"portal_partner_id": self.account.id},
            {"portal_claim_date": fields.Datetime.now()},
            {"portal_claim_method": "staff"},
        ):
            with self.assertRaises(AccessError):
                order.with_user(self.salesperson).write(values)

    def test_nobody_sets_claims_by_a_default(self):
        Orders = self.env["sale.order"].with_user(self.salesperson)
        order = Orders.with_context(default_portal_partner_id=self.account.id).create(
            {"partner_id": self.customer.id}
        )
        self.assertFalse(order.portal_partner_id)

    def test_copies_are_in_no_account(self):
        order = self._create_guest_order()
        self._prove()
        self.assertFalse(order.copy().portal_partner_id)

    def test_account_reads_the_order_and_colleagues_do_not(self):
        order = self._create_guest_order()
        other = self._create_order(order.partner_id)
        other.state = "sale"
        parent = self._create_customer("Company", "co@example.com", is_company=True)
        self.account.parent_id = parent
        colleague = new_test_user(self.env, "colleague", "base.group_portal")
        colleague.partner_id.parent_id = parent
        order._claim_for(self.portal_user, "staff")
        mine = order.with_user(self.portal_user)
        self.assertTrue(mine.has_access("read"))
        self.assertTrue(mine.order_line.has_access("read"))
        self.assertEqual(mine.search([]), order)
        for operation in ("write", "create", "unlink"):
            self.assertFalse(mine.has_access(operation))
        self.assertFalse(other.with_user(self.portal_user).has_access("read"))
        self.assertFalse(
            order.partner_id.with_user(self.portal_user).has_access("read")
        )
        self.assertFalse(order.with_user(colleague).has_access("read"))
        with self.assertRaises(AccessError):
            mine.read(["portal_partner_id"])
        order.action_unclaim()
        self.assertFalse(mine.has_access("read"))

    def test_order_that_is_a_quotation_again_is_hidden(self):
        order = self._create_guest_order()
        self._prove()
        order._action_cancel()
        self.assertTrue(order.with_user(self.portal_user).has_access("read"))
        order.action_draft()
        self.assertFalse(order.with_user(self.portal_user).has_access("read"))

    def test_account_reads_the_invoices_of_the_order(self):
        before, after, foreign = (self._create_guest_order() for _ in range(3))
        for order in (before, foreign):
            self._invoice(order)
        (before + after)._claim_for(self.portal_user, "staff")
        self._invoice(after)
        refund = before.invoice_ids._reverse_moves()
        refund.action_post()
        visible = before.invoice_ids + after.invoice_ids + refund
        Moves = self.env["account.move"].with_user(self.portal_user)
        self.assertEqual(Moves.search([]), visible)
        self.assertFalse(Moves.browse(foreign.invoice_ids.id).has_access("read"))
        before.action_unclaim()
        self.assertEqual(Moves.search([]), after.invoice_ids)

    def test_invoice_for_orders_of_others_stays_hidden(self):
        orders = self._create_guest_order() + self._create_guest_order()
        orders[1].partner_id = orders[1].partner_invoice_id = orders[0].partner_id
        self._invoice(orders)
        self.assertEqual(len(orders.invoice_ids), 1)
        orders[0]._claim_for(self.portal_user, "staff")
        invoice = orders.invoice_ids.with_user(self.portal_user)
        self.assertFalse(invoice.has_access("read"))
        orders[1]._claim_for(self.portal_user, "staff")
        self.assertTrue(invoice.has_access("read"))

    def test_invoice_addressed_to_a_stranger_leaves_the_account(self):
        order = self._create_guest_order()
        order._claim_for(self.portal_user, "staff")
        self._invoice(order)
        invoice = order.invoice_ids
        mine = invoice.with_user(self.portal_user)
        self.assertTrue(mine.has_access("read"))
        invoice.button_draft()
        invoice.partner_id = self._create_customer("Other", "other@example.com")
        invoice.action_post()
        self.assertFalse(mine.has_access("read"))
        invoice.button_draft()
        invoice.partner_id = order.partner_id
        invoice.action_post()
        self.assertTrue(mine.has_access("read"))

    def _invoice(self, orders):
        orders.order_line.qty_delivered = 1
        orders._create_invoices().action_post()

    def test_report_counts_claimed_orders(self):
        order, unclaimed = self._create_guest_order(), self._create_guest_order()
        order._claim_for(self.portal_user, "staff")
        self.env.flush_all()
        Report = self.env["portal.adoption.report"]
        row, other = (
            Report.search([("order_id", "=", record.id)])
            for record in (order, unclaimed)
        )
        self.assertEqual(row.claimed_count, 1)
        self.assertEqual(other.claimed_count, 0)

    def test_filters(self):
        guest, claimed = self._create_guest_order(), self._create_guest_order()
        claimed._claim_for(self.portal_user, "staff")
        Orders = self.env["sale.order"].with_user(self.salesperson)
        domain = [("portal_account_issue", "=", "other_contact")]
        domain += [("id", "in", (guest + claimed).ids)]
        self.assertEqual(
            Orders.search([*domain, ("portal_partner_id", "=", False)]), guest
        )
        self.assertEqual(
            Orders.search([*domain, ("portal_partner_id", "!=", False)]), claimed
        )
