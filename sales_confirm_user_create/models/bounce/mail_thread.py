from odoo import api, models
from odoo.tools.mail import unfold_references

# RFC 3834, and what older programs say
AUTOMATIC = {"auto_reply", "bulk", "junk"}


class MailThread(models.AbstractModel):
    """Bounces of invitations, whose message is deleted by then."""

    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        """Override of `mail` to find the invitation that a bounce is about."""
        res = super()._routing_handle_bounce(email_message, message_dict)
        invitation = self._find_portal_invitation(message_dict["bounced_msg_ids"])
        invitation._receive_bounce(email_message)
        return res

    @api.model
    def _detect_loop_sender(self, message, message_dict, routes):
        """Override of `mail` to create no record, such as a lead, from an automatic
        reply to an invitation."""
        is_automatic = message.get("Auto-Submitted", "no").strip().lower() != "no"
        if is_automatic or message.get("Precedence", "").strip().lower() in AUTOMATIC:
            references = unfold_references(message_dict["references"])
            if self._find_portal_invitation([*references, message_dict["in_reply_to"]]):
                return True
        return super()._detect_loop_sender(message, message_dict, routes)

    @api.model
    def _find_portal_invitation(self, message_ids):
        """Return the invitation whose latest email has one of some Message-IDs."""
        ids = [message_id.strip() for message_id in message_ids or () if message_id]
        # sudo: whoever fetches emails need not read invitations
        invitations_sudo = self.env["portal.invitation"].sudo()
        return invitations_sudo.search([("message_id", "in", ids)], limit=1)
