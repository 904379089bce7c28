import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

from ...tools import attempt
from ..activation.res_users import RESEND_PAUSE

_logger = logging.getLogger(__name__)
_lt = LazyTranslate(__name__)

HOUR = timedelta(hours=1)
HELD_MAX = timedelta(days=7)


class PortalInvitation(models.Model):
    """A limit for bots that order with strangers' addresses."""

    _inherit = "portal.invitation"

    held_date = fields.Datetime(
        string="Held Since", help="When it was held because of the website's limit."
    )
    # empty where somebody of the shop stands for the order
    website_id = fields.Many2one(
        comodel_name="website",
        ondelete="set null",
        help="The website whose limit it counts toward.",
    )
    hour_count = fields.Integer(
        help="Emails sent without an hour's pause between them."
    )

    _held_idx = models.Index("(held_date) WHERE held_date IS NOT NULL")
    _limit_idx = models.Index("(website_id, sent_date) WHERE website_id IS NOT NULL")

    def _get_hour_count(self):
        """Return how many emails were sent without an hour's pause between them."""
        is_recent = self.sent_date and fields.Datetime.now() - self.sent_date < HOUR
        return self.hour_count if is_recent else 0

    def _is_over_limit(self):
        """Return whether the website has sent as many emails as it may in an hour."""
        limit = self.website_id.portal_email_limit
        if not limit or self.order_id._has_received_money():
            return False
        self.flush_model(["hour_count", "sent_date", "website_id"])
        [[count]] = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(SUM(LEAST(hour_count, %s)), 0)
                  FROM portal_invitation
                 WHERE website_id = %s AND sent_date > %s
                """,
                HOUR // RESEND_PAUSE,
                self.website_id.id,
                fields.Datetime.now() - HOUR,
            )
        )
        return count >= limit

    def _hold(self):
        """Wait until staff decide, and tell the sales manager once."""
        domain = [
            ("website_id", "=", self.website_id.id),
            ("held_date", ">", fields.Datetime.now() - timedelta(days=1)),
        ]
        is_first = not self.search_count(domain, limit=1)
        self.write({"due_date": False, "held_date": fields.Datetime.now()})
        if is_first:
            with attempt(self.env.cr, _logger, "No activity about held invitations"):
                self._schedule_held_activity()

    def _schedule_held_activity(self):
        """Ask the sales manager what to do about held invitations."""
        order = self.order_id
        manager = order._get_sales_manager()
        reader = self.with_context(lang=manager.lang)
        order.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=reader.env._("Portal invitations are held"),
            note=reader.env._(
                "%(website)s sent more than %(limit)s invitations in an hour. Bots may "
                "be ordering for other people's addresses. Release or cancel the "
                "invitations in Orders / Portal Invitations; after seven days they are "
                "cancelled.",
                website=self.website_id.name,
                limit=self.website_id.portal_email_limit,
            ),
            user_id=manager.id or self.env.uid,
        )

    @api.model
    def _review_held(self):
        """Release held invitations whose order was paid, and cancel those that nobody
        released in time."""
        held = self.search([("held_date", "!=", False)])
        held.filtered(lambda held: held.order_id._has_received_money())._make_due()
        since = fields.Datetime.now() - HELD_MAX
        held.filtered(lambda held: held.held_date and held.held_date < since)._cancel(
            "held"
        )

    def action_release(self):
        """Send held invitations; for sales managers.

        :return: an action that shows who gets an email, and why others do not
        """
        self.check_access("read")
        # sudo: nobody but the addon writes on invitations
        held_sudo = self.sudo().filtered("held_date")
        held_sudo._make_due(website_id=False)
        reasons = dict.fromkeys(self.sudo() - held_sudo, _lt("it is not held."))
        return self._notify_invited(held_sudo.user_id, reasons)
