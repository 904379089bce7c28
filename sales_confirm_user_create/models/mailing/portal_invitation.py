import contextlib
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

from ...smtp import Sessions
from ...tools import RETRIED_EXCEPTIONS
from ..failure.portal_invitation import FIRST_RETRY, BrokenTemplate, GaveUp
from ..invitation.portal_invitation import REMINDER, RESENT

_logger = logging.getLogger(__name__)
# for errors that become notes, in the language of those who read them
_lt = LazyTranslate(__name__)

REMINDER_BATCH = 500
RENDER_BATCH = 20
INTERRUPTED_MAX = 2


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
                if len(invitations) > 1:
                    # If one of them fails, each is rendered alone.
                    with contextlib.suppress(Exception), self.env.cr.savepoint():
                        emails = invitations._render()
                for invitation in invitations:
                    mail = invitation._try_to_send(emails, sessions)
                    if mail is None:
                        failed += invitation
                    else:
                        mails += mail
                    has_to_wait = invitation.company_id.portal_mail_wait_date
                    time_left = IrCron._commit_progress(1)
                    if has_to_wait or not time_left:
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
        """Return the invitations to send next: new orders first, then what has failed.

        :param failed: invitations that this run cannot send
        """
        now = fields.Datetime.now()
        companies = self.env["res.company"].with_context(active_test=False)
        # Where the mail server took nothing lately, one email asks again.
        doubtful = companies.search([("portal_mail_wait_date", "!=", False)])
        waiting = doubtful.filtered_domain([("portal_invitation_retry_date", ">", now)])
        domain = [
            ("due_date", "<=", now),
            ("company_id", "not in", waiting.ids),
            ("id", "not in", failed.ids),
        ]
        order = "priority desc, failure_count, interrupted_count, due_date, id"
        invitations = self.search(domain, order=order, limit=RENDER_BATCH)
        # Mostly nobody has to wait, and nothing else is read before it is marked.
        if doubtful and invitations[:1].company_id in doubtful:
            return invitations[:1]
        return invitations

    def _try_to_send(self, emails, sessions):
        """Send the email that is due; what goes wrong is no reason to stop the job.

        :param emails: what ``_render`` returned
        :param sessions: the ``Sessions`` of this run
        :return: the sent ``mail.mail``, empty; none if it is not wanted any more; None
            if something went wrong
        """
        try:
            if count := self._begin_to_send():
                with self.env.cr.savepoint():
                    if locked := self.try_lock_for_update(allow_referencing=True):
                        return locked._send_or_cancel(emails, sessions, count)
        except RETRIED_EXCEPTIONS:
            _logger.info("Portal invitation %s is in use", self.id)
        except Exception as error:  # noqa: BLE001 - it is logged there
            self._try_to_postpone(error)
            return None
        # It was not sent, and in a new transaction there is no conflict.
        self.env["ir.cron"]._commit_progress()
        with contextlib.suppress(*RETRIED_EXCEPTIONS), self.env.cr.savepoint():
            self.interrupted_count = 0
        self._trigger(fields.Datetime.now() + FIRST_RETRY)
        return None

    def _begin_to_send(self):
        """Note, in a transaction of its own, that the email is being sent: if the run
        dies, it goes last, and once more only.

        :return: how many runs have begun to; 0 if somebody else uses the invitation
        """
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE portal_invitation
                   SET interrupted_count = COALESCE(interrupted_count, 0) + 1
                 WHERE id IN (
                            SELECT id FROM portal_invitation WHERE id = %s
                               FOR NO KEY UPDATE SKIP LOCKED
                       )
             RETURNING interrupted_count
                """,
                self.id,
            )
        )
        # As `_commit_progress`, which would read the progress.
        # pylint: disable-next=invalid-commit
        self.env.cr.commit()
        self.invalidate_recordset(["interrupted_count"], flush=False)
        return rows[0][0] if rows else 0

    def _send_or_cancel(self, emails, sessions, count):
        """Send the email unless something has happened since it became due.

        :param count: see ``_begin_to_send``
        :return: the ``mail.mail``; none if it is not wanted
        """
        user = self.user_id
        issue = user._get_invitation_address_issue()
        is_reminder = self.priority == REMINDER
        is_unwanted = is_reminder and (
            self.company_id.portal_account_policy == "never"
            or self.env["portal.decline"]._find_for(self.login)
        )
        # Whoever asks for a link gets one, also by a salesperson.
        if self.priority != RESENT and self.unsubscribed_login == self.login:
            is_unwanted = True
        self.interrupted_count = 0
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
        elif count > INTERRUPTED_MAX:
            raise GaveUp(
                _lt(
                    "Odoo stopped twice while sending the email. It may have arrived: "
                    "ask the customer, or send it again."
                )
            )
        else:
            return self._send(emails, sessions)
        return self.env["mail.mail"]

    def _send(self, emails, sessions):
        """Send the email, and empty it, so that nobody reads the link."""
        key = self.id, self.login, self.revision
        expiry, link, values = emails.get(key) or self._render_alone()[key]
        if not values["email_from"]:
            raise UserError(
                _lt("Set an email address on the company, or on the salesperson.")
            )
        mail = self.env["mail.mail"].create(values)
        self.write(
            {
                "due_date": False,
                "sent_date": fields.Datetime.now(),
                "expiry_date": expiry,
                "sent_count": self.sent_count + 1,
                "hour_count": self._get_hour_count() + 1,
                "failure_count": 0,
                "failure": False,
                "message_id": mail.message_id,
            }
        )
        self.company_id._hear_mail_server()
        # A conflict in the database shows before the email is out, not after.
        self.env.flush_all()
        sessions.send(mail, link)
        mail.write(
            {"state": "sent", "body": False, "body_html": False, "headers": False}
        )
        _logger.info("Portal invitation %s sent", self.id)
        return mail

    def _render_alone(self):
        """Render the email, after it failed together with others.

        :raise BrokenTemplate: it fails again
        """
        try:
            return self._render()
        except (BrokenTemplate, *RETRIED_EXCEPTIONS):
            raise
        except Exception as error:
            raise BrokenTemplate(
                _lt(
                    "The email template has an error. Ask your administrator to check "
                    "the server log."
                )
            ) from error
