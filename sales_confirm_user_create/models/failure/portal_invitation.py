import logging
import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime, format_time
from odoo.tools.translate import LazyTranslate

from ...smtp import NotSent

_logger = logging.getLogger(__name__)
_lt = LazyTranslate(__name__)

# What is refused for now, or fails here, is tried again after 5, 10, 20... minutes,
# then daily. RFC 5321, section 4.5.4.1: senders give up after four to five days.
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
TEMPORARY_MAX = 13
# What is refused for good is tried after 4 and 48 hours, and then no more.
REFUSED_RETRIES = (timedelta(hours=4), timedelta(hours=44))
REPLY = re.compile(r"[245]\d\d ")


class BrokenTemplate(UserError):
    """The email cannot be rendered."""


class GaveUp(UserError):
    """Trying again would send more copies."""


class PortalInvitation(models.Model):
    """What happens to emails that could not be sent."""

    _inherit = "portal.invitation"

    interrupted_count = fields.Integer(
        default=0,
        help="How many runs of the job have died while they sent the email.",
    )
    notice = fields.Char(
        string="Delivery",
        compute="_compute_notice",
        help="Why the email has not arrived, and what to do.",
    )

    @api.depends("failure", "due_date", "bounce_date", "held_date")
    @api.depends_context("lang", "tz")
    def _compute_notice(self):
        for invitation in self:
            # sudo: how the mail server does is no secret to who sees the email
            wait_date = invitation.company_id.sudo().portal_mail_wait_date
            if invitation.state == "due" and wait_date:
                invitation.notice = invitation._describe_wait()
            elif invitation.state == "due" and invitation.failure:
                invitation.notice = self.env._(
                    "%(reason)s Next attempt: %(date)s.",
                    reason=invitation._describe_failure(),
                    date=invitation._format_moment(invitation.due_date),
                )
            elif invitation.state == "held":
                invitation.notice = self.env._(
                    "The website has reached its limit of emails per hour. If the "
                    "order is real, resend the invitation; otherwise, the invitation "
                    "is cancelled after seven days."
                )
            elif invitation.state in ("failed", "bounced"):
                invitation.notice = invitation._describe_failure()
            else:
                invitation.notice = False

    def _describe_wait(self):
        """Return since when, and until when, the email waits for the mail server."""
        # sudo: see the caller
        company_sudo = self.company_id.sudo()
        text = self.env._(
            "Waiting for the mail server since %(since)s, next attempt %(next)s.",
            since=self._format_moment(company_sudo.portal_mail_wait_date),
            next=self._format_moment(company_sudo.portal_invitation_retry_date),
        )
        reason = self._describe(company_sudo.portal_mail_failure)
        return f"{text} {reason}".strip()

    def _describe_failure(self):
        """Return why the email has not arrived, and what to do."""
        text = self._describe(self.failure)
        if self.bounce_date:
            text = self.env._("The email came back. %s", text).strip()
        if self.bounce_date or REPLY.match(self.failure):
            text += " " + self.env._(
                "If the address is wrong, correct it on the contact. If it is right, "
                "send the invitation again."
            )
        return text

    @api.model
    def _describe(self, reason):
        """Return a reason as a sentence.

        :param reason: see ``_get_reason``
        """
        if not reason:
            return ""
        if not REPLY.match(reason):
            reason = self.env._(_lt(reason))
            return reason[:1].upper() + reason[1:]
        return self.env._("The mail server replied: %s.", reason.rstrip("."))

    @api.model
    def _format_moment(self, date):
        """Return a time, with its day if that is not today."""
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        if fields.Datetime.context_timestamp(self, date).date() == now.date():
            return format_time(self.env, date, time_format="short")
        return format_datetime(self.env, date, dt_format="short")

    def _try_to_postpone(self, error):
        """Retry an email later, and note it on the order if staff must act.

        :param error: the exception that kept it from being sent
        """
        # What failed may have been the transaction: go on in a new one.
        self.env["ir.cron"]._commit_progress()
        try:
            is_broken = self._log_failure(error)
            with self.env.cr.savepoint():
                is_news = self._postpone(error)
            if is_news:
                with self.env.cr.savepoint():
                    self.order_id._note_invitation_failure(self)
            if is_broken:
                with self.env.cr.savepoint():
                    text = self.env._("The portal invitation could not be sent. %s")
                    self._tell_administrators(text % self._describe_failure())
        except Exception:
            _logger.exception("Portal invitation %s: failure not noted", self.id)

    def _log_failure(self, error):
        """Log one line; and where nobody expects an error, or for the first email that
        a template breaks, the traceback.

        :return: whether it is the first email that a template breaks
        """
        cause, is_broken = None, isinstance(error, BrokenTemplate)
        if is_broken:
            # sudo: see `_compute_notice`
            refusal = self.company_id.sudo().portal_refusal
            is_broken = not self.failure_count and refusal != self._get_reason(error)
            # Odoo's own error repeats the template, and the traceback.
            cause = error.__cause__ and (error.__cause__.__cause__ or error.__cause__)
            cause = cause if is_broken else None
        elif not isinstance(error, NotSent | UserError):
            cause = error
        _logger.log(
            logging.ERROR if cause else logging.WARNING,
            "Portal invitation %s is not sent to %s (order %s, company %s): %s",
            self.id,
            self.login,
            self.order_id.name,
            self.company_id.name,
            self._get_reason(error),
            exc_info=cause,
        )
        return is_broken

    @api.model
    def _tell_administrators(self, body):
        """Post a message in the channel of the administrators, where it is unread."""
        if channel := self.env.ref("mail.channel_admin", raise_if_not_found=False):
            kind = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
            channel.message_post(body=body, **kind)

    def _get_reason(self, error):
        """Return what kept an email from being sent: the mail server's reply, or a
        sentence in English. Equal failures are equal, whoever reads about them."""
        if isinstance(error, NotSent):
            return str(error)
        return self.order_id.with_context(lang="en_US")._get_error_summary(error)

    def _postpone(self, error):
        """Move the date of the next attempt, of this email or of the company's.

        :return: whether that is news to whoever works on the order
        """
        company, reason = self.company_id, self._get_reason(error)
        self.interrupted_count = 0
        is_refused = isinstance(error, NotSent)
        if is_refused and error.is_about_server and not error.is_lost:
            # What Python says of a connection is for the log.
            is_new = company._wait_for_mail_server(reason if error.code else False)
            return is_new and not error.is_temporary
        is_first = not self.failure_count
        self.failure_count += 1
        self.failure = reason
        self.due_date = self._get_next_attempt(error)
        if self.due_date:
            self._trigger(self.due_date)
        if is_refused and error.is_lost:
            company._wait_for_mail_server(False)
            return False
        refusal = False
        if isinstance(error, BrokenTemplate):
            refusal = reason
        elif is_refused and error.is_doubtful:
            refusal = error.key
        if (is_refused or refusal) and company._hear_mail_server(refusal, is_first):
            self._forgive(company, refusal)
            is_new = company._wait_for_mail_server(reason)
            return is_new and not (is_refused and error.is_temporary)
        if is_refused and error.is_temporary:
            return not self.due_date
        # What may be about everybody is noted when it is certain.
        count = 2 if is_refused and error.is_doubtful else 1
        return self.failure_count == count or not self.due_date

    def _get_next_attempt(self, error):
        """Return when to try again, or False to wait for staff."""
        count, now = self.failure_count, fields.Datetime.now()
        if isinstance(error, GaveUp):
            return False
        if isinstance(error, NotSent) and not error.is_temporary:
            is_last = count > len(REFUSED_RETRIES)
            return not is_last and now + REFUSED_RETRIES[count - 1]
        if isinstance(error, NotSent) and count >= TEMPORARY_MAX:
            return False
        return now + min(FIRST_RETRY * 2 ** min(count - 1, 10), LAST_RETRY)

    @api.model
    def _forgive(self, company, refusal):
        """Take back what was counted against recipients of a company: its server, or
        the template, fails for everybody.

        :param refusal: what their failures begin with
        """
        domain = [
            ("company_id", "=", company.id),
            ("failure", "=like", f"{refusal}%"),
            ("due_date", "!=", False),
        ]
        self.search(domain).write(
            {"failure": False, "failure_count": 0, "due_date": fields.Datetime.now()}
        )
