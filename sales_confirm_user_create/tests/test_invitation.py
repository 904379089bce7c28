from ast import literal_eval
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .. import post_init_hook
from .common import PortalAccountCommon
from .mail_server import MailServer, refuse

STATES = ("due", "sent", "failed", "bounced", "expired", "activated", "cancelled")


@tagged("post_install", "-at_install")
class TestInvitation(PortalAccountCommon):
    """The record, its states, what sales managers see and do, and the first login."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, "manager", "sales_team.group_sale_manager")
        cls.Invitation = cls.env["portal.invitation"]

    def _create_each_state(self):
        """Return one invitation of each state, in the order of ``STATES``."""
        bounced, cancelled, sent, expired, activated = self._confirm_orders(
            "bounced", "cancelled", "sent", "expired", "activated"
        )
        self._send_invitations()
        self._get_invitation(expired.partner_id).expiry_date = "2020-01-01"
        self._record_login(activated.partner_id.user_ids)
        cancelled.partner_id.user_ids.active = False
        self._get_invitation(bounced.partner_id).bounce_date = "2020-01-01"
        failed = self._confirm_orders("failed")
        self._get_invitation(failed.partner_id).failure_count = 2
        self._fail_to_send(MailServer(refuse(550)))
        due = self._confirm_orders("due")
        orders = due + sent + failed + bounced + expired + activated + cancelled
        return self.Invitation.union(
            *(self._get_invitation(order.partner_id) for order in orders)
        )

    def test_confirmation_creates_one_record_that_says_for_whom_and_why(self):
        order = self._confirm_order()
        self._confirm_order()
        invitation = self._get_invitation()
        self.assertEqual(len(invitation), 1)
        self.assertEqual(invitation.user_id.partner_id, self.customer)
        self.assertEqual(invitation.login, "jane@example.com")
        self.assertEqual(invitation.order_id, order)
        self.assertEqual(invitation.company_id, order.company_id)
        self.assertLessEqual(invitation.due_date, fields.Datetime.now())
        self.assertFalse(invitation.sent_date)

    def test_email_is_counted_and_dated(self):
        self._confirm_order()
        invitation = self._get_invitation()
        with self._later(minutes=1):
            now = fields.Datetime.now()
            self._send_invitations()
        self.assertFalse(invitation.due_date)
        self.assertEqual(invitation.sent_date, now)
        self.assertEqual(invitation.expiry_date, now + timedelta(days=6))
        self.assertEqual(invitation.sent_count, 1)

    def test_state_is_read_searched_and_grouped(self):
        invitations = self._create_each_state()
        self.assertEqual(invitations.mapped("state"), list(STATES))
        domain = [("id", "in", invitations.ids)]
        for state, invitation in zip(STATES, invitations, strict=True):
            with self.subTest(state):
                found = self.Invitation.search([*domain, ("state", "=", state)])
                self.assertEqual(found, invitation)
                others = self.Invitation.search([*domain, ("state", "!=", state)])
                self.assertEqual(set(others), set(invitations - invitation))
        self.assertFalse(self.Invitation.search([*domain, ("state", "=", False)]))
        groups = self.Invitation.with_user(self.manager).formatted_read_group(
            domain, ["state"], ["__count"]
        )
        self.assertEqual(
            {group["state"]: group["__count"] for group in groups},
            dict.fromkeys(STATES, 1),
        )

    def test_state_follows_what_is_not_yet_in_the_database(self):
        self._confirm_order()
        invitation = self._get_invitation()
        self.assertEqual(invitation.state, "due")
        invitation.write({"due_date": False, "sent_date": fields.Datetime.now()})
        self.assertEqual(invitation.state, "sent")
        invitation.expiry_date = "2020-01-01"
        self.assertEqual(invitation.state, "expired")
        invitation.failure = "550 no such user"
        self.assertEqual(invitation.state, "failed")
        self.assertTrue(
            self.Invitation.search(
                [("id", "=", invitation.id), ("state", "=", "failed")]
            )
        )
        invitation.cancel_reason = "address"
        self.assertEqual(invitation.state, "cancelled")
        self._record_login(invitation.user_id)
        self.assertEqual(invitation.state, "activated")

    def test_state_without_a_record(self):
        self.assertFalse(self.Invitation.new({}).state)

    def test_each_state_has_a_filter(self):
        invitations = self._create_each_state()
        arch = self.Invitation.with_user(self.manager).get_view(view_type="search")[
            "arch"
        ]
        search = etree.fromstring(arch)
        for state, invitation in zip(STATES, invitations, strict=True):
            [node] = search.xpath(f"//filter[@name='{state}']")
            domain = literal_eval(node.get("domain"))
            found = self.Invitation.with_user(self.manager).search(domain)
            self.assertEqual(found & invitations, invitation)

    def test_filter_of_those_not_activated_after_a_week(self):
        invitations = self._create_each_state()
        arch = self.Invitation.get_view(view_type="search")["arch"]
        [node] = etree.fromstring(arch).xpath("//filter[@name='not_activated']")
        domain = literal_eval(node.get("domain"))
        self.assertFalse(self.Invitation.search(domain) & invitations)
        self.env.cr.execute(
            "UPDATE portal_invitation SET create_date = create_date - interval '8 days'"
        )
        self.env.invalidate_all()
        found = self.Invitation.search(domain) & invitations
        self.assertEqual(set(found.mapped("state")), {"sent", "expired"})

    def test_list_groups_by_company_month_and_state(self):
        invitations = self._create_each_state()
        manager = new_test_user(
            self.env,
            "manager-of-two",
            "sales_team.group_sale_manager,base.group_multi_company",
            company_ids=(
                self.company + self.env["res.company"].create({"name": "Second"})
            ).ids,
        )
        arch = self.Invitation.with_user(manager).get_view(view_type="search")["arch"]
        counts = {}
        for node in etree.fromstring(arch).xpath("//filter[@context]"):
            groupby = literal_eval(node.get("context"))["group_by"]
            groups = self.Invitation.formatted_read_group(
                [("id", "in", invitations.ids)], [groupby], ["__count"]
            )
            counts[groupby] = [group["__count"] for group in groups]
        self.assertEqual(
            counts, {"company_id": [7], "create_date:month": [7], "state": [1] * 7}
        )

    def test_menu_and_views_are_for_sales_managers(self):
        website_menu = self.env.ref(
            "sales_confirm_user_create.portal_invitation_website_menu"
        )
        Menu = self.env["ir.ui.menu"]
        self.assertIn(website_menu.id, Menu.with_user(self.manager)._visible_menu_ids())
        self.assertNotIn(
            website_menu.id, Menu.with_user(self.salesperson)._visible_menu_ids()
        )
        views = self.Invitation.with_user(self.manager).get_views(
            [(False, "list"), (False, "form")]
        )["views"]
        for view in views.values():
            root = etree.fromstring(view["arch"])
            self.assertEqual(
                [root.get(name) for name in ("create", "edit", "delete")], ["0"] * 3
            )
            self.assertTrue(root.xpath("//button[@name='action_resend']"))

    def test_managers_read_those_of_their_companies_and_write_none(self):
        self._confirm_order()
        invitation = self._get_invitation()
        seen = invitation.with_user(self.manager)
        seen.read()
        for operation in ("create", "write", "unlink"):
            self.assertFalse(seen.has_access(operation))
        for user in (self.salesperson, invitation.user_id):
            with self.subTest(user.login), self.assertRaises(AccessError):
                invitation.with_user(user).read(["login"])
        self.assertIn(invitation, self.Invitation.with_user(self.manager).search([]))
        invitation.company_id = self.env["res.company"].create({"name": "Second"})
        self.assertNotIn(invitation, self.Invitation.with_user(self.manager).search([]))

    def test_manager_resends_those_selected_and_hears_about_the_others(self):
        invitations = self._create_each_state()
        due, sent, failed, bounced, expired, activated, cancelled = invitations
        with self._later(minutes=11):
            action = invitations.with_user(self.manager).action_resend()
            asked = self.env[action["res_model"]].browse(action["res_id"])
            self.assertIn("Emails to send: 5.", asked.question)
            self.assertIn(f"{activated.login}: ", asked.question)
            params = asked.with_user(self.manager).action_confirm()["params"]
            self.assertEqual(params["type"], "warning")
            logins = (bounced + due + expired + failed + sent).mapped("login")
            self.assertIn(f"sent to {', '.join(logins)}.", params["message"])
            self.assertIn(f"{activated.login}: ", params["message"])
            self.assertIn(f"{cancelled.login}: ", params["message"])
            mails = self._send_invitations()
        self.assertEqual({mail["email_to"][0] for mail in mails}, set(logins))

    def test_resend_ends_a_failure(self):
        invitation = self._create_each_state()[STATES.index("failed")]
        invitation.with_user(self.manager).action_resend()
        self.assertEqual(invitation.state, "due")
        self.assertEqual(invitation.failure_count, 0)

    def test_manager_who_resends_is_noted_on_the_order(self):
        order = self._confirm_order()
        self._get_invitation().with_user(self.manager).action_resend()
        note = order.message_ids[0]
        self.assertIn("will be sent again", note.body)
        self.assertEqual(note.author_id, self.manager.partner_id)

    def test_salesperson_resends_none_from_the_list(self):
        self._confirm_order(user_id=self.salesperson.id)
        for user in (self.salesperson, self.customer.user_ids):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._get_invitation().with_user(user).action_resend()

    def test_second_email_does_not_end_the_first_link(self):
        order = self._confirm_order()
        [first] = self._send_invitations()
        with self._later(days=1):
            order.action_resend_portal_invitation()
            [second] = self._send_invitations()
        self.assertNotEqual(self._get_link(first), self._get_link(second))
        for mail in (first, second):
            self.assertEqual(self._get_link_status(mail), "valid")
        self._record_login(self.customer.user_ids)
        for mail in (first, second):
            self.assertEqual(self._get_link_status(mail), "used")

    def test_link_expires_when_the_record_says_so(self):
        self._confirm_order()
        [mail] = self._send_invitations()
        with self._later(days=6, minutes=-1):
            self.assertEqual(self._get_link_status(mail), "valid")
        with self._later(days=6, minutes=1):
            self.assertEqual(self._get_link_status(mail), "expired")
            self.assertEqual(self._get_invitation().state, "expired")

    def test_first_login_is_kept(self):
        self._confirm_order()
        user = self.customer.user_ids
        self._record_login(user)
        first = user.portal_activation_date
        self.assertTrue(first)
        user.portal_activation_date = first - timedelta(days=3)
        self._record_login(user)
        self.assertEqual(user.portal_activation_date, first - timedelta(days=3))

    def test_users_of_before_the_installation_are_activated(self):
        old, never = [
            new_test_user(self.env, login, "base.group_portal")
            for login in ("old", "new")
        ]
        self.env["res.users.log"].with_user(old).sudo().create({})
        self.env.flush_all()
        post_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(old.portal_activation_date, old.login_date)
        self.assertFalse(never.portal_activation_date)

    def test_employee_of_before_the_installation_is_found_by_the_address(self):
        """The contact is marked as a customer's, as merging contacts once did."""
        employee = new_test_user(
            self.env, "john", "base.group_user", email=self.customer.email
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET partner_share = TRUE WHERE id = %s",
            [employee.partner_id.id],
        )
        self.env.invalidate_all()
        post_init_hook(self.env)
        self.assertFalse(self._confirm_order().user_created)

    def test_user_of_old_is_not_taken_for_activated_now(self):
        user = new_test_user(self.env, "old@example.com", "base.group_portal")
        self.env["res.users.log"].with_user(user).sudo().create({})
        self.env.flush_all()
        date = user.login_date
        with self._later(days=1):
            self._record_login(user)
        self.assertEqual(user.portal_activation_date, date)
