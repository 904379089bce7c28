import contextlib
import logging
from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ...tools import RETRIED_EXCEPTIONS, insert_links, new_placeholder
from ..invitation.portal_invitation import NEW_ORDER, PAST_ORDER, REMINDER
from .ir_mail_server import (
    SharedConnections,
    is_about_recipient,
    is_server_unreachable,
    is_temporary,
)

_logger = logging.getLogger(__name__)
# for errors that become notes, in the language of those who read them
_lt = LazyTranslate(__name__)

# An email that fails is tried again after 5, 10, 20... minutes, then daily.
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
MAX_DOUBLINGS = 10
REMINDER_BATCH = 500
RENDER_BATCH = 20
RENDERED_FIELDS = (
    "attachment_ids",
    "body_html",
    "email_from",
    "mail_server_id",
    "reply_to",
    "subject",
)


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
        for company in self.env["res.company"].search(
            [("portal_reminder_max", ">", 0)]
        ):
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
            while invitations := jobs._get_next_due(left_alone):
                emails = invitations._try_to_prepare_emails()
                mails = self.env["mail.mail"]
                for invitation in invitations:
                    mail = invitation._try_to_send(emails)
                    time_left = IrCron._commit_progress(1)
                    if mail is None:
                        left_alone += invitation
                    else:
                        mails += mail
                    if not time_left or invitation._is_company_waiting():
                        break
                # Together, as that takes a third of the time of sending one.
                mails.exists().unlink()
                if not time_left:
                    # Without it, the cron sleeps for up to a minute. For a remaining
                    # count, it runs the job nine times more, for an email each.
                    self._trigger()
                    break
                IrCron._commit_progress()
        IrCron._commit_progress(remaining=0)

    def _is_company_waiting(self):
        """Return whether the sender waits for its mail server."""
        retry = self.company_id.portal_invitation_retry_date
        return bool(retry and retry > fields.Datetime.now())

    @api.autovacuum
    def _gc_sent_mails(self):
        """Remove the empty emails that a crash of the job has left behind."""
        domain = [("model", "=", self._name), ("state", "=", "sent")]
        self.env["mail.mail"].search(domain).unlink()

    @api.model
    def _get_next_due(self, left_alone):
        """Return the invitations to send next, new orders first.

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
        invitations = self.search(
            domain, order="priority desc, due_date, id", limit=RENDER_BATCH
        )
        # Where the mail server gave no answer lately, one email asks again.
        is_doubtful = invitations[:1].company_id.portal_invitation_retry_date
        return invitations[:1] if is_doubtful else invitations

    def _try_to_prepare_emails(self):
        """Return what ``_prepare_emails`` does, or nothing if one of them fails."""
        try:
            with self.env.cr.savepoint():
                return self._prepare_emails()
        except Exception:
            _logger.info("Each of these emails is rendered alone", exc_info=True)
            return {}

    def _prepare_emails(self):
        """Return what these invitations say: what they share is read once.

        :return: dict of ids, logins and revisions to expiry dates, links and values of
            ``mail.mail``; an email that is not in it is rendered when it is sent
        """
        emails = {}
        expiry = fields.Datetime.now() + timedelta(hours=self._get_validity_hours())
        for is_reminder, invitations in self.grouped(
            lambda invitation: invitation.priority == REMINDER
        ).items():
            url, decline_url = new_placeholder(), new_placeholder()
            template = self._get_mail_template(is_reminder).with_context(
                sales_confirm_user_create_url=url,
                sales_confirm_user_create_decline_url=decline_url,
            )
            values = template._generate_template(invitations.ids, RENDERED_FIELDS)
            for invitation in invitations:
                key = invitation.id, invitation.login, invitation.revision
                links = {
                    url: invitation._get_link(expiry),
                    decline_url: invitation._get_decline_link(),
                }
                emails[key] = expiry, links, values[invitation.id]
        return emails

    def _try_to_send(self, emails):
        """Send the email that is due; what goes wrong is no reason to stop the job.

        :param emails: what ``_prepare_emails`` returned
        :return: the sent ``mail.mail``, empty; None if something went wrong
        """
        try:
            with self.env.cr.savepoint():
                if locked := self.try_lock_for_update(allow_referencing=True):
                    return locked._send_or_cancel(emails) or self.env["mail.mail"]
        except RETRIED_EXCEPTIONS:
            _logger.info("Portal invitation %s is in use", self.id)
        except Exception as error:
            _logger.exception("Portal invitation %s is not sent", self.id)
            if self._try_to_postpone(error):
                return None
        # What failed may have been the transaction: go on in a new one.
        self.env["ir.cron"]._commit_progress()
        self._trigger(fields.Datetime.now() + FIRST_RETRY)
        return None

    def _send_or_cancel(self, emails):
        """Send the email unless something has happened since it became due.

        :param emails: what ``_prepare_emails`` returned
        :return: the ``mail.mail`` if it is sent
        :raise UserError: the email cannot be sent
        :raise MailDeliveryException: the mail server does not accept the email
        """
        user, order = self.user_id, self.order_id
        is_reminder = self.priority == REMINDER
        if not self.due_date or self.due_date > fields.Datetime.now():
            return None
        if user.log_ids:
            self.due_date = False
        elif not user.active or not user._is_portal():
            self._cancel("access")
        elif self.priority in (NEW_ORDER, PAST_ORDER) and order.state == "cancel":
            self._hold_back()
        elif is_reminder and (
            self.company_id.portal_account_policy == "never" or self._is_declined()
        ):
            self.due_date = False
        elif is_reminder and user._get_invitation_address_issue():
            self._cancel("address")
        else:
            return self._send(emails)
        return None

    def _send(self, emails):
        """Send the email, and empty it, so that nobody reads the link.

        :param emails: what ``_prepare_emails`` returned
        :return: the ``mail.mail``
        """
        self.ensure_one()
        if issue := self.user_id._get_invitation_address_issue():
            raise UserError(issue)
        key = self.id, self.login, self.revision
        expiry, links, values = emails.get(key) or self._prepare_emails()[key]
        self.write(
            {
                "due_date": False,
                "sent_date": fields.Datetime.now(),
                "expiry_date": expiry,
                "sent_count": self.sent_count + 1,
                "failure_count": 0,
                "failure": False,
            }
        )
        # Odoo's last resort is the user who runs the job, which is OdooBot.
        if values["email_from"] in ("", False, self.env.user.email_formatted):
            values = values | {"email_from": self.email_from}
        if not values["email_from"]:
            raise UserError(_lt("Set an email address on the company."))
        body = insert_links(values["body_html"], links)
        mail = self.env["mail.mail"].create(
            {
                **values,
                "attachment_ids": [Command.set(values["attachment_ids"])],
                "body": body,
                "body_html": body,
                "email_to": self.partner_id._get_portal_address(),
                "message_type": "user_notification",
                "model": self._name,
                "res_id": self.id,
            }
        )
        if self.company_id.portal_invitation_retry_date:
            self.company_id.portal_invitation_retry_date = False
        # A conflict in the database shows before the email is out, not after.
        self.env.flush_all()
        mail.send(raise_exception=True)
        if mail.state != "sent":
            raise MailDeliveryException(mail.failure_reason or mail.state)
        mail.write({"body": False, "body_html": False})
        _logger.info("Portal invitation %s sent", self.id)
        return mail

    @api.model
    def _get_mail_template(self, is_reminder):
        """Return the mail template of invitations, or of reminders.

        :raise UserError: it was deleted
        """
        name = "reminder" if is_reminder else "invitation"
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
        known = self.failure
        try:
            with self.env.cr.savepoint():
                self._postpone(error)
            if self.failure and not known:
                with self.env.cr.savepoint():
                    self.order_id._note_invitation_failure(self, error)
        except RETRIED_EXCEPTIONS:
            return False
        except Exception:
            _logger.exception(
                "Portal invitation %s: no note about the failure", self.id
            )
        return self.due_date and self.due_date > fields.Datetime.now()

    def _postpone(self, error):
        """Move the date of the next attempt.

        Where the mail server answers nobody, or nobody for now, all emails of the
        company wait, and only the one that was tried is written. An address that it
        refuses for now keeps nobody else waiting: visitors can order with any.
        """
        now = fields.Datetime.now()
        delay = FIRST_RETRY
        if not is_server_unreachable(error):
            doublings = min(self.failure_count, MAX_DOUBLINGS)
            delay = min(FIRST_RETRY * 2**doublings, LAST_RETRY)
            self.failure_count += 1
        # The second refusal is about this email, and not about all of them.
        is_passing = is_temporary(error) and self.failure_count < 2
        if is_server_unreachable(error) or (
            is_passing and not is_about_recipient(error)
        ):
            self.company_id.portal_invitation_retry_date = now + FIRST_RETRY
            self._trigger(now + FIRST_RETRY)
        elif not is_passing:
            self.failure = self.env["sale.order"]._get_error_summary(error)
        self.due_date = now + delay
        self._trigger(now + delay)
