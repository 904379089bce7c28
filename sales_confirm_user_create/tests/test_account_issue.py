from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.base.models.res_users import ResUsers
from odoo.addons.sale.models.sale_order import SaleOrder

from ..models.notes.sale_order import ADVICE
from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestAccountIssue(PortalAccountCommon):
    """Why an order has no account is a code on the order."""

    def _confirm(self, partner=None, **values):
        order = self._create_order(partner, **values)
        order.action_confirm()
        return order

    def _confirm_again(self, order):
        order._action_cancel()
        order.action_draft()
        order.action_confirm()

    def assertIssue(self, order, issue):
        """The order is confirmed without an account, for this reason, and says so."""
        self.assertEqual(order.portal_account_issue, issue)
        self.assertNoAccount(order, "No portal account: ")

    def _create_portal_user(self, partner):
        return new_test_user(
            self.env, partner.email, "base.group_portal", partner_id=partner.id
        )

    def _open_access_wizard(self, partner):
        """Return the line of a contact in Odoo's own wizard for portal access."""
        wizard = self.env["portal.wizard"].create({"partner_ids": partner.ids})
        return wizard.user_ids

    def test_address_below_another_contact(self):
        """Its owner could have a new password mailed to an address of their own."""
        owner = self._create_customer("Owner", "owner@example.com")
        for kind in ("invoice", "delivery", "other", "contact"):
            order = self._confirm_order(
                self._create_customer(
                    "Jane", f"{kind}@example.com", parent_id=owner.id, type=kind
                )
            )
            self.assertEqual(order.portal_account_issue, "address")
            self.assertNoAccount(order, "Choose the contact itself")

    def test_each_issue_says_what_to_do(self):
        field = self.env["sale.order"]._fields["portal_account_issue"]
        self.assertEqual(set(ADVICE), set(dict(field.selection)))

    def test_order_with_an_account_has_no_issue(self):
        self.assertFalse(self._confirm().portal_account_issue)
        self.assertFalse(self._confirm().portal_account_issue)

    def test_no_email(self):
        self.customer.email = " "
        self.assertIssue(self._confirm(), "no_email")

    def test_invalid_email(self):
        self.customer.email = "jane at home"
        self.assertIssue(self._confirm(), "invalid_email")

    def test_archived_contact(self):
        order = self._create_order()
        self.customer.active = False
        order.action_confirm()
        self.assertIssue(order, "archived_contact")

    def test_archived_user(self):
        self._create_portal_user(self.customer).active = False
        self.assertIssue(self._confirm(), "archived_user")

    def test_access_revoked_with_the_wizard_of_odoo(self):
        self._confirm()
        self._open_access_wizard(self.customer).action_revoke_access()
        self.assertFalse(self.customer.user_ids)
        self.assertIssue(self._confirm(), "access_revoked")
        self.assertFalse(self._send_invitations())

    def test_access_revoked_from_the_user_of_another_contact(self):
        self._confirm()
        self._open_access_wizard(self.customer).action_revoke_access()
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertIssue(self._confirm(guest), "access_revoked")

    def test_access_given_back_with_the_wizard_of_odoo(self):
        self._confirm()
        self._open_access_wizard(self.customer).action_revoke_access()
        order = self._confirm()
        with self.mock_mail_gateway():
            self._open_access_wizard(self.customer).action_grant_access()
        self._confirm_again(order)
        self.assertFalse(order.portal_account_issue)

    def test_account_of_another_contact(self):
        self._confirm()
        guest = self._create_customer("Guest", "Jane@Example.com")
        self.assertIssue(self._confirm(guest), "other_contact")

    def test_order_between_companies(self):
        company = self.env["res.company"].create(
            {"name": "Second", "email": "second@example.com"}
        )
        self.assertIssue(self._confirm(company.partner_id), "own_company")

    def test_contact_of_the_own_company(self):
        branch = self._create_customer(
            "Warehouse", "warehouse@example.com", parent_id=self.company.partner_id.id
        )
        self.assertIssue(self._confirm(branch), "own_company")

    def test_customer_with_the_address_of_the_shop(self):
        for email in ("shop@example.com", " <SHOP@example.com>\u200b"):
            with self.subTest(email=email):
                guest = self._create_customer("Guest", email)
                self.assertIssue(self._confirm(guest), "own_company")

    def test_employee_can_get_the_address_of_the_shop_later(self):
        self._confirm(self._create_customer("Guest", "shop@example.com"))
        employee = new_test_user(self.env, "shop@example.com", "base.group_user")
        self.assertEqual(self._get_users("shop@example.com"), employee)

    def test_own_company_without_an_address_is_no_reason_for_others(self):
        self.company.email = False
        self.customer.email = False
        self.assertIssue(self._confirm(), "no_email")

    def test_users_of_odoo_itself(self):
        website = self.env["website"].create({"name": "Second"})
        for partner in (
            self.env.ref("base.public_partner"),
            self.env.ref("base.partner_root"),
            website.user_id.partner_id,
        ):
            with self.subTest(partner=partner.name):
                partner.email = f"{partner.id}@example.com"
                self.assertIssue(self._confirm(partner), "technical")

    def test_broken_template_user(self):
        self.env["ir.config_parameter"].set_param("base.template_portal_user_id", "0")
        with self._mute_odoo():
            self.assertIssue(self._confirm(), "template")

    def test_account_created_at_the_same_moment(self):
        """The database sees the user of another transaction, the lookup does not."""
        self._confirm()
        guest = self._create_customer("Guest", "jane@example.com")
        users = type(self.env["res.users"])
        with patch.object(users, "_find_customer_users", lambda *args: {}):
            self.assertIssue(self._confirm(guest), "same_moment")

    def test_error(self):
        with (
            patch.object(ResUsers, "create", side_effect=ValueError("broken")),
            self._mute_odoo(),
        ):
            self.assertIssue(self._confirm(), "error")

    def test_confirmation_that_creates_the_account_clears_the_issue(self):
        self.customer.email = False
        order = self._confirm()
        self.assertIssue(order, "no_email")
        self.customer.email = "jane@example.com"
        self._confirm_again(order)
        self.assertFalse(order.portal_account_issue)
        self.assertTrue(order.user_created)

    def test_salesperson_who_creates_the_account_clears_the_issue(self):
        self.customer.email = False
        order = self._confirm(user_id=self.salesperson.id)
        self.customer.email = "jane@example.com"
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertFalse(order.portal_account_issue)
        self.assertTrue(order.user_created)

    def test_issue_that_is_still_there_stays(self):
        self.customer.email = False
        order = self._confirm(user_id=self.salesperson.id)
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertIssue(order, "no_email")

    def test_other_issue_replaces_the_first_one(self):
        self.customer.email = False
        order = self._confirm()
        self.customer.email = "jane at home"
        self._confirm_again(order)
        self.assertEqual(order.portal_account_issue, "invalid_email")

    def test_copy_has_no_issue(self):
        self.customer.email = False
        self.assertFalse(self._confirm().copy().portal_account_issue)

    def test_orders_can_be_searched_and_grouped_by_issue(self):
        self.customer.email = False
        orders = self._confirm() + self._confirm(
            self._create_customer("John", "john@example.com")
        )
        Order = self.env["sale.order"].with_user(self.salesperson)
        domain = [("id", "in", orders.ids)]
        self.assertEqual(
            Order._read_group(domain, ["portal_account_issue"], ["id:recordset"]),
            [("no_email", orders[0]), (False, orders[1])],
        )
        self.assertEqual(
            Order.search([*domain, ("portal_account_issue", "=", "no_email")]),
            orders[0],
        )

    def test_company_of_a_contact_with_an_issue_is_not_added(self):
        user = self._create_portal_user(self.customer)
        user.active = False
        company = self.env["res.company"].create({"name": "Second"})
        user.company_ids = [Command.set(self.company.ids)]
        self.assertIssue(
            self._confirm(company_id=company.id, order_line=False), "archived_user"
        )
        self.assertEqual(user.company_ids, self.company)

    def test_order_that_cannot_be_written_still_says_so(self):
        """As where a module forbids it once the order is approved."""
        order, write = self._create_order(), SaleOrder.write
        reason = "This order is locked."

        def forbid(orders, vals):
            if not vals.keys().isdisjoint({"user_created", "portal_account_issue"}):
                raise UserError(reason)
            return write(orders, vals)

        with patch.object(SaleOrder, "write", forbid), self._mute_odoo():
            order.action_confirm()
        self.assertEqual(order.state, "sale")
        [note] = self._get_notes(order)
        self.assertIn(reason, note)

    def test_salesperson_who_cannot_read_the_customer_creates_the_account(self):
        self.company.portal_account_policy = "never"
        order = self._confirm(user_id=self.salesperson.id)
        self.env["ir.rule"].create(
            {
                "name": "Customers of the team",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.customer.id})]",
                "groups": [(6, 0, self.env.ref("sales_team.group_sale_salesman").ids)],
            }
        )
        own = order.with_user(self.salesperson)
        self.assertFalse(own.portal_account_state, "not readable is not none")
        answer = own.action_create_portal_account()["params"]["message"]
        self.assertIn("will be sent to jane@example.com", answer)
        self.assertEqual(len(self._send_invitations()), 1)
