import contextlib
import logging
from datetime import timedelta
from operator import methodcaller

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ...tools import RETRIED_EXCEPTIONS, insert_links, new_placeholder
from ..invitation.portal_invitation import REMINDER
from .smtp import ServerUnreachable, Sessions, classify

_logger = logging.getLogger(__name__)
# for errors that become notes, in the language of those who read them
_lt = LazyTranslate(__name__)

# An email that fails is tried again after 5, 10, 20... minutes, then daily.
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
MODULE = "sales_confirm_user_create"
REMINDER_BATCH = 500
RENDER_BATCH = 20
RENDERED_FIELDS = (
    "attachment_ids",
    "body_html",
    "email_from",
    "lang",
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
        self._review_held()
        failed, time_left = self.browse(), True
        with contextlib.closing(Sessions()) as sessions:
            while time_left and (invitations := self._get_next_due(failed)):
                mails, emails = self.env["mail.mail"], {}
                # If one of them fails, each is rendered alone.
                with contextlib.suppress(Exception), self.env.cr.savepoint():
                    emails = invitations._render()
                for invitation in invitations:
                    mail = invitation._try_to_send(emails, sessions)
                    if mail is None:
                        failed += invitation
                    else:
                        mails += mail
                    time_left = IrCron._commit_progress(1)
                    # Where the mail server gives no answer, the company waits.
                    if (
                        not time_left
                        or invitation.company_id.portal_invitation_retry_date
                    ):
                        break
                # Together, as that takes a third of the time of sending one.
                mails.exists().unlink()
                if not time_left:
                    # Without it, the cron sleeps for up to a minute. For a remaining
                    # count, it runs the job nine times more, for an email each.
                    self._trigger()
                IrCron._commit_progress()
        IrCron._commit_progress(remaining=0)

    @api.autovacuum
    def _gc_sent_mails(self):
        """Remove the empty emails that a crash of the job has left behind."""
        domain = [("model", "=", self._name), ("state", "=", "sent")]
        self.env["mail.mail"].search(domain).unlink()

    @api.model
    def _get_next_due(self, failed):
        """Return the invitations to send next, new orders first.

        :param failed: invitations that this run cannot send
        """
        now = fields.Datetime.now()
        waiting = self.env["res.company"].search(
            [("portal_invitation_retry_date", ">", now)]
        )
        domain = [
            ("due_date", "<=", now),
            ("company_id", "not in", waiting.ids),
            ("id", "not in", failed.ids),
        ]
        invitations = self.search(
            domain, order="priority desc, due_date, id", limit=RENDER_BATCH
        )
        # Where the mail server gave no answer lately, one email asks again.
        is_doubtful = invitations[:1].company_id.portal_invitation_retry_date
        return invitations[:1] if is_doubtful else invitations

    def _render(self):
        """Render the emails together, which takes 40 % less time for each.

        :return: dict of ids, logins and revisions to expiry dates and values of
            ``mail.mail``
        :raise UserError: the mail template was deleted
        """
        emails = {}
        expiry = fields.Datetime.now() + timedelta(hours=self._get_validity_hours())
        url, decline_url = new_placeholder(), new_placeholder()
        records = self.with_context(
            sales_confirm_user_create_url=url,
            sales_confirm_user_create_decline_url=decline_url,
        )
        by_xmlids = records.grouped(methodcaller("_get_mail_xmlids"))
        for (template_xmlid, layout_xmlid), invitations in by_xmlids.items():
            template = records.env.ref(template_xmlid, raise_if_not_found=False)
            if not template:
                raise UserError(
                    _lt("The mail template is missing. Upgrade the app to get it back.")
                )
            rendered = template._generate_template(invitations.ids, RENDERED_FIELDS)
            for invitation in invitations:
                values = rendered[invitation.id]
                lang = values.pop("lang") or self.env.lang
                body = template.with_context(lang=lang)._render_encapsulate(
                    layout_xmlid,
                    values["body_html"],
                    add_context={
                        "company": invitation.company_id,
                        "model_description": "",
                    },
                    context_record=invitation.with_context(lang=lang),
                )
                links = {
                    url: invitation._get_link(expiry),
                    decline_url: invitation._get_decline_link(),
                }
                values["body"] = values["body_html"] = insert_links(body, links)
                key = invitation.id, invitation.login, invitation.revision
                emails[key] = expiry, values
        return emails

    def _try_to_send(self, emails, sessions):
        """Send the email that is due; what goes wrong is no reason to stop the job.

        :param emails: what ``_render`` returned
        :param sessions: the ``Sessions`` of this run
        :return: the sent ``mail.mail``, empty; none if it is not wanted any more; None
            if something went wrong
        """
        try:
            with self.env.cr.savepoint():
                if locked := self.try_lock_for_update(allow_referencing=True):
                    mail = locked._send_or_cancel(emails, sessions)
                    return self.env["mail.mail"] if mail is None else mail
        except RETRIED_EXCEPTIONS:
            _logger.info("Portal invitation %s is in use", self.id)
        except Exception as error:
            _logger.exception("Portal invitation %s is not sent", self.id)
            self._try_to_postpone(error)
        self._trigger(fields.Datetime.now() + FIRST_RETRY)
        return None

    def _send_or_cancel(self, emails, sessions):
        """Send the email unless something has happened since it became due.

        :return: the ``mail.mail`` if it is sent
        """
        user = self.user_id
        issue = user._get_invitation_address_issue()
        is_reminder = self.priority == REMINDER
        is_unwanted = is_reminder and (
            self.company_id.portal_account_policy == "never" or self._is_declined()
        )
        if not self.due_date or self.due_date > fields.Datetime.now():
            pass  # another run has sent it
        elif user.portal_activation_date:
            self.due_date = False
        elif not user.active or not user._is_portal():
            self._cancel("access")
        elif not self._is_about_order():
            self._hold_back()
        elif is_unwanted:
            self.due_date = False
        elif is_reminder and issue:
            self._cancel("address")
        elif issue:
            raise UserError(issue)
        elif self._is_over_limit():
            self._hold()
        else:
            return self._send(emails, sessions)
        return None

    def _send(self, emails, sessions):
        """Send the email, and empty it, so that nobody reads the link."""
        key = self.id, self.login, self.revision
        expiry, values = emails.get(key) or self._render()[key]
        self.write(
            {
                "due_date": False,
                "sent_date": fields.Datetime.now(),
                "expiry_date": expiry,
                "sent_count": self.sent_count + 1,
                "hour_count": self._get_hour_count() + 1,
                "failure_count": 0,
                "failure": False,
            }
        )
        if self.company_id.portal_invitation_retry_date:
            self.company_id.portal_invitation_retry_date = False
        # Odoo's last resort is the user who runs the job, which is OdooBot.
        if values["email_from"] in ("", False, self.env.user.email_formatted):
            values = values | {"email_from": self.email_from}
        if not values["email_from"]:
            raise UserError(_lt("Set an email address on the company."))
        mail = self.env["mail.mail"].create(
            {
                **values,
                "attachment_ids": [Command.set(values["attachment_ids"])],
                "email_to": self.partner_id._get_portal_address(),
                "message_type": "user_notification",
                "model": self._name,
                "res_id": self.id,
            }
        )
        # A conflict in the database shows before the email is out, not after.
        self.env.flush_all()
        sessions.send(mail)
        if mail.state != "sent":
            raise MailDeliveryException(mail.failure_reason or mail.state)
        mail.write({"body": False, "body_html": False})
        _logger.info("Portal invitation %s sent", self.id)
        return mail

    def _try_to_postpone(self, error):
        """Have an email tried again later, and say so on the order if somebody has to
        do something about it.

        :param error: the exception that kept it from being sent
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
        except Exception:
            _logger.exception("Portal invitation %s: failure not noted", self.id)

    def _postpone(self, error):
        """Move the date of the next attempt.

        Where the mail server answers nobody, or nobody for now, all emails of the
        company wait, and only the one that was tried is written. An address that it
        refuses for now keeps nobody else waiting: visitors can order with any.
        """
        delay = FIRST_RETRY
        is_company_waiting = isinstance(error, ServerUnreachable)
        if not is_company_waiting:
            is_temporary, is_about_recipient = classify(error)
            delay = min(FIRST_RETRY * 2 ** min(self.failure_count, 10), LAST_RETRY)
            self.failure_count += 1
            # The second refusal is about this email, and not about all of them.
            if is_temporary and self.failure_count < 2:
                is_company_waiting = not is_about_recipient
            else:
                self.failure = self.env["sale.order"]._get_error_summary(error)
        self.due_date = fields.Datetime.now() + delay
        if is_company_waiting:
            self.company_id.portal_invitation_retry_date = self.due_date
        self._trigger(self.due_date)
