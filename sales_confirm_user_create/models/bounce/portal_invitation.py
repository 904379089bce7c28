from odoo import fields, models

from ...smtp import NotSent


class PortalInvitation(models.Model):
    """Emails that were accepted and came back later."""

    _inherit = "portal.invitation"

    message_id = fields.Char(
        string="Message-ID",
        index="btree_not_null",
        help="Of the latest email; bounces refer to it.",
    )
    bounce_date = fields.Datetime(
        string="Bounced On", help="When the latest email came back."
    )

    def _receive_bounce(self, message):
        """Note that the latest email came back; it is sent again only if somebody asks.

        :param message: the ``EmailMessage`` that says so
        """
        report = _read_report(message)
        for invitation in self:
            # A delay is no bounce, nor is a receipt.
            if invitation.bounce_date or report.get("action", "failed") != "failed":
                continue
            status = report.get("diagnostic-code", "").rpartition(";")[2]
            invitation.write(
                {
                    "bounce_date": fields.Datetime.now(),
                    "failure": str(NotSent(status or report.get("status", ""))),
                    "due_date": False,
                }
            )
            invitation.order_id._note_invitation_failure(invitation)


def _read_report(message):
    """Return the fields of a delivery report about its first recipient, as a dict; RFC
    3464."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload():
                if "Action" in block:
                    found = {name.lower(): str(block[name]).strip() for name in block}
                    return {**found, "action": found["action"].lower()}
    return {}
