import logging
from collections import defaultdict

from psycopg2.errors import UniqueViolation

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, html2plaintext
from odoo.tools.translate import LazyGettext

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from .res_users import RETRIED_EXCEPTIONS

_logger = logging.getLogger(__name__)

# More than so many are counted, and not listed, in what a salesperson reads.
MAX_ADDRESSES = 10


class SaleOrder(models.Model):
    _inherit = "sale.order"

    user_created = fields.Boolean(
        copy=False,
        readonly=True,
        help="The confirmation of this order created the customer's portal account.",
    )

    portal_account_state = fields.Selection(
        related="partner_id.portal_account_state",
        groups="base.group_user",
    )
    portal_account_date = fields.Datetime(
        related="partner_id.portal_account_date",
        groups="base.group_user",
    )

    @api.model
    def _has_field_access(self, field, operation):
        """Extend so that only the confirmation itself marks an order."""
        if field.name == "user_created" and operation == "write" and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    def action_confirm(self):
        """Extend to give the customers of the orders a portal account."""
        res = super().action_confirm()
        self._ensure_portal_accounts(only_by_settings=True)
        return res

    def action_resend_portal_invitation(self):
        """Invite the customers again whose account was never activated.

        For salespeople. The older links are dead once the new one is sent.

        :return: an action that shows whom the invitation goes to, and for each of the
            others why it does not
        :raise AccessError: when the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        # sudo: a salesperson may have the own orders' customers invited, and neither
        # reads nor writes users by it
        invited, reasons = self.sudo()._resend_portal_invitations()
        return self._notify_portal_invitations(invited, reasons)

    def action_create_portal_account(self):
        """Create the accounts that are missing, by the rules of the confirmation.

        For salespeople, after what kept the confirmation from it is mended. For many
        orders there is ``portal.account.batch``.

        :return: an action that shows whom the invitation goes to, and for each of the
            others why it does not
        :raise AccessError: when the user is no salesperson or may not edit the orders
        """
        self._check_portal_account_access()
        due = self.filtered(
            lambda order: order.state == "sale" and order.portal_account_state == "none"
        )
        reasons = due._ensure_portal_accounts() | dict.fromkeys(
            self - due,
            self.env._("the order is not confirmed, or its customer has an account"),
        )
        invited = due.filtered(lambda order: order not in reasons)
        return self._notify_portal_invitations(invited, reasons)

    def _check_portal_account_access(self):
        """Check that the user may have the customers of these orders invited.

        :raise AccessError: the user is no salesperson, or may not edit the orders
        """
        self.check_access("write")
        if not (
            self.env.su or self.env.user.has_group("sales_team.group_sale_salesman")
        ):
            raise AccessError(
                self.env._("Only salespeople may invite customers to the portal.")
            )

    def action_open_portal_user(self):
        """Open the user of the customer, for who may; see ``res.partner``."""
        self.ensure_one()
        return self.partner_id.action_open_portal_user()

    # === Accounts for customers === #

    def _filter_portal_account_orders(self):
        """Return the orders whose customers are to have an account, by the settings.

        To be extended for rules of one's own. It is run as superuser, and what it
        raises is noted on the orders.
        """
        return self.filtered(
            lambda order: (
                order.state == "sale"
                and (
                    order.company_id.portal_account_policy == "all"
                    or (
                        order.company_id.portal_account_policy == "website"
                        and order.website_id
                    )
                )
            )
        )

    def _ensure_portal_accounts(self, only_by_settings=False):
        """Find or create the account of each customer; the sale never fails for it.

        What goes wrong is logged, and noted on the orders.

        :param only_by_settings: leave out the orders that the settings leave out
        :return: dict of the orders without an account to the reason, as text
        """
        if not self:
            return {}
        # sudo: whoever confirms, a visitor of the shop included, may neither read nor
        # create users, mark the order, nor start the scheduled action
        orders = self.sudo()
        # What goes wrong in what the sale has yet to write is for the sale to tell.
        self.env.cr.flush()
        try:
            with self.env.cr.savepoint():
                due = orders
                if only_by_settings:
                    due = orders._filter_portal_account_orders()
                return due._create_missing_portal_accounts()
        except RETRIED_EXCEPTIONS:
            raise
        except Exception as error:
            _logger.exception("No portal accounts for orders %s", orders.ids)
            return orders._try_log_portal_account_error(error)

    def _create_missing_portal_accounts(self):
        """Create an account for each customer who has none, all in one batch.

        :return: dict of the orders without an account to the reason, as text
        """
        if not self:
            return {}
        users_by_customer = self._find_customer_users()
        self._allow_order_company(users_by_customer)
        due, reasons = self._split_orders_without_account(users_by_customer)
        created, errors = due._create_portal_users()
        reasons |= {
            order: order._get_portal_account_error(error)
            for order, error in errors.items()
        }
        self._log_portal_account_notes(
            self._filter_new_notes(reasons)
            | {order: order._get_portal_account_created() for order in created}
        )
        if created:
            created.user_created = True
            self.env["res.users"]._trigger_portal_invitations()
        return reasons

    # === Who has an account === #

    def _find_customer_users(self):
        """Find the users of the orders' customers, archived users included.

        :return: dict of contacts' ids to lists of ``CustomerUser``
        """
        return self.env["res.users"]._find_customer_users(
            SQL(
                "SELECT id, email_normalized FROM res_partner WHERE id IN %s",
                tuple(self.partner_id.ids) or (0,),
            )
        )

    def _filter_customer_users(self, users_by_customer):
        """Return the users that count as the account of this order's customer.

        A user of the contact does, whatever the login. A user with the address does
        where the customer can log in with it.

        :param users_by_customer: what ``_find_customer_users`` returned
        :return: list of ``CustomerUser``
        """
        self.ensure_one()
        partner = self.partner_id
        return [
            user
            for user in users_by_customer.get(partner.id, ())
            if user.partner_id == partner.id or self._can_log_in_with(user.website_id)
        ]

    def _can_log_in_with(self, website_id):
        """Tell whether an account of a website, or of none, serves for this order."""
        website = self.website_id or self.partner_id.website_id
        return not website or website_id in (None, website.id)

    def _has_customer_user(self):
        """Tell whether the customer of this order has a user, or had one."""
        # sudo: a visitor may not read users, and learns nothing but this
        order = self.sudo()
        partner = order.partner_id
        users_by_customer = order._find_customer_users()
        if not users_by_customer[partner.id]:
            # The link to sign up asks for the contact's users next: there are none.
            partner._fields["user_ids"]._insert_cache(partner, [()])
        return bool(order._filter_customer_users(users_by_customer))

    def _get_portal_account_website(self):
        """Return the website the account is for, or none where accounts are shared."""
        return (
            self.website_id.filtered("specific_user_account")
            or self.partner_id.website_id
        )

    def _split_orders_without_account(self, users_by_customer):
        """Sort out the orders whose customer has no account.

        :param users_by_customer: what ``_find_customer_users`` returned
        :return: the first order of each customer to get an account, and a dict of the
            orders whose customer can't have one to the reason
        """
        due, reasons = self.browse(), {}
        customers_due, websites_by_address = set(), defaultdict(list)
        for order in self.sorted("id"):
            partner = order.partner_id
            users = order._filter_customer_users(users_by_customer)
            active_user_partner_ids = {user.partner_id for user in users if user.active}
            if partner in customers_due or partner.id in active_user_partner_ids:
                continue
            websites = websites_by_address[partner.email_normalized]
            if active_user_partner_ids or any(map(order._can_log_in_with, websites)):
                reasons[order] = order._get_other_portal_account_note()
                continue
            if reason := order._get_no_portal_account_reason(users):
                reasons[order] = reason
                continue
            due += order
            customers_due.add(partner)
            websites.append(order._get_portal_account_website().id or None)
        return due, reasons

    def _get_other_portal_account_note(self):
        """Return the note on an order whose customer's address has a user already."""
        return self._with_note_lang().env._(
            "No new portal account: another contact with the address %s has a user.",
            self.partner_id.email_normalized,
        )

    def _get_no_portal_account_reason(self, users):
        """Return why the customer can't have an account, as text, or False.

        :param users: the archived users of the customer, list of ``CustomerUser``
        """
        env = self._with_note_lang().env
        partner = self.partner_id
        if env["res.users"].browse(user.id for user in users)._has_system_user():
            return env._("No portal account: this contact is used by Odoo itself.")
        if users:
            return env._(
                "No portal account: the customer's user is archived. Unarchive it to "
                "give access again."
            )
        if not partner.active:
            return env._("No portal account: the customer's contact is archived.")
        if not (partner.email or "").strip():
            return env._("No portal account: the customer has no email address.")
        if not partner.email_normalized:
            return env._(
                "No portal account: “%s” is not a valid email address.", partner.email
            )
        return False

    # === Creating accounts === #

    def _create_portal_users(self):
        """Create one portal user for the customer of each order.

        :return: the orders whose account was created, and a dict of the other orders to
            the exception
        """
        if not self:
            return self, {}
        users = self.env["res.users"]
        try:
            template_values = users._prepare_portal_user_template_values()
        except (UserError, ValueError, SyntaxError) as error:
            _logger.exception("No portal accounts for orders %s", self.ids)
            return self.browse(), dict.fromkeys(self, error)
        # Sorted, so that two batches with the same customers don't lock each other out.
        return self.sorted(
            lambda order: order.partner_id.email_normalized
        )._create_portal_users_from(template_values)

    def _create_portal_users_from(self, template_values):
        """Create the users in one batch; where that fails, in halves."""
        try:
            with self.env.cr.savepoint():
                self.env["res.users"]._create_portal_users(
                    [
                        template_values | order._prepare_portal_user_values()
                        for order in self
                    ]
                )
            return self, {}
        except RETRIED_EXCEPTIONS:
            raise
        except Exception as error:
            if len(self) == 1:
                if self._is_login_taken(error):
                    _logger.info("The address of order %s has a user by now", self.id)
                else:
                    _logger.exception("No portal account for order %s", self.id)
                return self.browse(), {self: error}
        middle = len(self) // 2
        created, errors = self[:middle]._create_portal_users_from(template_values)
        more_created, more_errors = self[middle:]._create_portal_users_from(
            template_values
        )
        return created + more_created, errors | more_errors

    def _prepare_portal_user_values(self):
        """Return the values of a user beside those of the template user."""
        self.ensure_one()
        # Odoo moves a contact that has a company into that of its user.
        company = self.partner_id.company_id or self.company_id
        values = {
            "active": True,
            "login": self.partner_id.email_normalized,
            "partner_id": self.partner_id.id,
            "company_id": company.id,
            "company_ids": [Command.set((company | self.company_id).ids)],
            "portal_invitation_order_id": self.id,
            "portal_invitation_due": fields.Datetime.now(),
        }
        if website := self._get_portal_account_website():
            values["website_id"] = website.id
        return values

    @api.model
    def _is_login_taken(self, error):
        """Tell whether another transaction has just created a user with the login.

        Whose user it is can't be seen yet: the customer's own, or another contact's.
        """
        return isinstance(
            error, UniqueViolation
        ) and error.diag.constraint_name.startswith("res_users_login")

    def _allow_order_company(self, users_by_customer):
        """Let the customers' portal users see the company they buy from."""
        user_ids_by_company = defaultdict(set)
        for order in self:
            company, partner = order.company_id, order.partner_id
            user_ids_by_company[company] |= {
                user.id
                for user in users_by_customer.get(partner.id, ())
                if user.partner_id == partner.id
                and user.active
                and user.share
                and company.id not in user.company_ids
            }
        for company, user_ids in user_ids_by_company.items():
            if user_ids:
                self.env["res.users"].browse(user_ids)._link_company(company)

    # === What the salesperson reads === #

    def _with_note_lang(self):
        """Return the order in the language of those who read its notes."""
        self.ensure_one()
        lang = self.user_id.lang or self.company_id.partner_id.lang
        return self.with_context(lang=lang or self.env.lang)

    def _get_portal_account_created(self):
        """Return the note on an order that created an account."""
        return self._with_note_lang().env._(
            "Portal account %s created for the customer; the invitation is on its way.",
            self.partner_id.email_normalized,
        )

    def _get_portal_account_error(self, error):
        """Return the note on an order whose account could not be created."""
        order = self._with_note_lang()
        if self._is_login_taken(error):
            return order.env._(
                "No new portal account: one for the address %s was created at the same "
                "moment.",
                self.partner_id.email_normalized,
            )
        return order.env._("No portal account: %s", order._get_error_summary(error))

    def _get_error_summary(self, error):
        """Return what a salesperson may read of an error: its first line, or a hint."""
        if isinstance(error, UserError | MailDeliveryException) and error.args:
            texts = [
                self.env._(arg) if isinstance(arg, LazyGettext) else str(arg)
                for arg in error.args
                if arg
            ]
            # what Odoo says of a template that is broken goes on with a traceback
            if lines := [text.splitlines()[0] for text in texts if text.strip()]:
                return ". ".join(lines)
        return self.env._("an error came up that your administrator finds in the log.")

    def _log_portal_account_notes(self, notes):
        """Log one internal note on each of some orders, in one batch.

        :param notes: dict of orders to text, which is escaped
        """
        if notes:
            self.browse([order.id for order in notes])._message_log_batch(
                bodies={order.id: body for order, body in notes.items()},
                author_id=self.env["res.users"]._get_note_author_id(),
            )

    @api.model
    def _filter_new_notes(self, notes):
        """Return the notes that their orders don't have yet: one that can't have an
        account may be confirmed, or tried, again.

        :param notes: dict of orders to text
        """
        if not notes:
            return notes
        messages = self.env["mail.message"].search_fetch(
            [
                ("model", "=", self._name),
                ("res_id", "in", [order.id for order in notes]),
                ("author_id", "=", self.env["res.users"]._get_note_author_id()),
            ],
            ["res_id", "body"],
        )
        # HTML keeps neither double spaces nor those at the end
        known = {
            (message.res_id, *html2plaintext(message.body).split())
            for message in messages
        }
        return {
            order: note
            for order, note in notes.items()
            if (order.id, *note.split()) not in known
        }

    def _try_log_portal_account_error(self, error):
        """Note on the orders that there are no accounts, if at least that works.

        :return: dict of the orders to the note
        """
        notes = dict.fromkeys(self, "")
        try:
            with self.env.cr.savepoint():
                for order in self:
                    notes[order] = order._get_portal_account_error(error)
                self._log_portal_account_notes(self._filter_new_notes(notes))
        except RETRIED_EXCEPTIONS:
            raise
        except Exception:
            _logger.exception(
                "No note about the portal accounts on orders %s", self.ids
            )
        return notes

    # === Inviting again === #

    def _resend_portal_invitations(self):
        """Make the invitations of the customers due again.

        :return: the orders whose customer is invited, and a dict of the others to the
            reason, as text
        """
        reasons = {}
        users = self.env["res.users"]
        for order in self:
            user = order.partner_id.portal_user_id
            if reason := user._get_no_portal_invitation_reason():
                reasons[order] = reason
            else:
                users |= user
        users._make_portal_invitation_due()
        return self.filtered(lambda order: order not in reasons), reasons

    def _notify_portal_invitations(self, invited, reasons):
        """Return the action that tells what became of the invitations.

        :param invited: the orders whose customers are invited
        :param reasons: dict of the other orders to the reason, as text
        """
        orders_by_reason = defaultdict(list)
        for order, reason in reasons.items():
            orders_by_reason[reason].append(order.name)
        lines = [
            self.env._(
                "%(names)s: %(reason)s.",
                names=", ".join(names),
                reason=reason.rstrip("."),
            )
            for reason, names in orders_by_reason.items()
        ]
        if invited:
            lines.insert(0, invited._get_portal_invitation_recipients())
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Portal invitation"),
                "message": " ".join(lines),
                "type": "warning" if reasons else "success",
                "sticky": bool(reasons),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _get_portal_invitation_recipients(self):
        """Return whom the invitations go to: the addresses, or how many of them."""
        addresses = set(self.partner_id.mapped("email_normalized")) - {False}
        if len(addresses) > MAX_ADDRESSES:
            return self.env._("On its way to %s customers.", len(addresses))
        return self.env._("On its way to %s.", ", ".join(sorted(addresses)))

    def _prepare_portal_account_batch_values(self):
        """Return the values of a batch for these orders: whom it would concern."""
        due, reasons = self._split_orders_without_account(self._find_customer_users())
        refused = self.browse([order.id for order in reasons]).partner_id
        refused -= due.partner_id  # refused on one website, due on another
        unusable = refused.filtered(lambda partner: not partner.email_normalized)
        return {
            "order_ids": [Command.set(self.ids)],
            "order_count": len(self),
            "missing_count": len(due),
            "existing_count": len(self.partner_id - due.partner_id - refused),
            "unusable_count": len(unusable),
            "other_count": len(refused - unusable),
        }
