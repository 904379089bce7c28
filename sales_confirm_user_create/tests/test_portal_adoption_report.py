from datetime import datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PortalAccountCommon
from .mail_server import MailServer, refuse


class PortalAdoptionReportCommon(PortalAccountCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Report = cls.env["portal.adoption.report"]
        cls.website = cls.env["website"].search([], limit=1)

    def _confirm(self, partner=None, date=None, **values):
        """Return a confirmed order, which is dated back if need be."""
        order = self._create_order(partner, **values)
        order.action_confirm()
        if date:
            order.date_order = date
        return order

    def _get_account(self, order):
        return (
            self.env["res.users"]
            .sudo()
            .search([("partner_id", "=", order.partner_id.id)])
        )

    def _activate(self, order, date=None, days=None):
        """Have the customer of an order log in for the first time."""
        account = self._get_account(order)
        if days is not None:
            date = account.create_date + timedelta(days=days)
        account.portal_activation_date = date

    def _get_aggregate(self, measure):
        """Return what the views ask for."""
        return f"{measure}:{self.Report._fields[measure].aggregator}"

    def _read(self, orders, *measures):
        """Return the values of measures over some orders; of one, its value alone."""
        [values] = self.Report._read_group(
            [("order_id", "in", orders.ids)],
            aggregates=[self._get_aggregate(measure) for measure in measures],
        )
        return values if len(values) > 1 else values[0]

    def _read_by(self, groupby, orders, measure):
        """Return the values of a measure by group."""
        return dict(
            self.Report._read_group(
                [("order_id", "in", orders.ids)],
                [groupby],
                [self._get_aggregate(measure)],
            )
        )


@tagged("post_install", "-at_install")
class TestPortalAdoptionReport(PortalAdoptionReportCommon):
    def test_order_that_two_invitations_are_about_counts_once(self):
        order = self._confirm()
        other = new_test_user(
            self.env, "bob@example.com", "base.group_portal", email="bob@example.com"
        )
        order.partner_id = other.partner_id
        order.action_resend_portal_invitation()
        self.assertEqual(len(self.Report.search([("order_id", "=", order.id)])), 1)
        self.assertEqual(self._read(order, "account_count"), 1)

    def test_order_that_creates_a_second_account_counts_once(self):
        order = self._confirm()
        self._send_invitations()
        order._action_cancel()
        order.action_draft()
        order.partner_id = self._create_customer("John", "john@example.com")
        order.action_confirm()
        measures = ("order_count", "account_count", "invited_count")
        self.assertEqual(self._read(order, *measures), (1, 1, 0))

    def test_only_confirmed_orders_count(self):
        confirmed, cancelled = self._confirm(), self._confirm()
        draft = self._create_order()
        cancelled._action_cancel()
        self.assertEqual(self._read(confirmed + cancelled + draft, "order_count"), 1)

    def test_a_customer_with_two_orders_is_one_customer(self):
        other = self._create_customer("John Doe", "john@example.com")
        orders = self._confirm() + self._confirm() + self._confirm(other)
        self.assertEqual(self._read(orders, "order_count", "customer_count"), (3, 2))

    def test_the_order_that_created_an_account_follows_it(self):
        orders = self._confirm() + self._confirm()
        measures = ("account_count", "invited_count", "activated_count")
        self.assertEqual(self._read(orders, *measures), (1, 0, 0))
        self._send_invitations()
        self.assertEqual(self._read(orders, *measures), (1, 1, 0))
        account = self._get_account(orders[0])
        self._record_login(account)
        self.assertEqual(self._read(orders, *measures), (1, 1, 1))
        self.assertEqual(self._read(orders[0], *measures), (1, 1, 1))

    def test_an_order_that_the_invitation_is_about_later_takes_nothing_along(self):
        first, second = self._confirm(), self._confirm()
        self._send_invitations()
        self._get_invitation()._invite_about(second, is_automatic=True)
        self._get_invitation().order_id = second
        self._record_login(self._get_account(first))
        measures = ("account_count", "invited_count", "activated_count")
        self.assertEqual(self._read(first, *measures), (1, 1, 1))
        self.assertEqual(self._read(second, *measures), (0, 0, 0))

    def test_an_account_made_by_hand_is_not_one_made_by_confirmation(self):
        new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            partner_id=self.customer.id,
        )
        order = self._confirm()
        self._activate(order, datetime(2020, 1, 1))
        measures = ("account_count", "activated_count", "activation_days")
        self.assertEqual(self._read(order, *measures), (0, 0, False))

    def test_the_days_to_activation_are_the_median_of_each_group(self):
        partners = [
            self._create_customer(f"C{i}", f"c{i}@example.com") for i in range(5)
        ]
        orders = self._create_orders(partners)
        orders.action_confirm()
        for order, days in zip(orders, (1, 2, 30, 0.5), strict=False):
            self._activate(order, days=days)
        orders[3:].date_order = datetime(2020, 1, 15)
        self.assertAlmostEqual(self._read(orders, "activation_days"), 1.5, 5)
        by_year = self._read_by("date:year", orders, "activation_days")
        self.assertAlmostEqual(by_year[datetime(2020, 1, 1)], 0.5, 5)
        self.assertAlmostEqual(max(by_year.values()), 2, 5)

    def test_there_is_no_median_where_nobody_activated(self):
        self.assertIs(self._read(self._confirm(), "activation_days"), False)

    def test_the_share_is_one_over_the_orders_of_each_group(self):
        orders = self._confirm(date=datetime(2020, 1, 1))
        self._activate(orders, datetime(2020, 1, 2))
        for day in (3, 4):
            orders += self._confirm(date=datetime(2020, 1, day))
        orders += self._confirm(date=datetime(2020, 2, 1))
        self.assertAlmostEqual(self._read(orders, "activated_rate"), 3 / 4)
        shares = self._read_by("date:month", orders, "activated_rate")
        self.assertAlmostEqual(shares[datetime(2020, 1, 1)], 2 / 3)
        self.assertAlmostEqual(shares[datetime(2020, 2, 1)], 1)

    def test_an_account_with_the_address_as_login_counts_as_it_does_at_confirmation(
        self,
    ):
        first = self._confirm(date=datetime(2020, 1, 1))
        self._activate(first, datetime(2020, 1, 2))
        guest = self._create_customer("Jane", "Jane <JANE@example.com>")
        order = self._confirm(
            guest, date=datetime(2020, 1, 3), website_id=self.website.id
        )
        self.assertFalse(order.user_created)
        self.assertEqual(self._read(order, "activated_rate"), 1)

    def test_an_account_of_another_website_does_not_count(self):
        first = self._confirm(date=datetime(2020, 1, 1))
        self._activate(first, datetime(2020, 1, 2))
        other = self.env["website"].create({"name": "Other shop"})
        self._get_account(first).website_id = other
        guest = self._create_customer("Jane", "jane@example.com")
        here = self._confirm(
            guest, date=datetime(2020, 1, 3), website_id=self.website.id
        )
        there = self._confirm(guest, date=datetime(2020, 1, 3), website_id=other.id)
        anywhere = self._confirm(guest, date=datetime(2020, 1, 3))
        self.assertEqual(self._read(here, "activated_rate"), 0)
        self.assertEqual(self._read(there, "activated_rate"), 1)
        self.assertEqual(self._read(anywhere, "activated_rate"), 1)
        guest.website_id = self.website
        self.assertEqual(self._read(anywhere, "activated_rate"), 0)

    def test_an_account_whose_contact_only_has_the_address_does_not_count(self):
        somebody = self._create_customer("Somebody", "somebody@example.com")
        first = self._confirm(somebody, date=datetime(2020, 1, 1))
        self._activate(first, datetime(2020, 1, 2))
        somebody.with_user(self._get_account(first)).sudo().email = "jane@example.com"
        order = self._confirm(date=datetime(2020, 1, 3))
        self.assertTrue(order.user_created)
        self.assertEqual(self._read(order, "activated_rate"), 0)

    def test_an_invitation_that_was_refused_is_no_account_invited(self):
        order = self._confirm()
        self._fail_to_send(MailServer(refuse(550)))
        self.assertEqual(self._read(order, "account_count", "invited_count"), (1, 0))
        with self._later(hours=5):
            self._send_invitations()
        self.assertEqual(self._read(order, "account_count", "invited_count"), (1, 1))

    def test_customers_without_an_address_do_not_share_an_account(self):
        first = self._confirm(date=datetime(2020, 1, 1))
        self._activate(first, datetime(2020, 1, 2))
        self.customer.email = False
        nobody = self._create_customer("Nobody", False)
        order = self._confirm(nobody, date=datetime(2020, 1, 3))
        self.assertEqual(self._read(order, "activated_rate"), 0)

    def test_customer_who_signed_up_before_has_an_active_account(self):
        new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            partner_id=self.customer.id,
        )
        order = self._confirm(website_id=self.website.id)
        self._activate(order, datetime(2020, 1, 1))
        self.assertEqual(self._read(order, "activated_rate"), 1)

    def test_orders_are_grouped_by_time_company_website_and_team(self):
        team = self.env["crm.team"].create({"name": "Shop team"})
        orders = self._confirm(
            date=datetime(2020, 1, 6), website_id=self.website.id, team_id=team.id
        ) + self._confirm(date=datetime(2020, 1, 31), team_id=team.id)
        for groupby, groups in (
            ("date:week", 2),
            ("date:month", 1),
            ("company_id", 1),
            ("website_id", 2),
            ("team_id", 1),
        ):
            with self.subTest(groupby=groupby):
                counts = self._read_by(groupby, orders, "order_count")
                self.assertEqual(len(counts), groups)
                self.assertEqual(sum(counts.values()), 2)
        self.assertEqual(self._read_by("team_id", orders, "order_count"), {team: 2})

    def test_everybody_sees_the_orders_that_they_see_in_sales(self):
        salesman = new_test_user(self.env, "own", "sales_team.group_sale_salesman")
        company = self.env["res.company"].create({"name": "Other company"})
        manager = new_test_user(
            self.env,
            "manager",
            "sales_team.group_sale_manager",
            company_ids=[Command.set((self.company + company).ids)],
        )
        own = self._confirm(user_id=salesman.id)
        unassigned = self._confirm(user_id=False)
        other = self._confirm(user_id=self.salesperson.id)
        abroad = self._confirm(user_id=False, company_id=company.id)
        orders = own + unassigned + other + abroad
        for user, companies, expected in (
            (salesman, self.company, own + unassigned),
            (self.salesperson, self.company, own + unassigned + other),
            (manager, self.company + company, orders),
            (manager, company, abroad),
        ):
            with self.subTest(user=user.login, companies=companies.mapped("name")):
                env = self.env(
                    user=user, context={"allowed_company_ids": companies.ids}
                )
                domain = [("order_id", "in", orders.ids)]
                seen = env["portal.adoption.report"].search(domain).order_id
                self.assertEqual(set(seen.ids), set(expected.ids))
                in_sales = env["sale.order"].search([("id", "in", orders.ids)])
                self.assertEqual(set(in_sales.ids), set(expected.ids))

    def test_who_has_no_rights_in_sales_sees_nothing(self):
        for group in ("base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"{group}@example.com", group)
            with self.subTest(group=group), self.assertRaises(AccessError):
                self.Report.with_user(user).search([])

    def test_nobody_writes_a_report(self):
        manager = new_test_user(self.env, "manager", "sales_team.group_sale_manager")
        for operation in ("create", "write", "unlink"):
            self.assertFalse(self.Report.with_user(manager).has_access(operation))

    def test_a_row_opens_its_order(self):
        order = self._confirm()
        row = self.Report.search([("order_id", "=", order.id)])
        action = row.action_open_order()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("sale.order", order.id)
        )


@tagged("post_install", "-at_install")
class TestPortalAdoptionReportTour(PortalAdoptionReportCommon, HttpCase):
    def test_the_report_opens_from_the_sales_menu(self):
        # the app comes with `sale_management` only
        self.env.ref("sale.sale_menu_root").active = True
        new_test_user(self.env, "manager", "sales_team.group_sale_manager")
        self._activate(self._confirm(), days=2)
        self.start_tour(
            "/odoo", "sales_confirm_user_create.portal_adoption_report", login="manager"
        )
