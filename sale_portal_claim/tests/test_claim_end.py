from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.sales_confirm_user_create.tests.common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestClaimEnd(PortalAccountCommon):
    """Claims end with what they rest on: customer, address and account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = cls._create_portal_user("jane@example.com")
        cls.account = cls.portal_user.partner_id

    @classmethod
    def _create_portal_user(cls, login):
        user = new_test_user(cls.env, login, "base.group_portal", email=login)
        user._on_mailbox_proven("search")
        return user

    def _create_claimed_order(self, user=None):
        user = user or self.portal_user
        order = self._create_order(self._create_customer("Guest", user.login))
        order.action_confirm()
        order._claim_for(user, "staff")
        self.env.flush_all()
        return order

    def _merge(self, destination, source):
        """Merge contacts by Odoo's wizard."""
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [(6, 0, (destination + source).ids)],
                "dst_partner_id": destination.id,
            }
        ).action_merge()
        self.env.invalidate_all()

    def _run_nightly_check(self):
        self.env["sale.order"]._gc_unfit_claims()
        self.env.invalidate_all()

    def assertEnded(self, order):
        self.env.invalidate_all()
        self.assertFalse(order.portal_partner_id)
        self.assertFalse(order.portal_claim_date or order.portal_claim_method)
        self.assertFalse(order.invoice_ids.portal_partner_id)
        self.assertFalse(order.with_user(self.portal_user).has_access("read"))
        self.assertIn("Removed from the portal account", self._get_notes(order)[0])

    def assertGoesOn(self, order):
        self._run_nightly_check()
        self.assertEqual(order.portal_partner_id, self.account)
        self.assertNotIn("Removed", self._get_notes(order)[0])

    def test_nothing_has_changed(self):
        order = self._create_claimed_order()
        order.partner_id.write({"name": "Jane", "email": "Jane <JANE@example.com>"})
        self.assertGoesOn(order)

    def test_another_customer(self):
        order = self._create_claimed_order()
        order.partner_id = self._create_customer("Other", "other@example.com")
        self.assertEnded(order)

    def test_another_customer_while_it_is_a_quotation_again(self):
        order = self._create_claimed_order()
        order._action_cancel()
        order.action_draft()
        order.partner_id = self._create_customer("Other", "other@example.com")
        self.assertFalse(order.portal_partner_id)

    def test_another_customer_with_the_address(self):
        order = self._create_claimed_order()
        order.with_user(self.salesperson).partner_id = self._create_customer(
            "Other", "jane@example.com"
        )
        self.assertEnded(order)

    def test_corrected_address(self):
        order = self._create_claimed_order()
        order.partner_id.email = "john@example.com"
        self.assertEnded(order)

    def test_second_address(self):
        order = self._create_claimed_order()
        order.partner_id.email = "jane@example.com, john@example.com"
        self.assertEnded(order)

    def test_customer_merged_into_another(self):
        order = self._create_claimed_order()
        other = self._create_customer("Other", "jane@example.com")
        self._merge(other, order.partner_id)
        self.assertEqual(order.partner_id, other)
        self.assertEnded(order)

    def test_another_merged_into_the_customer(self):
        order = self._create_claimed_order()
        self._merge(order.partner_id, self._create_customer("O", "jane@example.com"))
        self.assertGoesOn(order)

    def test_customer_merged_into_the_account(self):
        order = self._create_claimed_order()
        self._merge(self.account, order.partner_id)
        self.assertFalse(order.portal_partner_id)
        self.assertTrue(order.with_user(self.portal_user).has_access("read"))

    def test_account_merged_into_another_contact(self):
        """The user goes with it."""
        order = self._create_claimed_order()
        other = self._create_customer("Other", "jane@example.com")
        self._merge(other, self.account)
        self._run_nightly_check()
        self.assertEqual(self.portal_user.partner_id, other)
        self.assertEqual(order.portal_partner_id, other)

    def test_changes_by_sql_end_over_night(self):
        order, moved = self._create_claimed_order(), self._create_claimed_order()
        other = self._create_customer("Other", "jane@example.com")
        self.env.cr.execute(
            "UPDATE sale_order SET partner_id = %s WHERE id = %s", [other.id, order.id]
        )
        self.env.cr.execute(
            "UPDATE res_partner SET email = 'x@example.com' WHERE id = %s",
            [moved.partner_id.id],
        )
        self.env.invalidate_all()
        self._run_nightly_check()
        self.assertEnded(order)
        self.assertEnded(moved)

    def test_another_login(self):
        order = self._create_claimed_order()
        self.portal_user.login = "john@example.com"
        self.assertEnded(order)

    def test_account_whose_emails_go_elsewhere(self):
        """Odoo's *Reset Password* goes to the contact."""
        order = self._create_claimed_order()
        self.account.email = "thief@evil.test"
        self.assertEnded(order)

    def test_account_whose_emails_go_elsewhere_by_sql(self):
        order = self._create_claimed_order()
        self.env.cr.execute(
            "UPDATE res_partner SET email = 'thief@evil.test', "
            "email_normalized = 'thief@evil.test' WHERE id = %s",
            [self.account.id],
        )
        self.env.invalidate_all()
        self._run_nightly_check()
        self.assertEnded(order)

    def test_archived_account(self):
        order = self._create_claimed_order()
        self.portal_user.active = False
        self.assertEnded(order)

    def test_account_without_access(self):
        order = self._create_claimed_order()
        self.portal_user.group_ids = self.env.ref("base.group_public")
        self.assertEnded(order)

    def test_user_of_another_contact(self):
        order = self._create_claimed_order()
        self.portal_user.partner_id = self._create_customer("O", "jane@example.com")
        self.assertEnded(order)

    def test_deleted_account_releases_for_the_next(self):
        order = self._create_claimed_order()
        self.portal_user.unlink()
        self.env.invalidate_all()
        self.assertFalse(order.portal_partner_id)
        successor = self._create_portal_user("jane@example.com")
        self.env.invalidate_all()
        self.assertEqual(order.portal_partner_id, successor.partner_id)

    def test_account_deleted_in_the_portal_releases(self):
        order = self._create_claimed_order()
        self.portal_user._deactivate_portal_user()
        self.env.invalidate_all()
        self.assertFalse(order.portal_partner_id)

    def test_deleted_contact_releases(self):
        order = self._create_claimed_order()
        self.portal_user.unlink()
        order._claim_for(self._create_portal_user("jane@example.com"), "staff")
        partner = order.portal_partner_id
        partner.user_ids.unlink()
        partner.unlink()
        self.env.invalidate_all()
        self.assertFalse(order.portal_partner_id or order.portal_claim_date)

    def test_ended_claim_is_not_taken_back(self):
        for change in (
            lambda order: order.partner_id.write({"email": "john@example.com"}),
            lambda order: order.write(
                {"partner_id": self._create_customer("O", "jane@example.com").id}
            ),
            lambda order: order.with_user(self.salesperson).action_unclaim(),
        ):
            order = self._create_claimed_order()
            change(order)
            self.assertFalse(order.portal_partner_id)
            self.assertFalse(order._filter_claimable(self.portal_user))
            self.portal_user._on_mailbox_proven("search")
            self.assertFalse(order.portal_partner_id)

    def test_staff_can_add_it_again(self):
        order = self._create_claimed_order().with_user(self.salesperson)
        order.action_unclaim()
        order.action_claim_for_account()
        self.assertEqual(order.portal_partner_id, self.account)

    def test_ended_claim_is_not_followed(self):
        order = self._create_claimed_order()
        order.order_line.qty_delivered = 1
        order._create_invoices().action_post()
        records = (order, order.invoice_ids)
        for record in records:
            record.message_subscribe(self.account.ids)
            self.assertIn(self.account, record.message_partner_ids)
        order.action_unclaim()
        for record in records:
            self.assertNotIn(self.account, record.message_partner_ids)

    def test_account_of_a_contact_of_another_company(self):
        """Its name would be shown to those who see the order only."""
        order = self._create_claimed_order()
        other = self.env["res.company"].create({"name": "Other"})
        self.portal_user.company_ids |= other
        self.portal_user.company_id = other
        self.account.company_id = other
        self._run_nightly_check()
        self.assertFalse(order.portal_partner_id)
        self.assertNotIn(self.account.name, self._get_notes(order)[0])
        self.assertFalse(order._filter_claimable(self.portal_user))
        order.action_claim_for_account()
        self.assertFalse(order.portal_partner_id)

    def test_nobody_types_in_whose_account_shows_an_invoice(self):
        order = self._create_claimed_order()
        order.order_line.qty_delivered = 1
        invoice = order._create_invoices()
        accountant = new_test_user(
            self.env, "accountant", "account.group_account_manager"
        )
        with self.assertRaises(AccessError):
            invoice.with_user(accountant).write({"portal_partner_id": self.customer.id})

    def test_order_mailed_to_another_address(self):
        """The contact had another address when the order was confirmed."""
        partner = self._create_customer("Guest", "john@example.com")
        partner.user_ids.unlink()
        self.company.portal_account_policy = "never"
        order = self._create_order(partner)
        order.action_confirm()
        partner.email = "jane@example.com"
        user = self._create_portal_user("jane@example.org")
        self.portal_user.write({"portal_proof_date": False})
        self.portal_user._on_mailbox_proven("search")
        self.env.invalidate_all()
        self.assertFalse(order.portal_partner_id)
        self.assertFalse(order._filter_claimable(user))

    def test_order_confirmed_again_was_mailed_again(self):
        self.company.portal_account_policy = "never"
        order = self._create_order(self._create_customer("Guest", "john@example.com"))
        order.action_confirm()
        self.assertEqual(order.portal_address, "john@example.com")
        order._action_cancel()
        order.action_draft()
        order.partner_id.email = "jane@example.com"
        self.assertFalse(order.portal_address)
        order.action_confirm()
        self.assertEqual(order.portal_address, "jane@example.com")

    def test_order_mailed_to_several_addresses_is_for_none_of_them(self):
        addresses = "victim@example.com, me@example.com"
        order = self._create_order(self._create_customer("Guest", addresses))
        order.action_confirm()
        self.assertFalse(order.portal_address)

    def test_companies_and_their_people_are_no_guests(self):
        self.company.portal_account_policy = "never"
        is_company = self._create_customer("Co", "jane@example.com", is_company=True)
        employer = self._create_customer("Employer", "jane@example.com")
        self._create_customer("Person", "p@example.com", parent_id=employer.id)
        employee = self._create_customer(
            "Jane", "jane@example.com", parent_id=is_company.id
        )
        orders = self._create_orders(is_company + employer + employee)
        orders.action_confirm()
        self.portal_user._on_mailbox_proven("search")
        self.assertFalse(orders.portal_partner_id)

    def test_guest_with_a_delivery_address_is_a_guest(self):
        """The checkout creates a contact for it."""
        self.company.portal_account_policy = "never"
        guest = self._create_customer("Guest", "jane@example.com")
        for kind in ("delivery", "invoice", "other"):
            self._create_customer("Aunt", False, parent_id=guest.id, type=kind)
        order = self._create_order(guest)
        order.action_confirm()
        self.portal_user._on_mailbox_proven("search")
        self.assertEqual(order.portal_partner_id, self.account)

    def test_name_of_a_contact_of_another_company_is_hidden(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.portal_user.company_ids |= other
        self.portal_user.company_id = other
        self.account.company_id = other
        order = self._create_order(self._create_customer("Guest", "jane@example.com"))
        order.action_confirm()
        read = order.with_user(self.salesperson).read(
            ["portal_known_partner_id", "portal_claim_issue"]
        )[0]
        self.assertFalse(read["portal_known_partner_id"])
        self.assertIn("another company", read["portal_claim_issue"])
        self.account.company_id = False
        self.env.registry.clear_cache()
        self.env.invalidate_all()
        order = order.with_user(self.salesperson)
        self.assertEqual(order.portal_known_partner_id, self.account)
        self.assertFalse(order.portal_claim_issue)

    def test_account_that_was_never_proven_is_a_question(self):
        """The form asks, see `tests/test_proof.py`."""
        self.portal_user.portal_proof_date = False
        order = self._create_order(self._create_customer("Guest", "jane@example.com"))
        order.action_confirm()
        mine = order.with_user(self.salesperson)
        self.assertFalse(mine.portal_proof_date)
        action = mine.action_claim_for_account()
        self.assertIn("never confirmed", action["params"]["message"])
        self.assertFalse(order.portal_partner_id)
        mine.action_claim_unproven()
        self.assertEqual(order.portal_partner_id, self.account)
        self.assertEqual(order.message_ids[0].author_id, self.salesperson.partner_id)

    def test_list_leaves_out_accounts_that_were_never_proven(self):
        self.portal_user.portal_proof_date = False
        proven = self._create_portal_user("john@example.com")
        orders = self._create_orders(
            [
                self._create_customer("Guest", user.login)
                for user in (self.portal_user, proven)
            ]
        )
        orders.action_confirm()
        action = orders.with_user(self.salesperson).action_claim_for_account()
        self.assertEqual(orders.mapped("portal_partner_id"), proven.partner_id)
        self.assertIn(orders[0].name, action["params"]["message"])
        self.assertIn("never confirmed", action["params"]["message"])
