from datetime import timedelta

from odoo import fields, models

# Three equal refusals in a row, of three recipients, are about all of them.
REFUSALS_OF_ALL = 3
FIRST_WAIT = timedelta(minutes=5)
LAST_WAIT = timedelta(hours=1)


class ResCompany(models.Model):
    """A company whose mail server accepts no emails."""

    _inherit = "res.company"

    portal_mail_wait_date = fields.Datetime(
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="When sending was paused because the mail server did not respond.",
    )
    portal_invitation_retry_date = fields.Datetime(
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="Sending is paused until then because the mail server is not responding.",
    )
    portal_mail_failure = fields.Char(
        copy=False, readonly=True, groups="base.group_system"
    )
    portal_refusal = fields.Char(
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="What the latest rejections have in common.",
    )
    portal_refusal_count = fields.Integer(
        copy=False, readonly=True, groups="base.group_system"
    )

    def _wait_for_mail_server(self, reason):
        """Pause all emails of the company: five minutes at first, then twice as long,
        at most an hour.

        :param reason: text
        :return: whether that is new
        """
        now = fields.Datetime.now()
        since = self.portal_mail_wait_date
        delay = min(max(now - (since or now), FIRST_WAIT), LAST_WAIT)
        self.write(
            {
                "portal_mail_wait_date": since or now,
                "portal_invitation_retry_date": now + delay,
                "portal_mail_failure": reason,
            }
        )
        self.env["portal.invitation"]._trigger(now + delay)
        return not since

    def _hear_mail_server(self, refusal=False, is_first=True):
        """Note the mail server's reply to a recipient; it ends the wait unless
        everybody gets the same reply.

        :param refusal: what equal refusals have in common; False for any other answer
        :param is_first: whether it is the recipient's first
        :return: whether it says so to everybody
        """
        count = 0
        if refusal:
            count = self.portal_refusal_count * (refusal == self.portal_refusal)
            count += is_first
        is_to_all = count >= REFUSALS_OF_ALL
        values = {"portal_refusal": refusal, "portal_refusal_count": count}
        if not is_to_all:
            values |= {
                "portal_mail_wait_date": False,
                "portal_invitation_retry_date": False,
                "portal_mail_failure": False,
            }
        # Most emails change nothing.
        if any(self[name] != value for name, value in values.items()):
            self.write(values)
        return is_to_all
