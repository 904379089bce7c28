from odoo.tests import HttpCase, new_test_user, tagged

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestTours(PortalAccountCommon, HttpCase):
    """What people click, in a real browser."""

    def _create_employee(self, group):
        return new_test_user(self.env, "tour", group, password="Secret-12345")

    def test_guest_checks_out_and_reads_the_message(self):
        self.env["product.product"].create(
            {
                "name": "Free advice",
                "type": "service",
                "list_price": 0,
                "is_published": True,
            }
        )
        website = self.env["website"].get_current_website()
        website.prevent_zero_price_sale = False
        # else there is no button to sign up that could be gone
        website.auth_signup_uninvited = "b2c"
        self.start_tour("/shop", "portal_account_guest_checkout")
        order = self.env["sale.order"].search(
            [("user_created", "=", True)], limit=1, order="id desc"
        )
        self.assertEqual(order.partner_id.email, "jane.guest@example.com")
        user = order.partner_id.user_ids
        self.assertEqual(user.login, "jane.guest@example.com")
        self.assertFalse(user.login_date)
        self.assertTrue(user.portal_invitation_ids.due_date)

    def test_customer_activates_the_account(self):
        self._create_order().action_confirm()
        [mail] = self._send_invitations()
        link = self._get_link(mail).removeprefix(self.base_url())
        self.start_tour(link, "portal_account_activate")
        self.assertTrue(self.customer.user_ids.log_ids)

    def test_salesperson_clicks_confirm(self):
        user = self._create_employee("sales_team.group_sale_salesman")
        order = self._create_order(user_id=user.id)
        self.start_tour(
            f"/odoo/sales/{order.id}", "portal_account_confirm_button", login=user.login
        )
        self.assertTrue(order.user_created)
        self.assertTrue(self.customer.user_ids)

    def test_salesperson_resends_the_invitation(self):
        user = self._create_employee("sales_team.group_sale_salesman")
        order = self._create_order(user_id=user.id)
        order.action_confirm()
        # sent long ago: there is a pause between two emails
        invitation = self._get_invitation()
        invitation.write({"due_date": False, "sent_date": "2020-02-20"})
        self.start_tour(
            f"/odoo/sales/{order.id}", "portal_account_resend", login=user.login
        )
        self.assertTrue(invitation.due_date)

    def test_administrator_changes_the_settings(self):
        if "sale_management" not in self.env["ir.module.module"]._installed():
            self.skipTest("Without the Sales app there are no settings of Sales")
        self.start_tour("/odoo/settings", "portal_account_settings", login="admin")
        company = self.env.ref("base.user_admin").company_id
        self.assertEqual(company.portal_account_policy, "never")

    def test_manager_creates_accounts_for_past_orders(self):
        manager = self._create_employee("sales_team.group_sale_manager")
        order = self._create_order(user_id=manager.id, state="sale")
        self.start_tour(
            "/odoo/action-sale.action_orders",
            "portal_account_batch",
            login=manager.login,
        )
        batch = self.env["portal.account.batch"].search([], limit=1)
        self.assertEqual(batch.create_uid, manager)
        self.assertEqual(batch.state, "stopped")
        self.assertIn(order, batch.order_ids)
        self.assertFalse(order.user_created)
