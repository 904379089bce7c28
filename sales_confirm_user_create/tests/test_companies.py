from odoo.tests import new_test_user, tagged

from .common_http import PASSWORD, PortalPageCase


@tagged("post_install", "-at_install")
class TestCompanies(PortalPageCase):
    """One website, and customers of several companies."""

    def _list_orders(self, user):
        self.authenticate(user.login, PASSWORD)
        page = self._get_page("/my/orders")
        return {name.strip() for name in page.xpath("//table//td//a/text()")}

    def test_order_at_another_company_hides_no_earlier_one(self):
        other = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            password=PASSWORD,
            partner_id=self.customer.id,
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        earlier = self._create_order(company_id=other.id, order_line=False, name="OLD")
        earlier.action_confirm()
        self.assertIn("OLD", self._list_orders(user))
        order = self._create_order(name="NEW")
        order.action_confirm()
        self.assertLessEqual({"OLD", "NEW"}, self._list_orders(user))

    def test_order_of_a_branch_is_listed(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        user = new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            password=PASSWORD,
            partner_id=self.customer.id,
        )
        self._create_order(
            company_id=branch.id, order_line=False, name="BRANCH"
        ).action_confirm()
        self.assertIn("BRANCH", self._list_orders(user))
