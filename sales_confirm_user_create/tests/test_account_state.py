from ast import literal_eval

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from .common import PortalAccountCommon


@tagged("post_install", "-at_install")
class TestAccountState(PortalAccountCommon):
    def _assert_state(self, state, order):
        self.env.flush_all()
        self.env.invalidate_all()
        for user in (self.env.user, self.salesperson):
            self.assertEqual(order.with_user(user).portal_account_state, state)
        orders = self.env["sale.order"].with_user(self.salesperson)
        domain = [("id", "=", order.id)]
        self.assertTrue(orders.search([*domain, ("portal_account_state", "=", state)]))
        self.assertFalse(
            orders.search([*domain, ("portal_account_state", "!=", state)])
        )
        for value in ([], False):
            operator = "=" if value is False else "in"
            unset = [*domain, ("portal_account_state", operator, value)]
            self.assertFalse(orders.search(unset))
        self.assertTrue(orders.search([*domain, ("portal_account_state", "!=", False)]))
        [(group, count)] = orders._read_group(
            domain, ["portal_account_state"], ["__count"]
        )
        self.assertEqual((group, count), (state, 1))

    def test_state_follows_the_account(self):
        order = self._create_order(user_id=self.salesperson.id)
        self._assert_state("none", order)
        self.assertFalse(order.portal_account_date)
        order.action_confirm()
        self._assert_state("due", order)
        self._send_invitations()
        self._assert_state("invited", order)
        user = self.customer.user_ids
        self.assertEqual(order.portal_account_date, self._get_invitation().sent_date)
        self._record_login(user)
        self._assert_state("activated", order)
        self.assertEqual(order.portal_account_date, user.portal_activation_date)
        user.active = False
        self.customer.active = True
        self._assert_state("archived", order)

    def test_active_user_counts_more_than_archived_one(self):
        new_test_user(
            self.env, "old", "base.group_portal", partner_id=self.customer.id
        ).active = False
        self.customer.active = True
        new_test_user(self.env, "new", "base.group_portal", partner_id=self.customer.id)
        self._assert_state("inactive", self._create_order())

    def test_employee_has_no_portal_account(self):
        employee = new_test_user(self.env, "employee@example.com", "base.group_user")
        order = self._create_order(
            employee.partner_id, user_id=self.salesperson.id, state="sale"
        )
        self._assert_state("internal", order)
        self.assertFalse(order.portal_account_date)

    def test_state_is_not_for_customers_and_visitors(self):
        customer = new_test_user(self.env, "portal@example.com", "base.group_portal")
        order = self._create_order(customer.partner_id)
        for user in (customer, self.env.ref("base.public_user")):
            for record in (order, customer.partner_id):
                names = ["portal_account_state", "portal_account_date"]
                if record == order:
                    names.append("portal_account_issue")
                for name in names:
                    with (
                        self.subTest(user=user.login, model=record._name, field=name),
                        self.assertRaises(AccessError),
                    ):
                        record.with_user(user).read([name])

    def test_views_show_the_state(self):
        for model, view_type in (("sale.order", "form"), ("res.partner", "form")):
            arch = (
                self.env[model]
                .with_user(self.salesperson)
                .get_view(view_type=view_type)["arch"]
            )
            [badge] = etree.fromstring(arch).xpath(
                "//field[@name='portal_account_state'][@widget='badge']"
            )
            # where there is a reason, or a decline, that is shown instead
            self.assertIn("invisible", badge.attrib)
            # to open users is for administrators
            self.assertNotIn("action_open_portal_user", str(arch))
            arch = self.env[model].get_view(view_type=view_type)["arch"]
            self.assertIn("action_open_portal_user", str(arch))

    def test_list_of_orders_filters_by_state(self):
        order = self._confirm_order(user_id=self.salesperson.id)
        orders = self.env["sale.order"].with_user(self.salesperson)
        views = orders.get_views([(False, "list"), (False, "search")])["views"]
        [column] = etree.fromstring(views["list"]["arch"]).xpath(
            "//field[@name='portal_account_state']"
        )
        self.assertEqual(
            (column.get("widget"), column.get("optional")), ("badge", "hide")
        )
        search = etree.fromstring(views["search"]["arch"])
        found = [
            node.get("name")
            for node in search.xpath("//filter[starts-with(@name, 'portal_acc')]")
            if order in orders.search(literal_eval(node.get("domain")))
        ]
        self.assertEqual(found, ["portal_account_invited"])
        [group] = search.xpath("//filter[@name='group_by_portal_account_state']")
        context = {"group_by": "portal_account_state"}
        self.assertEqual(literal_eval(group.get("context")), context)

    def test_list_of_orders_filters_by_issue(self):
        nobody = self._create_customer("Nobody", False)
        order = self._confirm_order(nobody, user_id=self.salesperson.id)
        orders = self.env["sale.order"].with_user(self.salesperson)
        arch = orders.get_view(view_type="search")["arch"]
        search = etree.fromstring(arch)
        [issue] = search.xpath("//filter[@name='portal_account_issue']")
        domain = literal_eval(issue.get("domain"))
        self.assertIn(order, orders.search(domain))
        [group] = search.xpath("//filter[@name='group_by_portal_account_issue']")
        groupby = literal_eval(group.get("context"))["group_by"]
        self.assertEqual(
            orders._read_group([("id", "=", order.id)], [groupby], ["__count"]),
            [("no_email", 1)],
        )
        # an account that somebody has given the customer since
        new_test_user(self.env, "x", "base.group_portal", partner_id=nobody.id)
        self.env.flush_all()
        self.assertNotIn(order, orders.search(domain))

    def test_order_shows_the_issue_in_place_of_a_state_and_a_useless_button(self):
        order = self._confirm_order(user_id=self.salesperson.id)
        orders = self.env["sale.order"].with_user(self.salesperson)
        form = etree.fromstring(orders.get_view(view_type="form")["arch"])
        names = (
            "portal_account_state",
            "portal_account_issue",
            "action_create_portal_account",
            "action_resend_portal_invitation",
        )

        def get_shown(**values):
            record = order.read()[0] | values
            nodes = form.xpath("//*[@invisible]")
            return {
                node.get("name")
                for node in nodes
                if node.get("name") in names
                and not safe_eval(node.get("invisible"), record)
            }

        state, issue, create, resend = names
        self.assertEqual(get_shown(), {state, resend})
        self.assertEqual(get_shown(portal_account_state="none"), {state, create})
        missing = {"portal_account_state": "none"}
        self.assertEqual(
            get_shown(**missing, portal_account_issue="no_email"), {issue, create}
        )
        self.assertEqual(get_shown(**missing, portal_account_known=True), {state})
        self.assertEqual(
            get_shown(
                portal_account_state="activated", portal_account_issue="no_email"
            ),
            {state},
        )

    def test_new_contact_has_no_account(self):
        self.assertEqual(self.env["res.partner"].new({}).portal_account_state, "none")

    def test_only_administrators_open_users(self):
        order = self._confirm_order(user_id=self.salesperson.id)
        self.assertEqual(
            order.action_open_portal_user(),
            {
                "type": "ir.actions.act_window",
                "res_model": "res.users",
                "res_id": self.customer.user_ids.id,
                "views": [(self.env.ref("base.view_users_form").id, "form")],
            },
        )
        with self.assertRaises(AccessError):
            order.with_user(self.salesperson).action_open_portal_user()
        with self.assertRaises(UserError):
            self._create_customer("Nobody", False).action_open_portal_user()
