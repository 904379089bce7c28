from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.orm.registry import Registry
from odoo.tests import Form, new_test_user, tagged

from ..models.account import res_users as account
from .common import CRON, PortalAccountCommon


@tagged("post_install", "-at_install")
class TestConfirm(PortalAccountCommon):
    def test_confirmation_creates_portal_user_bound_to_customer(self):
        order = self._create_order()
        order.action_confirm()
        user = self.customer.user_ids
        self.assertEqual(user.login, "jane@example.com")
        self.assertEqual(user.group_ids, self.env.ref("base.group_portal"))
        self.assertTrue(user.active)
        self.assertTrue(user.share)
        self.assertEqual(user.company_id, order.company_id)
        self.assertEqual(user.company_ids, order.company_id)
        self.assertTrue(order.user_created)
        self.assertEqual(user.portal_invitation_ids.order_id, order)
        self.assertEqual(user.portal_invitation_ids.company_id, order.company_id)

    def test_confirmation_sends_nothing_and_notes_the_access_once(self):
        """The scheduled action sends what Odoo would send for each new user."""
        order = self._create_order(user_id=self.salesperson.id)
        with self.mock_mail_gateway():
            # by the context of Odoo's tests, nothing would be mailed or noted anyway
            env = self.env(user=self.salesperson, context={})
            order.with_env(env).action_confirm()
            self.env.flush_all()
        self.assertFalse(self._mails)
        [note] = self.customer.message_ids.filtered(
            lambda message: "Portal Access Granted" in message.body
        )
        self.assertEqual(
            (note + order.message_ids[0]).author_id, self.env.ref("base.partner_root")
        )

    def test_note_is_in_the_language_of_the_salesperson_or_the_company(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        partners = self.env["res.partner"].create(
            [{"name": name, "email": f"{name}@example.com"} for name in "abc"]
        )
        english, french, company_french = self._create_orders(partners)
        self.salesperson.lang = "fr_FR"
        (french + english).user_id = self.salesperson
        french.action_confirm()
        self.salesperson.lang = "en_US"
        self.company.partner_id.lang = "fr_FR"
        company_french.user_id = False
        (english + company_french).action_confirm()
        self.assertIn("created for", english.message_ids[0].body)
        for order in french + company_french:
            self.assertIn("portail créé", order.message_ids[0].body)

    def test_note_is_not_in_the_language_of_the_confirming_user(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.config_parameter"].set_param("base.template_portal_user_id", "0")
        self.salesperson.lang = "fr_FR"
        order = self._create_order(user_id=self.salesperson.id)
        with self._mute_odoo():
            order.with_context(lang="en_US").action_confirm()
        note = order.message_ids[0].body
        self.assertIn("Pas de compte portail", note)

    def test_confirming_again_notes_nothing_again(self):
        self.customer.email = "no “address” "
        order = self._create_order()
        for _time in range(2):
            order.action_confirm()
            order._action_cancel()
            order.action_draft()
        order.action_confirm()
        self.assertNoAccount(order, "is not valid")
        self.customer.email = False
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(len(self._get_notes(order)), 2, "another reason is news")

    def test_user_takes_over_what_the_template_user_has(self):
        template = self.env.ref("base.template_portal_user_id")
        template.tz = "Asia/Tokyo"
        template.signature = "<p>Yours</p>"
        group = self.env["res.groups"].create({"name": "Good customers"})
        template.group_ids += group
        self.customer.tz = "Europe/Brussels"
        self._create_order().action_confirm()
        user = self.customer.user_ids
        self.assertIn(group, user.group_ids)
        self.assertIn("Yours", user.signature)
        self.assertEqual(
            user.tz, "Europe/Brussels", "the contact is the customer's own"
        )

    def test_user_takes_over_nothing_else(self):
        template = self.env.ref("base.template_portal_user_id")
        self._record_login(template)
        template.portal_login_revision = 7
        values = self.env["res.users"]._prepare_portal_user_template_values()
        self.assertNotIn("portal_login_revision", values)
        self.assertLessEqual(set(values), {*account.TEMPLATE_FIELDS})

    def test_user_has_language_of_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        self._create_order().action_confirm()
        self.assertEqual(self.customer.user_ids.lang, "fr_FR")

    def test_user_is_in_company_of_order(self):
        company = self.env["res.company"].create({"name": "Second company"})
        order = self._create_order(company_id=company.id, order_line=False)
        order.action_confirm()
        self.assertEqual(self.customer.user_ids.company_ids, company)
        self.assertEqual(self.customer.user_ids.company_id, company)

    def test_customer_of_a_company_stays_there_when_a_branch_sells(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id, "email": "b@example.com"}
        )
        self.customer.company_id = self.company
        self._create_order(company_id=branch.id, order_line=False).action_confirm()
        user = self.customer.user_ids
        self.assertEqual(self.customer.company_id, self.company)
        self.assertEqual(user.company_ids, self.company + branch)
        [mail] = self._send_invitations()
        self.assertEqual(mail["email_from"], branch.email_formatted)
        self.assertEqual(self._get_invitation().company_id, branch)
        self._create_order().action_confirm()

    def test_customer_is_the_order_partner_and_no_other_contact(self):
        invoicing = self._create_customer("Accounting", "accounting@example.com")
        delivery = self._create_customer("Warehouse", "warehouse@example.com")
        self._create_order(
            partner_invoice_id=invoicing.id, partner_shipping_id=delivery.id
        ).action_confirm()
        self.assertTrue(self.customer.user_ids)
        self.assertFalse((invoicing + delivery).user_ids)

    def test_salesperson_without_rights_on_users_confirms(self):
        order = self._create_order(user_id=self.salesperson.id)
        order.with_user(self.salesperson).action_confirm()
        self.assertTrue(order.with_user(self.salesperson).user_created)
        self.assertTrue(self.customer.user_ids)

    def test_visitor_confirms(self):
        # what the website does after a payment: the public user as superuser
        order = self._create_order()
        order.with_user(self.env.ref("base.public_user")).sudo().action_confirm()
        self.assertTrue(order.user_created)

    def test_ten_orders_at_once(self):
        partners = self.env["res.partner"].create(
            [
                {"name": f"Customer {i}", "email": f"customer{i}@example.com"}
                for i in range(10)
            ]
        )
        orders = self._create_orders(partners)
        orders.action_confirm()
        self.assertTrue(all(orders.mapped("user_created")))
        self.assertEqual(
            partners.user_ids.mapped("login"),
            [f"customer{i}@example.com" for i in range(10)],
        )

    def test_customer_with_account_gets_nothing(self):
        user = new_test_user(
            self.env,
            "jane@example.com",
            "base.group_portal",
            partner_id=self.customer.id,
        )
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertEqual(self.customer.user_ids, user)
        self.assertFalse(user.portal_invitation_ids)
        self.assertFalse(self._get_notes(order))
        self.assertFalse(self._send_invitations())

    def test_guest_with_known_address_gets_nothing(self):
        self._create_order().action_confirm()
        self._send_invitations()
        guest = self._create_customer("Jane again", "jane@example.com")
        order = self._create_order(guest)
        order.action_confirm()
        self.assertFalse(order.user_created)
        self.assertFalse(guest.user_ids)
        self.assertNoAccount(order, "Another contact")
        self.assertFalse(self._send_invitations())

    def test_creation_drops_no_cached_data(self):
        self._create_order(
            self._create_customer("Warm", "warm@example.com")
        ).action_confirm()
        order = self._create_order()
        with patch.object(Registry, "clear_cache") as clear_cache:
            order.action_confirm()
            self.env.flush_all()
        self.assertTrue(order.user_created)
        clear_cache.assert_not_called()

    def test_users_keep_their_notification_type(self):
        group = self.env.ref("mail.group_mail_notification_type_inbox")
        user = new_test_user(
            self.env, "inbox", "base.group_user", notification_type="inbox"
        )
        self.assertIn(group, user.group_ids)
        user.notification_type = "email"
        self.assertNotIn(group, user.group_ids)

    def test_contact_keeps_what_it_has(self):
        definition = self.env[
            "properties.base.definition"
        ]._get_definition_for_property_field("res.partner", "properties")
        definition.properties_definition = [
            {"name": "color", "string": "Colour", "type": "char"}
        ]
        self.customer.write(
            {
                "function": "Buyer",
                "comment": "Good",
                "ref": "C-1",
                "properties": {"color": "red"},
            }
        )
        names = [
            name
            for name, field in self.customer._fields.items()
            if field.store
            and not field.type.endswith("2many")
            and (not field.compute or name == "properties")
            and name not in ("write_date", "write_uid")
        ]
        before = self.customer.read(names)
        self._create_order().action_confirm()
        self.env.invalidate_all()
        self.assertEqual(self.customer.read(names), before)
        self.assertEqual(self.customer.properties["color"], "red")

    def test_second_confirmation_keeps_account_and_flag(self):
        order = self._create_order()
        order.action_confirm()
        self.assertEqual(len(self._send_invitations()), 1)
        order._action_cancel()
        order.action_draft()
        self.assertTrue(order.user_created)
        order.action_confirm()
        self.assertTrue(order.user_created)
        self.assertEqual(len(self._get_users("jane@example.com")), 1)
        self.assertFalse(self._send_invitations())

    def test_copy_of_order_is_not_marked(self):
        order = self._create_order()
        order.action_confirm()
        self.assertFalse(order.copy().user_created)

    def test_confirmation_returns_what_it_returns_without_the_addon(self):
        order = self._create_order()
        self.assertIs(order.action_confirm(), True)
        self.assertEqual(order.state, "sale")

    def test_order_that_the_settings_leave_out_runs_no_rule_of_other_modules(self):
        rule = patch.object(
            self.env.registry["sale.order"],
            "_filter_portal_account_orders",
            side_effect=UserError("Not <now>"),
        )
        self.company.portal_account_policy = "never"
        order = self._create_order()
        with rule as run:
            order.action_confirm()
        run.assert_not_called()
        self.assertFalse(order.portal_account_issue)

    def test_order_that_the_settings_leave_out_posts_changes_once(self):
        """A flush in the middle of a transaction would post what changed until then."""
        self.company.portal_account_policy = "never"
        order = self._create_order()
        self.env.flush_all()
        order = order.with_context(tracking_disable=False, mail_notrack=False)
        self.cr.precommit.run()
        order.action_confirm()
        order.user_id = self.salesperson
        self.env.flush_all()
        self.cr.precommit.run()
        changes = order.message_ids.tracking_value_ids.grouped("mail_message_id")
        self.assertEqual(len(changes), 1)

    def test_scheduled_action_is_triggered_in_the_same_transaction(self):
        with self.capture_triggers(CRON) as capture:
            self._create_order().action_confirm()
        self.assertEqual(len(capture.records), 1)

    def test_one_note_on_the_order_says_who_was_invited(self):
        order = self._create_order()
        order.action_confirm()
        [note] = self._get_notes(order)
        self.assertIn("created for the customer", note)
        self.assertNotIn("jane@example.com", note, "who forgets a person forgets all")
        messages = order.message_ids.filtered(
            lambda message: "portal" in message.body.lower()
        )
        self.assertTrue(all(messages.mapped("is_internal")))

    def test_order_form_shows_user_created(self):
        order = self._create_order()
        order.action_confirm()
        form = Form(order.with_user(self.salesperson))
        self.assertTrue(form.user_created)
        with self.assertRaises(AssertionError):
            form.user_created = False
        [(value, count)] = self.env["sale.order"]._read_group(
            [("id", "=", order.id)], ["user_created"], ["__count"]
        )
        self.assertEqual((value, count), (True, 1))
