import contextlib
import logging
from datetime import timedelta

from babel.units import format_unit

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools.misc import babel_locale_parse, get_lang
from odoo.tools.translate import LazyTranslate

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from .ir_mail_server import SharedConnections, is_server_unreachable, is_temporary
from .portal_invitation import NEW_ORDER, PAST_ORDER, REMINDER

_logger = logging.getLogger(__name__)
# for errors that become notes, in the language of those who read them
_lt = LazyTranslate(__name__)

# Odoo runs the whole request again after these: they have to propagate.
RETRIED_EXCEPTIONS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
# An email that fails is tried again after 5, 10, 20... minutes, then daily.
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
MAX_DOUBLINGS = 10
REMINDER_BATCH = 500


class PortalInvitation(models.Model):
    """The jobs that send invitations and reminders."""

    _inherit = "portal.invitation"

    @api.model
    def _cron_remind(self):
        """Remind customers who did not activate their account, by company.

        Who is reminded is written in the transaction that makes the reminders due, so
        that no crash repeats one.
        """
        IrCron = self.env["ir.cron"]
        for company in self.env["res.company"].search([]):
            domain = company._get_portal_reminder_domain()
            while invitations := self.search(domain, limit=REMINDER_BATCH, order="id"):
                by_count = invitations.grouped("reminder_count")
                for count, same_count in by_count.items():
                    same_count._make_due(priority=REMINDER, reminder_count=count + 1)
                if not IrCron._commit_progress(len(invitations), remaining=1):
                    return
        IrCron._commit_progress(remaining=0)

    @api.model
    def _cron_send(self):
        """Send the emails that are due, each in a transaction of its own."""
        IrCron = self.env["ir.cron"]
        left_alone = self.browse()
        with contextlib.closing(SharedConnections()) as connections:
            jobs = self.with_context(sales_confirm_user_create_connections=connections)
            while invitation := jobs._get_next_due(left_alone):
                if not invitation._try_to_send():
                    left_alone += invitation
                if not IrCron._commit_progress(1):
                    # Otherwise the cron sleeps for up to a minute.
                    self._trigger()
                    IrCron._commit_progress(remaining=1)
                    break

    @api.model
    def _get_next_due(self, left_alone):
        """Return the invitation to send next, new orders first.

        :param left_alone: invitations that this run cannot send
        """
        now = fields.Datetime.now()
        waiting = self.env["res.company"].search(
            [("portal_invitation_retry_date", ">", now)]
        )
        domain = [
            ("due_date", "<=", now),
            ("company_id", "not in", waiting.ids),
            ("id", "not in", left_alone.ids),
        ]
        return self.search(domain, order="priority desc, due_date, id", limit=1)

    def _try_to_send(self):
        """Send the email that is due; what goes wrong is no reason to stop the job.

        :return: whether something about the invitation was decided; if not, the job
            runs again in minutes
        """
        try:
            with self.env.cr.savepoint():
                if locked := self.try_lock_for_update(allow_referencing=True):
                    locked._send_or_cancel()
                    return True
        except RETRIED_EXCEPTIONS:
            _logger.info("Portal invitation %s is in use", self.id)
        except Exception as error:
            _logger.exception("Portal invitation %s is not sent", self.id)
            if self._try_to_postpone(error):
                return True
        # What failed may have been the transaction: go on in a new one.
        self.env["ir.cron"]._commit_progress()
        self._trigger(fields.Datetime.now() + FIRST_RETRY)
        return False

    def _send_or_cancel(self):
        """Send the email unless something has happened since it became due.

        :raise UserError: the email cannot be sent
        :raise MailDeliveryException: the mail server does not accept the email
        """
        user, order = self.user_id, self.order_id
        is_reminder = self.priority == REMINDER
        if not self.due_date or self.due_date > fields.Datetime.now():
            return
        if user.log_ids:
            self.due_date = False
        elif not user.active or not user._is_portal():
            self._cancel("access")
        elif self.priority in (NEW_ORDER, PAST_ORDER) and order.state == "cancel":
            self._cancel("order")
        elif is_reminder and self.company_id.portal_account_policy == "never":
            self.due_date = False
        elif is_reminder and user._get_invitation_address_issue():
            self._cancel("address")
        else:
            self._send()

    def _send(self):
        """Send the email; once sent it is deleted, so that nobody reads the link."""
        self.ensure_one()
        if issue := self.user_id._get_invitation_address_issue():
            raise UserError(issue)
        template = self._get_mail_template()
        now = fields.Datetime.now()
        hours = self._get_validity_hours()
        self.write(
            {
                "due_date": False,
                "sent_date": now,
                "expiry_date": now + timedelta(hours=hours),
                "sent_count": self.sent_count + 1,
                "failure_count": 0,
                "failure": False,
            }
        )
        # The link is in the context, and not a method that the template calls: those
        # who read or edit templates must not get at it.
        mail_id = template.with_context(
            sales_confirm_user_create_url=self._get_link(),
            sales_confirm_user_create_validity=self._format_hours(hours),
        ).send_mail(
            self.id,
            email_values={
                "email_to": self.login,
                "email_cc": False,
                "recipient_ids": [],
                "scheduled_date": False,
                "auto_delete": False,
                "message_type": "user_notification",
            },
        )
        mail = self.env["mail.mail"].browse(mail_id)
        if mail.email_from == self.env.user.email_formatted:
            # Odoo's last resort, which is OdooBot.
            if not self.email_from:
                raise UserError(_lt("Set an email address on the company."))
            mail.email_from = self.email_from
        # A conflict in the database shows before the email is out, not after.
        self.env.flush_all()
        mail.send(raise_exception=True)
        if mail.state != "sent":
            raise MailDeliveryException(mail.failure_reason or mail.state)
        mail.unlink()
        _logger.info("Portal invitation %s sent", self.id)

    def _get_mail_template(self):
        """Return the mail template of the next email.

        :raise UserError: it was deleted
        """
        name = "reminder" if self.priority == REMINDER else "invitation"
        template = self.env.ref(
            f"sales_confirm_user_create.mail_template_portal_{name}",
            raise_if_not_found=False,
        )
        if not template:
            raise UserError(
                _lt("The mail template is missing. Upgrade the app to get it back.")
            )
        return template

    def _try_to_postpone(self, error):
        """Have an email tried again later, and say so on the order if somebody has to
        do something about it.

        :param error: the exception that kept it from being sent
        :return: whether it is postponed
        """
        # What failed may have been the transaction: go on in a new one.
        self.env["ir.cron"]._commit_progress()
        is_known = bool(self.failure)
        try:
            with self.env.cr.savepoint():
                self._postpone(error)
            if not (is_known or is_server_unreachable(error) or is_temporary(error)):
                with self.env.cr.savepoint():
                    self.order_id._note_invitation_failure(self, error)
        except RETRIED_EXCEPTIONS:
            return False
        except Exception:
            _logger.exception("Portal invitation %s: no note about the failure", self.id)
        return self.due_date and self.due_date > fields.Datetime.now()

    def _postpone(self, error):
        """Move the date of the next attempt.

        Where the mail server answers nobody, or nobody for now, all emails of the
        company wait, and only the one that was tried is written.
        """
        now = fields.Datetime.now()
        delay = min(
            FIRST_RETRY * 2 ** min(self.failure_count, MAX_DOUBLINGS), LAST_RETRY
        )
        if is_server_unreachable(error):
            delay = FIRST_RETRY
        else:
            self.write(
                {
                    "failure": self.env["sale.order"]._get_error_summary(error),
                    "failure_count": self.failure_count + 1,
                }
            )
        self.due_date = now + delay
        self._trigger(now + delay)
        if is_server_unreachable(error) or is_temporary(error):
            self.company_id.portal_invitation_retry_date = now + FIRST_RETRY
            self._trigger(now + FIRST_RETRY)

    def _get_validity_hours(self):
        """Return how long a link works, in hours."""
        get_param = self.env["ir.config_parameter"].sudo().get_param
        return int(get_param("auth_signup.signup.validity.hours", 144))

    def _format_hours(self, hours):
        """Return a time as text for the customer, in days from two days on."""
        return format_unit(
            *((hours, "hour") if hours < 48 else (hours // 24, "day")),
            locale=babel_locale_parse(get_lang(self.env, self.user_id.lang).code),
        )
