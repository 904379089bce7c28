from datetime import timedelta
from unittest.mock import patch

from lxml import html

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools import SQL, mute_logger

from .common import PortalAccountCommon

REMINDER_CRON = "sales_confirm_user_create.ir_cron_portal_reminder"


@tagged("post_install", "-at_install")
class TestDecline(PortalAccountCommon, HttpCase):
    """Customers who want no account say so."""

    def _confirm(self, partner=None, **values):
        order = self._create_order(partner, **values)
        order.action_confirm()
        return order

    def _get_decline_link(self):
        """Return the link in the only email that is sent now."""
        [mail] = self._send_invitations()
        [link] = html.fromstring(str(mail["body"])).xpath(
            "//a[text()='No account, please']/@href"
        )
        return link

    def _get_page(self, url, **kwargs):
        response = self.url_open(url, **kwargs)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def _get_heading(self, page):
        [heading] = page.xpath("//h1")
        return heading.text_content().strip()

    def _decline(self, page):
        """Click the button, and return the page that follows."""
        [form] = page.xpath("//div[contains(@class, 'o_portal_decline')]//form")
        return self._get_page(form.get("action"), data=dict(form.form_values()))

    def _remind(self):
        with self.enter_registry_test_mode():
            self.env.ref(REMINDER_CRON).method_direct_trigger()
        self.env.invalidate_all()

    def _decline_account(self):
        """Confirm an order whose customer wants no account."""
        order = self._confirm()
        self._decline(self._get_page(self._get_decline_link()))
        return order

    def test_button_deletes_the_account_and_says_so_on_the_order(self):
        order = self._confirm()
        user = self.customer.user_ids
        page = self._get_page(self._get_decline_link())
        self.assertEqual(self._get_heading(page), "No account, please")
        self.assertIn("jane@example.com", page.text_content())
        page = self._decline(page)
        self.assertEqual(self._get_heading(page), "Your account is deleted")
        self.assertFalse(user.exists())
        self.assertFalse(self.env["portal.invitation"].search([]))
        self.assertTrue(self.customer.exists())
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.portal_account_issue, "declined")
        self.assertIn("Declined", self._get_notes(order)[0])
        self.assertEqual(order.portal_account_state, "none")

    def test_opening_the_link_changes_nothing(self):
        self._confirm()
        link = self._get_decline_link()
        response = self.url_open(link)
        self.assertNotIn("token", response.url)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.opener.head(link, timeout=30)
        self.assertTrue(self.customer.user_ids)
        self.assertFalse(self.customer.portal_declined)

    def test_forged_click_is_refused(self):
        self._confirm()
        page = self._get_page(self._get_decline_link())
        url = "/my/activate/decline"
        response = self.url_open(url, data={"login": "jane@example.com"})
        self.assertEqual(response.status_code, 400)
        [form] = page.xpath("//form[@action='/my/activate/decline']")
        data = dict(form.form_values()) | {"login": "other@example.com"}
        self._get_page(url, data=data)
        self.assertTrue(self.customer.user_ids, "the form was about another account")

    def test_second_click_and_opening_the_link_again_say_the_same(self):
        self._confirm()
        link = self._get_decline_link()
        page = self._get_page(link)
        self._decline(page)
        for again in (self._decline(page), self._get_page(link)):
            self.assertEqual(self._get_heading(again), "Your account is deleted")

    def test_links_of_the_deleted_account_do_not_work(self):
        self._confirm()
        link = self._get_decline_link()
        self._decline(self._get_page(link))
        page = self._get_page(link.replace("/decline", ""))
        self.assertEqual(self._get_heading(page), "This link does not work")
        page = self._get_page("/my/activate/decline?token=wrong")
        self.assertEqual(self._get_heading(page), "This link does not work")

    def test_expired_link_still_says_no(self):
        self._confirm()
        link = self._get_decline_link()
        later = fields.Datetime.now() + timedelta(days=30)
        with freeze_time(later):
            page = self._decline(self._get_page(link))
        self.assertEqual(self._get_heading(page), "Your account is deleted")

    def test_account_in_use_stays(self):
        self._confirm()
        link = self._get_decline_link()
        page = self._get_page(link)
        user = self.customer.user_ids
        user.with_user(user)._update_last_login()
        page = self._decline(page)
        self.assertEqual(self._get_heading(page), "Your account is active")
        self.assertTrue(user.exists())

    def test_reminder_has_the_link_and_none_follows(self):
        self._confirm()
        self._send_invitations()
        invitation = self._get_invitation()
        invitation.sent_date = "2020-01-01"
        self._remind()
        self._decline(self._get_page(self._get_decline_link()))
        self._remind()
        self.assertFalse(self._send_invitations())

    def test_later_orders_of_the_address_create_nothing(self):
        self._decline_account()
        guest = self._create_customer("Guest", "JANE@example.com")
        for partner in (self.customer, guest):
            order = self._confirm(partner)
            self.assertNoAccount(order, "Declined")
            self.assertEqual(order.portal_account_issue, "declined")
        other = self._confirm(self._create_customer("Other", "other@example.com"))
        self.assertTrue(other.user_created)

    def test_archived_contact_still_says_no(self):
        self._decline_account()
        self.customer.active = False
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertNoAccount(self._confirm(guest), "Declined")

    def test_deleting_the_contact_forgets_it(self):
        order = self._decline_account()
        order._action_cancel()
        order.unlink()
        self.customer.unlink()
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertTrue(self._confirm(guest).user_created)

    def test_past_orders_create_nothing_either(self):
        order = self._decline_account()
        action = self.env["portal.account.batch"].action_preview(order.ids)
        batch = self.env["portal.account.batch"].browse(action["res_id"])
        self.assertEqual(batch.missing_count, 0)
        order._ensure_portal_accounts()
        self.assertFalse(self.customer.user_ids)

    def test_staff_create_the_account_on_purpose(self):
        order = self._decline_account()
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertTrue(self.customer.user_ids)
        self.assertFalse(order.portal_account_issue)
        self.assertFalse(self.customer.portal_declined)

    def test_customer_creates_the_account_on_purpose(self):
        self._decline_account()
        self.company.portal_account_policy = "ask"
        website = self.env["website"].get_current_website()
        guest = self._create_customer("Guest", "jane@example.com")
        order = self._confirm(guest, website_id=website.id)
        self.assertTrue(order.portal_account_offered)
        order._accept_portal_account()
        self.assertTrue(guest.user_ids)
        self.assertTrue(self.customer.portal_declined, "anybody can have clicked")
        guest.user_ids._activate_portal_account("Secret-12345")
        self.assertFalse(self.customer.portal_declined)

    def test_account_that_cannot_be_deleted_is_archived(self):
        order = self._confirm()
        user = self.customer.user_ids
        page = self._get_page(self._get_decline_link())
        error = UserError("It is in use.")
        with (
            patch.object(self.env.registry["res.users"], "unlink", side_effect=error),
            mute_logger("odoo.addons.sales_confirm_user_create.models.portal_vacuum"),
        ):
            page = self._decline(page)
        self.assertEqual(self._get_heading(page), "Your account is deleted")
        self.assertFalse(user.active)
        self.assertTrue(self.customer.portal_declined)
        self.assertEqual(order.portal_account_issue, "declined")

    def test_customers_sign_up_on_their_own(self):
        self._decline_account()
        self.env["website"].get_current_website().auth_signup_uninvited = "b2c"
        self.authenticate(None, None)
        self.url_open(
            "/web/signup",
            data={
                "name": "Jane",
                "login": "jane@example.com",
                "password": "Secret-12345",
                "confirm_password": "Secret-12345",
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        self.assertTrue(self._get_users("jane@example.com"))

    def test_report_counts_it_once(self):
        order = self._decline_account()
        later = self._confirm()
        for order_id, count in ((order.id, 1), (later.id, 0)):
            row = self.env["portal.adoption.report"].browse(order_id)
            self.assertEqual((row.account_count, row.declined_count), (count, count))

    def test_lookup_uses_an_index(self):
        # many contacts with one placeholder address must not be read one by one
        self.env["res.partner"].create(
            [{"name": "Guest", "email": "jane@example.com"} for _index in range(500)]
        )
        self.env.flush_all()
        self.env.cr.execute("ANALYZE res_partner")
        query = (
            self.env["res.partner"]
            .with_context(active_test=False)
            ._search(
                [
                    ("portal_declined", "=", True),
                    ("email_normalized", "in", ["jane@example.com"]),
                ]
            )
        )
        plan = self.env.execute_query(SQL("EXPLAIN %s", query.select()))
        self.assertIn("res_partner_portal_declined_idx", str(plan))

    def test_known_customers_cost_no_lookup(self):
        self._confirm()
        lookup = self.startPatcher(
            patch.object(
                self.registry["sale.order"],
                "_get_contacts_without_account",
                autospec=True,
                side_effect=AssertionError,
            )
        )
        order = self._confirm()
        self.assertFalse(order.portal_account_issue)
        self.assertFalse(lookup.called)
