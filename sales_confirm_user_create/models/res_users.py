import logging
from ast import literal_eval
from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from babel.units import format_unit

from odoo import Command, api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, email_normalize, reset_cached_properties, urls
from odoo.tools.misc import babel_locale_parse, get_lang
from odoo.tools.translate import LazyTranslate

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

_logger = logging.getLogger(__name__)
# for errors that become notes, in the language of those who read them
_lt = LazyTranslate(__name__)

# Odoo runs the whole request again after these: they have to travel on.
RETRIED_EXCEPTIONS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


class CustomerUser(NamedTuple):
    """What a confirmation needs to know of a user that a customer may have."""

    id: int
    partner_id: int
    website_id: int | None
    active: bool
    share: bool
    company_ids: list[int]


# What is due for one account is tried again after 5, 10, 20... minutes, then daily.
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
MAX_DOUBLINGS = 10
REMINDER_BATCH = 500


class ResUsers(models.Model):
    _inherit = "res.users"

    portal_invitation_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="Invited for Order",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_erp_manager",
        help="The order whose confirmation created this account.",
    )
    portal_invitation_due = fields.Datetime(
        string="Invitation Due",
        copy=False,
        readonly=True,
        index="btree_not_null",
        groups="base.group_erp_manager",
        help="When to send the invitation. Empty: none is due.",
    )
    portal_invitation_date = fields.Datetime(
        string="Invited On",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
        help="When the mail server took the latest invitation.",
    )
    portal_invitation_count = fields.Integer(
        string="Invitations Sent",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
    )
    portal_reminder_count = fields.Integer(
        string="Reminders Sent",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
    )
    portal_activation_date = fields.Datetime(
        string="Activated On",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
        help="When a portal user logged in for the first time. Odoo itself keeps the "
        "latest login only.",
    )
    portal_invitation_failures = fields.Integer(
        string="Failed Attempts",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
        help="How often the invitation that is due could not be sent.",
    )

    # `website` checks in Python that a login is not used twice without a website, and
    # two transactions do not see each other there. The database does.
    _login_without_website_uniq = models.UniqueIndex(
        "(login) WHERE website_id IS NULL",
        "Another user has this login. Choose a different one.",
    )
    _login_normalized_idx = models.Index("(lower(btrim(login)))")

    # === Who has an account === #

    @api.model
    def _find_customer_users(self, customers):
        """Find the users of customers in one query, archived users included.

        A user is found by its contact, by its login and by its contact's address.

        :param customers: SQL of a query for contacts' ids and normalised addresses
        :return: dict of contacts' ids to lists of ``CustomerUser``, oldest first
        """
        self.flush_model(
            ["login", "partner_id", "website_id", "active", "share", "company_ids"]
        )
        self.env["res.partner"].flush_model(["email_normalized"])
        users_by_customer = defaultdict(list)
        # A domain would join the three ways with OR, and scan both tables. LATERAL has
        # each customer looked up by index, also where PostgreSQL expects no gain of it.
        for customer_id, *values in self.env.execute_query(
            SQL(
                """
                WITH customer(id, address) AS (%(customers)s)
                SELECT customer.id, found.*,
                       ARRAY(
                            SELECT cid FROM res_company_users_rel
                             WHERE user_id = found.id
                       )
                  FROM customer
                  JOIN LATERAL (
                        SELECT %(columns)s
                          FROM res_users users
                         WHERE users.partner_id = customer.id
                         UNION
                        SELECT %(columns)s
                          FROM res_users users
                         WHERE lower(btrim(users.login)) = customer.address
                         UNION
                        SELECT %(columns)s
                          FROM res_partner contact
                          JOIN res_users users ON users.partner_id = contact.id
                         WHERE contact.email_normalized = customer.address
                  ) found ON TRUE
                 ORDER BY found.id
                """,
                customers=customers,
                columns=SQL(
                    "users.id, users.partner_id, users.website_id, users.active, "
                    "users.share"
                ),
            )
        ):
            users_by_customer[customer_id].append(CustomerUser(*values))
        return users_by_customer

    @api.model
    def _signup_create_user(self, values):
        """Extend ``auth_signup``: no second account for an address that has one."""
        address = email_normalize(values.get("login") or "") or ""
        website = self.env["website"].get_current_website()
        # sudo: a visitor may not read users, and learns only that the address is taken
        [users] = self.sudo()._find_customer_users(
            SQL("SELECT 0, %s", address)
        ).values() or [()]
        if any(user.website_id in (None, website.id) for user in users):
            raise UserError(
                self.env._(
                    "There is an account for this address already. Follow the link in "
                    "the invitation we sent you, or reset your password."
                )
            )
        return super()._signup_create_user(values)

    def _link_company(self, company):
        """Let the users see a company, without writing on the users themselves.

        ``write`` sets who wrote and when, and would wait for an invitation that is just
        being handed to a slow mail server. What else it does for companies is done
        here, but for the group of those who switch between companies in the backend.
        """
        self._fields["company_ids"].write(self, [Command.link(company.id)])
        self.modified(["company_ids"])
        for env in list(self.env.transaction.envs):
            if env.user in self:
                reset_cached_properties(env)
        self.env.registry.clear_cache()

    def _has_system_user(self):
        """Tell whether Odoo's own users, or a website's visitor, are among these."""
        return any(user._is_superuser() or user._is_public() for user in self)

    # === Creating accounts === #

    @api.model
    def _prepare_create_values(self, vals_list):
        """Extend for two fields that a new user shares with its contact.

        The website is written with the login, and not after it, or the database would
        take the login for one without a website. The custom fields of a customer are
        left alone: Odoo takes them for the new user's and writes empty ones.
        """
        vals_list = super()._prepare_create_values(vals_list)
        shared = [
            vals
            for vals in vals_list
            if vals.get("partner_id") and "website_id" not in vals
        ]
        partners = self.env["res.partner"].browse(vals["partner_id"] for vals in shared)
        for vals, partner in zip(shared, partners, strict=True):
            if partner.website_id:
                vals["website_id"] = partner.website_id.id
        if self.env.context.get("create_portal_account"):
            for vals in vals_list:
                vals.pop("properties", None)
        return vals_list

    def _inverse_notification_type(self):
        """Extend ``mail`` not to take a group from new accounts that lack it anyway.

        Portal users are notified by mail alone. That write of ``group_ids`` changes
        nothing for them, but drops cached data of all workers.
        """
        if self.env.context.get("create_portal_account"):
            return None
        return super()._inverse_notification_type()

    @api.model
    def _prepare_portal_user_template_values(self):
        """Return what all new portal users have in common: the portal template user.

        :raise UserError: when the template user is missing, or is not a portal user
        :raise ValueError: when the parameter that names it is no number
        :raise SyntaxError: the same
        """
        template = self.browse(
            literal_eval(
                self.env["ir.config_parameter"]
                .sudo()  # sudo: who confirms may not read parameters
                .get_param("base.template_portal_user_id", "False")
            )
        ).exists()
        if not template or not template._is_portal():
            raise UserError(
                _lt(
                    "The template for new portal users is missing or has other rights "
                    "than the portal's."
                )
            )
        # What is named here is not read from the template: each user has its own.
        [values] = template.copy_data(
            dict.fromkeys(("partner_id", "login", "company_id", "company_ids"), False)
        )
        return values

    @api.model
    def _create_portal_users(self, vals_list):
        """Create portal users without Odoo's own invitation.

        :param vals_list: list of values, those of the template user included
        :return: the users
        """
        users = self.with_context(
            create_portal_account=True,
            no_reset_password=True,
            # `mail` would post the note about the access contact by contact
            mail_create_nolog=True,
        ).create(vals_list)
        users.partner_id._message_log_batch(
            bodies={
                user.partner_id.id: user._get_portal_access_update_body(True)
                for user in users
            },
            author_id=self._get_note_author_id(),
        )
        return users

    def _update_last_login(self):
        """Extend to keep when a portal user came for the first time."""
        # sudo: the user who logs in may not write this
        user = self.sudo()
        if user.share and not user.portal_activation_date and not user.login_date:
            user.portal_activation_date = fields.Datetime.now()
        return super()._update_last_login()

    @api.model
    def _get_note_author_id(self):
        """Return the id of OdooBot's contact, who signs the notes about accounts."""
        return self.env["ir.model.data"]._xmlid_to_res_id("base.partner_root")

    # === Invitations === #

    @api.model
    def _get_portal_invitation_due_domain(self):
        """Return the domain of the accounts whose invitation is to be sent now."""
        return [
            ("portal_invitation_due", "<=", fields.Datetime.now()),
            ("active", "=", True),
            ("share", "=", True),
            ("log_ids", "=", False),
        ]

    @api.model
    def _trigger_portal_invitations(self, at=None):
        """Have the scheduled action send what is due.

        :param at: datetime in UTC; None for right after the commit
        """
        # sudo: whoever confirms an order may cause its invitation to be sent
        self.env.ref(
            "sales_confirm_user_create.ir_cron_portal_invitation"
        ).sudo()._trigger(at)

    @api.model
    def _cron_send_portal_invitations(self):
        """Send the invitations that are due, and commit after each.

        What fails stays due. Where a company's mail server does not answer, its other
        accounts wait for minutes, without counting that against any of them, and those
        of other companies go first.
        """
        domain = self._get_portal_invitation_due_domain()
        users = self.search(domain, order="portal_invitation_due, id")
        IrCron = self.env["ir.cron"]
        IrCron._commit_progress(remaining=len(users))
        waiting_ids = set()
        for user in users:
            if user.id in waiting_ids:
                continue
            processed = 1
            try:
                with self.env.cr.savepoint():
                    user._send_portal_invitation_if_due(domain)
            except RETRIED_EXCEPTIONS:
                IrCron._commit_progress()
                user._retry_portal_invitation()
            except Exception as error:
                _logger.exception(
                    "The portal invitation of user %s is not sent", user.id
                )
                # What failed may have been the transaction: note it in a new one.
                IrCron._commit_progress()
                waiting = users._postpone_portal_invitations(user, error, domain)
                waiting_ids.update(waiting.ids)
                processed = len(waiting)
            if not IrCron._commit_progress(processed):
                break

    def _send_portal_invitation_if_due(self, domain):
        """Send the account its invitation if it is still due, and nobody is at it.

        Each is sent in a transaction of its own, so that it may have changed meanwhile.

        :param domain: of the accounts whose invitation is due
        """
        locked = self.try_lock_for_update(allow_referencing=True)
        if not locked:
            self._retry_portal_invitation()
        elif due := locked.filtered_domain(domain):
            due._send_portal_invitation()

    def _retry_portal_invitation(self):
        """Have the job look again in minutes; somebody else is at the account, which
        is nobody's fault."""
        _logger.info("The account of user %s is in use", self.id)
        self._trigger_portal_invitations(fields.Datetime.now() + FIRST_RETRY)

    def _postpone_portal_invitations(self, user, error, domain):
        """Postpone the invitation of an account, or all that wait for its mail server.

        :param user: the account that is not invited
        :param error: the exception that kept its invitation from being sent
        :param domain: of the accounts whose invitation is due
        :return: the accounts that wait
        """
        try:
            with self.env.cr.savepoint():
                if user._is_mail_server_unreachable(error):
                    return self._await_mail_server(user, domain)
                user._postpone_portal_invitation(error)
        except RETRIED_EXCEPTIONS:
            user._retry_portal_invitation()
        return user

    def _await_mail_server(self, user, domain):
        """Postpone what is due of these accounts from the company of one of them.

        :param user: the account for which the mail server did not answer
        :param domain: of the accounts whose invitation is due
        :return: the accounts that wait
        """
        company = user._get_portal_invitation_company()
        of_company = self.filtered(
            lambda other: other._get_portal_invitation_company() == company
        )
        locked = of_company.try_lock_for_update(allow_referencing=True)
        waiting = locked.filtered_domain(domain)
        due = fields.Datetime.now() + FIRST_RETRY
        waiting.portal_invitation_due = due
        self._trigger_portal_invitations(due)
        return waiting

    def _send_portal_invitation(self):
        """Send the account its invitation; its older activation links are dead then.

        :raise UserError: when the mail template is missing, or the link would not be
            about this account
        :raise MailDeliveryException: when the mail server does not take the mail
        """
        self.ensure_one()
        template = self.env.ref(
            "sales_confirm_user_create.mail_template_portal_invitation",
            raise_if_not_found=False,
        )
        if not template:
            raise UserError(
                _lt(
                    "The mail template “Portal account invitation” is missing. "
                    "Upgrade the app to get it back."
                )
            )
        address = self._get_portal_invitation_address()
        if not address:
            raise UserError(_lt("the login of the account is not an email address"))
        if self.partner_id.user_ids != self:
            raise UserError(_lt("the customer's contact has several users"))
        self.write(
            {
                "portal_invitation_due": False,
                "portal_invitation_date": fields.Datetime.now(),
                "portal_invitation_count": self.portal_invitation_count + 1,
                "portal_invitation_failures": 0,
            }
        )
        # No field that is tracked is written.
        self.partner_id.with_context(tracking_disable=True).signup_prepare()
        # The link is in the context, and not a method that the template calls: who may
        # read or edit templates must not get at the link. Once sent, the mail is
        # deleted in the same transaction: nobody ever reads it in the database.
        mail = self.env["mail.mail"].browse(
            template.with_context(
                portal_invitation_url=self._get_portal_invitation_url(),
                portal_invitation_validity=self._get_portal_invitation_validity(),
                portal_invitation_is_reminder=bool(self.portal_reminder_count),
            ).send_mail(
                self.id,
                email_values={
                    "email_to": address,
                    "email_cc": False,
                    "recipient_ids": [],
                    "scheduled_date": False,
                    "auto_delete": True,
                    "message_type": "user_notification",
                },
            )
        )
        # A conflict in the database shows before the mail is out, not after.
        self.env.flush_all()
        mail.send(raise_exception=True)
        # A sent mail is deleted; one without a valid recipient is no error for Odoo.
        if mail.exists() and mail.state != "sent":
            raise MailDeliveryException(mail.failure_reason or mail.state)
        _logger.info("Portal invitation sent to user %s", self.id)

    def _get_portal_invitation_company(self):
        """Return the company the invitation is from, as in the mail template."""
        self.ensure_one()
        return self.portal_invitation_order_id.company_id or self.company_id

    def _get_portal_invitation_address(self):
        """Return the normalised address the invitation goes to, or False.

        That is the login, and not the contact's address of today: who may edit a
        contact must not get at the link by it.
        """
        self.ensure_one()
        return email_normalize(self.login)

    def _get_no_portal_invitation_reason(self):
        """Return why the account can't be invited again, as text, or False."""
        if not self:
            return self.env._("the customer has no account")
        self.ensure_one()
        if not self.active:
            return self.env._("the account is archived")
        if not self._is_portal():
            return self.env._("the customer is not a portal user")
        if self.log_ids:
            return self.env._("the account is activated already")
        # `auth_signup` gives a link to a contact, which activates its first user.
        if self.partner_id.user_ids != self:
            return self.env._("the customer's contact has several users")
        if not self._get_portal_invitation_address():
            return self.env._("the login of the account is not an email address")
        if self.email_normalized != self._get_portal_invitation_address():
            return self.env._(
                "the contact's address and the account's login differ; an "
                "administrator can change the login"
            )
        return False

    def _make_portal_invitation_due(self, **values):
        """Have the accounts invited, whatever was sent to them before.

        :param values: more to write on the accounts
        """
        if self:
            self.write(
                {
                    "portal_invitation_due": fields.Datetime.now(),
                    "portal_invitation_failures": 0,
                    **values,
                }
            )
            self._trigger_portal_invitations()

    @api.model
    def _cron_remind_portal_invitations(self):
        """Have the customers reminded who did not activate their account, by company.

        Which accounts are reminded is written in the transaction that makes the
        reminders due, so that no crash repeats one.
        """
        IrCron = self.env["ir.cron"]
        companies = self.env["res.company"].search([("portal_reminder_max", ">", 0)])
        domains = [company._get_portal_reminder_domain() for company in companies]
        remaining = self.search_count(Domain.OR(domains))
        for domain in domains:
            while users := self.search(domain, limit=REMINDER_BATCH, order="id"):
                for count, same_count in users.grouped("portal_reminder_count").items():
                    same_count._make_portal_invitation_due(
                        portal_reminder_count=count + 1
                    )
                remaining = max(remaining - len(users), 0)
                if not IrCron._commit_progress(len(users), remaining=remaining):
                    return

    def _get_portal_invitation_url(self):
        """Return the activation link, on the website of the account or the order."""
        self.ensure_one()
        partner = self.partner_id.with_context(relative_url=True)
        record = self if self.website_id else self.portal_invitation_order_id or partner
        return urls.urljoin(
            record.get_base_url(),
            partner._get_signup_url_for_action(url="/my/orders")[partner.id],
        )

    def _get_portal_invitation_validity(self):
        """Return how long the activation link is valid, as text for the customer.

        In whole days, or in hours where it is less than two days.
        """
        self.ensure_one()
        hours = int(
            self.env["ir.config_parameter"].get_param(
                "auth_signup.signup.validity.hours", 144
            )
        )
        return format_unit(
            *((hours, "hour") if hours < 48 else (hours // 24, "day")),
            locale=babel_locale_parse(get_lang(self.env, self.lang).code),
        )

    @api.model
    def _is_mail_server_unreachable(self, error):
        """Tell whether no mail server answered, as ``mail.mail.send`` says it."""
        return (
            isinstance(error, MailDeliveryException)
            and len(error.args) == 2
            and isinstance(error.args[1], Exception)
        )

    def _postpone_portal_invitation(self, error):
        """Try the invitation again later, and say so on the order the first time.

        :param error: the exception that kept it from being sent
        """
        self.ensure_one()
        first = not self.portal_invitation_failures
        due = fields.Datetime.now() + min(
            FIRST_RETRY * 2 ** min(self.portal_invitation_failures, MAX_DOUBLINGS),
            LAST_RETRY,
        )
        self.write(
            {
                "portal_invitation_due": due,
                "portal_invitation_failures": self.portal_invitation_failures + 1,
            }
        )
        self._trigger_portal_invitations(due)
        if first and self.portal_invitation_order_id:
            order = self.portal_invitation_order_id._with_note_lang()
            note = order.env._(
                "The portal invitation for %(login)s could not be sent and will be "
                "tried again: %(error)s",
                login=self.login,
                error=order._get_error_summary(error),
            )
            order._log_portal_account_notes({order: note})
