from datetime import timedelta
from unittest.mock import patch

from lxml import html

from odoo import fields, http
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

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
            '//a[text()="I don\'t want an account"]/@href'
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

    def _create_on_purpose(self, record, user=None):
        """Click *Create account*, and confirm what is asked; return the question."""
        action = record.with_user(
            user or self.salesperson
        ).action_create_portal_account()
        self.assertEqual(action["res_model"], "portal.account.question")
        asked = self.env[action["res_model"]].browse(action["res_id"])
        asked.with_user(user or self.salesperson).action_confirm()
        self.env.invalidate_all()
        return asked.question

    def _get_note(self, order):
        """Return the latest note on an order."""
        return order.message_ids.sorted("id")[-1]

    def _run_reminders(self):
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
        self.assertEqual(self._get_heading(page), "Don't want an account?")
        self.assertIn("jane@example.com", page.text_content())
        page = self._decline(page)
        self.assertEqual(self._get_heading(page), "Your account has been deleted")
        self.assertFalse(user.exists())
        self.assertFalse(self.env["portal.invitation"].search([]))
        self.assertTrue(self.customer.exists())
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.portal_account_issue, "declined")
        self.assertIn("declined", self._get_notes(order)[0])
        self.assertEqual(order.portal_account_state, "none")

    def test_opening_the_link_changes_nothing(self):
        self._confirm()
        link = self._get_decline_link()
        response = self.url_open(link)
        self.assertNotIn("token", response.url)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.opener.head(link, timeout=30)
        self.assertTrue(self.customer.user_ids)
        self.assertFalse(self.customer.portal_decline_date)

    def test_forged_click_is_refused(self):
        self._confirm()
        page = self._get_page(self._get_decline_link())
        url = "/web/portal/decline"
        answer = self._get_page(url, data={"login": "jane@example.com"})
        self.assertIn("Please try again", answer.text_content())
        [form] = page.xpath("//form[@action='/web/portal/decline']")
        data = dict(form.form_values()) | {"login": "other@example.com"}
        answer = self._get_page(url, data=data)
        self.assertIn("now about jane@example.com", answer.text_content())
        self.assertTrue(self.customer.user_ids, "the form was about another account")

    def test_customer_who_keeps_the_account_reads_so(self):
        self._confirm()
        page = self._get_page(self._get_decline_link())
        [link] = page.xpath("//a[.='Keep the account']/@href")
        self.assertEqual(self._get_heading(self._get_page(link)), "Your account stays")
        self.assertTrue(self.customer.user_ids)

    def test_second_click_and_opening_the_link_again_say_the_same(self):
        self._confirm()
        link = self._get_decline_link()
        page = self._get_page(link)
        self._decline(page)
        for again in (self._decline(page), self._get_page(link)):
            self.assertEqual(self._get_heading(again), "Your account has been deleted")

    def test_links_of_the_deleted_account_do_not_work(self):
        self._confirm()
        link = self._get_decline_link()
        self._decline(self._get_page(link))
        page = self._get_page(link.replace("decline", "activate"))
        self.assertEqual(self._get_heading(page), "This link does not work")
        page = self._get_page("/web/portal/decline?token=wrong")
        self.assertEqual(self._get_heading(page), "This link does not work")

    def test_expired_link_still_says_no(self):
        self._confirm()
        link = self._get_decline_link()
        later = fields.Datetime.now() + timedelta(days=30)
        with freeze_time(later):
            page = self._decline(self._get_page(link))
        self.assertEqual(self._get_heading(page), "Your account has been deleted")

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
        self._run_reminders()
        self._decline(self._get_page(self._get_decline_link()))
        self._run_reminders()
        self.assertFalse(self._send_invitations())

    def test_later_orders_of_the_address_create_nothing(self):
        self._decline_account()
        guest = self._create_customer("Guest", "JANE@example.com")
        for partner in (self.customer, guest):
            order = self._confirm(partner)
            self.assertNoAccount(order, "declined")
            self.assertEqual(order.portal_account_issue, "declined")
        other = self._confirm(self._create_customer("Other", "other@example.com"))
        self.assertTrue(other.user_created)

    def test_archived_contact_still_says_no(self):
        self._decline_account()
        self.customer.active = False
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertNoAccount(self._confirm(guest), "declined")

    def test_decline_holds_without_the_contact(self):
        order = self._decline_account()
        order._action_cancel()
        order.unlink()
        self.customer.unlink()
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertNoAccount(self._confirm(guest), "declined")
        self.assertEqual(self.env["portal.decline"].search([]).partner_id, guest)

    def test_past_orders_create_nothing_either(self):
        order = self._decline_account()
        action = self.env["portal.account.batch"].action_preview(order.ids)
        batch = self.env["portal.account.batch"].browse(action["res_id"])
        self.assertEqual(batch.missing_count, 0)
        order._ensure_portal_accounts()
        self.assertFalse(self.customer.user_ids)

    def test_staff_create_the_account_on_purpose(self):
        order = self._decline_account()
        self._create_on_purpose(order)
        self.assertTrue(self.customer.user_ids)
        self.assertFalse(order.portal_account_issue)
        self.assertFalse(self.customer.portal_decline_date)

    def test_customer_creates_the_account_on_purpose(self):
        self._decline_account()
        self.company.portal_account_policy = "ask"
        website = self.env["website"].get_current_website()
        guest = self._create_customer("Guest", "jane@example.com")
        order = self._confirm(guest, website_id=website.id)
        self.assertTrue(order.portal_account_offered)
        order._accept_portal_account()
        self.assertTrue(guest.user_ids)
        self.assertTrue(guest.portal_decline_date, "anybody can have clicked")
        guest.user_ids._activate_portal_account("Secret-12345")
        guest.invalidate_recordset()
        self.assertFalse(guest.portal_decline_date)

    def test_account_that_cannot_be_deleted_is_archived(self):
        order = self._confirm()
        user = self.customer.user_ids
        page = self._get_page(self._get_decline_link())
        error = UserError("It is in use.")
        with (
            patch.object(self.env.registry["res.users"], "unlink", side_effect=error),
            mute_logger(
                "odoo.addons.sales_confirm_user_create.models.cleanup.res_users"
            ),
        ):
            page = self._decline(page)
        self.assertEqual(self._get_heading(page), "Your account has been deleted")
        self.assertFalse(user.active)
        self.assertTrue(self.customer.portal_decline_date)
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

    def test_many_contacts_cost_one_query(self):
        self._decline_account()
        contacts = self.customer + self._create_customer("Other", "o@example.com")
        self.env.flush_all()
        self.env.invalidate_all()
        contacts.fetch(["email"])
        with self.assertQueryCount(1):
            dates = contacts.mapped("portal_decline_date")
        self.assertEqual([bool(date) for date in dates], [True, False])

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

    def test_decline_holds_for_each_spelling(self):
        for index, (email, spellings) in enumerate(
            (
                (
                    "d@example.com",
                    ("D@Example.com", "\u200bd@example.com", "D <d@example.com> "),
                ),
                ("d@bücher.example", ("d@xn--bcher-kva.example",)),
                ("d@xn--mller-kva.example", ("d@müller.example",)),
            )
        ):
            guest = self._create_customer(f"Guest {index}", email)
            self._confirm(guest)
            self._decline(self._get_page(self._get_decline_link()))
            for spelling in spellings:
                with self.subTest(ascii(spelling)):
                    order = self._confirm(self._create_customer("Guest", spelling))
                    self.assertNoAccount(order, "declined")
                    self.assertFalse(self._send_invitations())

    def test_decline_holds_after_merge_and_correction(self):
        self._decline_account()
        other = self._create_customer("Jane", "jane.doe@example.com")
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.customer + other).ids, other)
        self.env.invalidate_all()
        self.assertEqual(self.env["portal.decline"].search([]).partner_id, other)
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertNoAccount(self._confirm(guest), "declined")
        self.assertTrue(self._confirm(other).user_created)

    def test_account_does_not_follow_to_an_address_that_declined(self):
        self._decline_account()
        other = self._create_customer("Other", "other@example.com")
        self._confirm(other)
        other.email = "jane@example.com"
        self.assertEqual(other.user_ids.login, "other@example.com")
        self.assertFalse(self._send_invitations())

    def test_address_itself_is_not_stored(self):
        self._decline_account()
        [values] = self.env["portal.decline"].search([]).read()
        self.assertNotIn("jane", values["address_hash"])
        self.assertEqual(len(values["address_hash"]), 64)

    def test_one_query_finds_all_declines_of_a_batch(self):
        self._decline_account()
        orders = self._create_orders(
            [self._create_customer("A", f"a{i}@example.com") for i in range(9)]
        )
        addresses = {*orders.partner_id.mapped("email"), "jane@example.com"}
        self.env.flush_all()
        orders._get_contacts_without_account(addresses)
        with self.assertQueryCount(1):
            issues = orders._get_contacts_without_account(addresses)
        self.assertEqual(issues["jane@example.com"], "declined")
        self.assertEqual(addresses & issues.keys(), {"jane@example.com"})

    def test_batch_leaves_out_declined_customers(self):
        self._decline_account()
        orders = self._create_orders(
            [self._create_customer("A", f"a{i}@example.com") for i in range(3)]
            + [self._create_customer("Guest", "jane@example.com")]
        )
        orders.action_confirm()
        self.assertEqual(
            orders.mapped("portal_account_issue"), [False, False, False, "declined"]
        )

    def test_privacy_lookup_finds_it(self):
        self._decline_account()
        self.assertTrue(self.customer.portal_decline_date)
        wizards = self.env.get("privacy.lookup.wizard")
        if wizards is None:
            self.skipTest("privacy_lookup is not installed")
        admin = new_test_user(self.env, "admin2", "base.group_system")
        wizard = wizards.with_user(admin).create(
            {"name": "Jane Doe", "email": "jane@example.com"}
        )
        wizard.action_lookup()
        line = wizard.line_ids.filtered(lambda line: line.res_model == "portal.decline")
        self.assertEqual(line.res_id, self.env["portal.decline"].search([]).id)
        line.action_unlink()
        self.assertFalse(self.env["portal.decline"].search([]))

    def test_administrator_erases_it(self):
        self._decline_account()
        manager = new_test_user(self.env, "manager", "sales_team.group_sale_manager")
        contact = self.customer.with_user(manager)
        self.assertTrue(contact.portal_decline_date)
        with self.assertRaises(AccessError):
            contact.action_erase_portal_decline()
        admin = new_test_user(self.env, "admin2", "base.group_system")
        self.customer.with_user(admin).action_erase_portal_decline()
        self.assertTrue(self._confirm().user_created)

    def test_salesperson_and_customers_read_no_hashes(self):
        self._decline_account()
        for user in (
            self.salesperson,
            new_test_user(self.env, "someone", "base.group_portal"),
        ):
            with self.assertRaises(AccessError):
                self.env["portal.decline"].with_user(user).search([])

    def test_contact_of_another_company_is_not_named(self):
        self._decline_account()
        other = self.env["res.company"].create({"name": "Other"})
        self.customer.company_id = other
        manager = new_test_user(self.env, "manager", "sales_team.group_sale_manager")
        self.assertFalse(self.env["portal.decline"].with_user(manager).search([]))

    def _delete_own_account(self, user, **post):
        user.with_user(user).sudo()._deactivate_portal_user(**post)
        self.env.invalidate_all()

    def test_deleting_the_own_account_is_a_decline(self):
        for post in ({}, {"request_blacklist": "1"}):
            with self.subTest(post):
                name = f"self{len(post)}"
                guest = self._create_customer(name, f"{name}@example.com")
                order = self._confirm(guest)
                user = guest.user_ids
                user._activate_portal_account("Secret-12345")
                self._record_login(user)
                self._delete_own_account(user, **post)
                self.assertEqual(order.portal_account_issue, "declined")
                self.assertEqual(self._get_note(order).author_id, guest)
                again = self._create_customer("Again", f"{name}@example.com")
                self.assertNoAccount(self._confirm(again), "declined")

    def test_deleting_the_own_account_says_nothing_about_a_typed_address(self):
        user = new_test_user(self.env, "me@example.com", "base.group_portal")
        user.partner_id.email = "victim@example.com"
        self._delete_own_account(user)
        victim = self._create_customer("Victim", "victim@example.com")
        self.assertTrue(self._confirm(victim).user_created)
        me = self._create_customer("Me", "me@example.com")
        self.assertNoAccount(self._confirm(me), "declined")

    def test_deletion_over_http_is_a_decline(self):
        self._confirm()
        user = self.customer.user_ids
        user._activate_portal_account("Secret-12345")
        self.authenticate("jane@example.com", "Secret-12345")
        self.url_open(
            "/my/deactivate_account",
            data={
                "validation": "jane@example.com",
                "password": "Secret-12345",
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        self.env.invalidate_all()
        self.assertFalse(user.active)
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertNoAccount(self._confirm(guest), "declined")

    def test_employee_who_may_not_delete_the_account_has_not_declined(self):
        user = new_test_user(self.env, "staff@example.com", "base.group_user")
        with self.assertRaises(AccessDenied):
            user._deactivate_portal_user()
        self.assertFalse(self.env["portal.decline"].search([]))

    def test_deletion_by_staff_and_cleanup_is_no_decline(self):
        self._confirm()
        self.customer.user_ids.unlink()
        self.assertTrue(self._confirm().user_created)
        self.customer.user_ids._delete_unused()
        self.assertTrue(self._confirm().user_created)

    def _create_accounts_on_two_websites(self):
        for partner in (
            self.customer,
            self._create_customer("Guest", "jane@example.com"),
        ):
            website = self.env["website"].create(
                {"name": partner.name, "specific_user_account": True}
            )
            self._confirm(partner, website_id=website.id)
        self.assertEqual(len(self._get_users("jane@example.com")), 2)
        return self._send_invitations()

    def test_other_unused_account_of_the_address_goes_too(self):
        self._create_accounts_on_two_websites()
        user = self.customer.user_ids
        self.env["res.users"]._decline_portal_account(
            user.login, self.customer, user.portal_invitation_ids.order_id
        )
        self.assertFalse(self._get_users("jane@example.com"))
        self.assertFalse(self._remind(30))

    def test_deleted_account_takes_no_other_with_it(self):
        """Anybody can sign up on another website with the address."""
        self._create_accounts_on_two_websites()
        self._delete_own_account(self.customer.user_ids)
        self.assertEqual(len(self._get_users("jane@example.com")), 1)
        self.assertFalse(self._remind(30))

    def test_offer_of_the_very_order_ends_with_the_decline(self):
        self.company.portal_account_policy = "ask"
        website = self.env["website"].get_current_website()
        order = self._confirm(website_id=website.id)
        order._accept_portal_account()
        user = self.customer.user_ids
        with freeze_time(fields.Datetime.now() + timedelta(seconds=2)):
            self.env["res.users"]._decline_portal_account(
                user.login, self.customer, order
            )
        self.env.invalidate_all()
        order._accept_portal_account()
        self.assertFalse(self.customer.user_ids)

    def test_second_decline_ends_the_offer_too(self):
        declines = self.env["portal.decline"]
        with freeze_time("2020-01-01"):
            declines._remember(self.customer.email, self.customer)
        self.test_offer_of_the_very_order_ends_with_the_decline()
        self.assertEqual(len(declines.search([])), 1)

    def _allow(self, page):
        [form] = page.xpath("//div[contains(@class, 'o_portal_decline')]//form")
        return self._get_page(form.get("action"), data=dict(form.form_values()))

    def test_customer_takes_it_back_with_the_same_email(self):
        self._confirm()
        link = self._get_decline_link()
        self._decline(self._get_page(link))
        self.authenticate(None, None)
        page = self._get_page(link)
        self.assertEqual(self._get_heading(page), "Your account has been deleted")
        self.assertNoAccount(self._confirm(), "declined")
        orders = self.customer.sale_order_ids.filtered("portal_account_issue")
        self.assertEqual(len(orders), 2)
        page = self._allow(page)
        self.assertFalse(any(orders.mapped("portal_account_issue")))
        self.assertEqual(self._get_heading(page), "You can have an account again")
        self.assertIn("next order", page.text_content())
        self.assertFalse(page.xpath("//div[@id='wrap']//form"))
        self.assertTrue(self._confirm().user_created)

    def test_any_spelling_of_the_login_takes_it_back(self):
        self._confirm()
        self.customer.user_ids.login = "Jane@Example.com"
        self.customer.user_ids.portal_invitation_ids._resend()
        link = self._get_decline_link()
        self._decline(self._get_page(link))
        self._allow(self._get_page(link))
        self.assertFalse(self.env["portal.decline"].search([]))

    def test_erased_decline_is_on_no_order_any_more(self):
        """Staff have corrected the address since, and a module protects an order."""
        order = self._confirm()
        self._decline(self._get_page(self._get_decline_link()))
        self.assertEqual(order.portal_account_issue, "declined")
        self.customer.email = "jane@example.org"
        declines = self.env["portal.decline"].search([])
        with (
            patch.object(type(order), "write", side_effect=UserError("protected")),
            mute_logger("odoo.addons.sales_confirm_user_create"),
            self.env.cr.savepoint() as savepoint,
        ):
            declines.unlink()
            savepoint.rollback()
        declines.unlink()
        self.assertFalse(order.portal_account_issue)

    def test_opening_the_link_takes_nothing_back(self):
        self._confirm()
        link = self._get_decline_link()
        self._decline(self._get_page(link))
        self._get_page(link)
        self._get_page("/web/portal/decline?action=allow&login=jane@example.com")
        form = {"login": "jane@example.com", "action": "allow"}
        self._get_page("/web/portal/decline", data=form)
        self.assertNoAccount(
            self._confirm(self._create_customer("Guest", "jane@example.com")),
            "declined",
        )

    def test_stranger_takes_nothing_back(self):
        self._decline_account()
        self.authenticate(None, None)
        form = {
            "login": "jane@example.com",
            "action": "allow",
            "csrf_token": http.Request.csrf_token(self),
        }
        page = self._get_page("/web/portal/decline", data=form)
        self.assertEqual(self._get_heading(page), "Open the link in our email again")
        self.assertTrue(self.customer.portal_decline_date)

    def test_signing_up_alone_takes_nothing_back(self):
        self.test_customers_sign_up_on_their_own()
        self.assertTrue(self.customer.portal_decline_date)
        guest = self._create_customer("Guest", "jane@example.com")
        self.assertEqual(self._confirm(guest).portal_account_issue, "other_contact")

    def test_link_of_an_account_that_was_cleaned_up_still_says_no(self):
        self._confirm()
        link = self._get_decline_link()
        self.customer.user_ids._delete_unused()
        page = self._decline(self._get_page(link))
        self.assertEqual(self._get_heading(page), "Your account has been deleted")
        self.assertNoAccount(
            self._confirm(self._create_customer("Guest", "jane@example.com")),
            "declined",
        )

    def test_link_to_a_mistyped_address_leaves_the_corrected_account(self):
        self._confirm()
        link = self._get_decline_link()
        self.customer.email = "right@example.com"
        self._decline(self._get_page(link))
        self.assertEqual(self.customer.user_ids.login, "right@example.com")
        self.assertFalse(self.customer.portal_decline_date)

    def test_offer_that_anybody_clicks_is_not_followed_by_reminders(self):
        self._decline_account()
        self.company.portal_account_policy = "ask"
        website = self.env["website"].get_current_website()
        order = self._confirm(website_id=website.id)
        order._accept_portal_account()
        self.assertEqual(len(self._send_invitations()), 1)
        self.assertFalse(self._remind(30))

    def test_question_names_the_decline_and_its_date(self):
        with freeze_time("2030-05-06"):
            order = self._decline_account()
        question = self._create_on_purpose(order)
        self.assertIn("jane@example.com", question)
        self.assertIn("05/06/2030", question)
        self.assertTrue(self.customer.user_ids)

    def test_question_is_asked_on_the_contact(self):
        self._decline_account()
        self._create_on_purpose(self.customer)
        self.assertTrue(self.customer.user_ids)

    def test_no_question_without_a_decline(self):
        self.company.portal_account_policy = "never"
        order = self._confirm()
        action = order.with_user(self.salesperson).action_create_portal_account()
        self.assertEqual(action["tag"], "display_notification")
        self.assertTrue(self.customer.user_ids)

    def test_question_that_is_not_confirmed_creates_nothing(self):
        order = self._decline_account()
        order.with_user(self.salesperson).action_create_portal_account()
        self.assertFalse(self.customer.user_ids)
        self.assertTrue(self.customer.portal_decline_date)

    def test_question_is_for_salespeople_who_may_edit_the_order(self):
        order = self._decline_account()
        employee = new_test_user(self.env, "employee", "base.group_user")
        with self.assertRaises(AccessError):
            self.env["portal.account.question"].with_user(employee).create(
                {"operation": "create", "order_ids": order.ids}
            )
        own = new_test_user(self.env, "own", "sales_team.group_sale_salesman")
        order.user_id = self.salesperson
        asked = self.env["portal.account.question"].create(
            {"operation": "create", "order_ids": order.ids}
        )
        asked.invalidate_recordset()
        with self.assertRaises(AccessError):
            asked.with_user(own).action_confirm()
        self.assertFalse(self.customer.user_ids, "the question is somebody else's")

    def test_notes_have_the_right_author(self):
        order = self._confirm()
        odoobot = self.env.ref("base.partner_root")
        self.assertEqual(self._get_note(order).author_id, odoobot)
        self._decline(self._get_page(self._get_decline_link()))
        note = self._get_note(order)
        self.assertIn("declined", note.body)
        self.assertEqual(note.author_id, self.customer)
        self._create_on_purpose(order)
        note = self._get_note(order)
        self.assertIn("created", note.body)
        self.assertEqual(note.author_id, self.salesperson.partner_id)

    def test_context_from_outside_overrides_no_decline(self):
        self._decline_account()
        self.company.portal_company_contacts = "none"
        acme = self._create_customer("Acme", "acme@example.com", is_company=True)
        member = self._create_customer("M", "m@example.com", parent_id=acme.id)
        for value in (True, 1, "Trusted", {}, [1]):
            for partner, issue in (
                (self.customer, "declined"),
                (member, "company_contact"),
            ):
                order = self._create_order(partner)
                order.with_context(
                    sales_confirm_user_create_on_purpose=value
                ).action_confirm()
                self.assertEqual(order.portal_account_issue, issue)

    def test_link_activates_nothing(self):
        self._confirm()
        link = self._get_decline_link()
        page = self._get_page(link.replace("decline", "activate"))
        self.assertEqual(self._get_heading(page), "This link does not work")
        self._get_page(link)
        page = self._get_page("/web/portal/activate")
        self.assertEqual(self._get_heading(page), "Open the link in our email again")

    def test_activation_link_declines_nothing(self):
        self._confirm()
        [mail] = self._send_invitations()
        link = self._get_link(mail)
        self._get_page(link)
        page = self._get_page("/web/portal/decline")
        self.assertEqual(self._get_heading(page), "Open the link in our email again")
        page = self._get_page(link.replace("activate", "decline"))
        self.assertEqual(self._get_heading(page), "This link does not work")

    def test_cookie_ends_with_the_decline(self):
        self._confirm()
        page = self._get_page(self._get_decline_link())
        self.assertIn("portal_decline", self.opener.cookies)
        page = self._decline(page)
        self.assertNotIn("portal_decline", self.opener.cookies)
        self.assertIn("open the link in the email again", page.text_content())
        self.assertNotIn("jane@example.com", page.text_content())

    def test_files_and_other_nonsense_are_a_clear_page(self):
        self.authenticate(None, None)
        csrf_token = http.Request.csrf_token(self)
        url = "/web/portal/decline"
        for name in ("token", "login", "action"):
            with self.subTest(name):
                page = self._get_page(
                    url, data={"csrf_token": csrf_token}, files={name: ("a", b"b")}
                )
                self.assertIn("link", self._get_heading(page))
        for token in ("ü", "%00", "😀" * 5000, "%ff%fe", "A" * 7000):
            with self.subTest(token[:5]):
                page = self._get_page(f"{url}?token={token}")
                self.assertEqual(self._get_heading(page), "This link does not work")
