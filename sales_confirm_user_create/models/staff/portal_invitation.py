from collections import defaultdict

from odoo import api, models


class PortalInvitation(models.Model):
    """What staff do with invitations, and what they are told."""

    _inherit = "portal.invitation"

    def action_resend(self):
        """Send the invitations again; for sales managers.

        :return: an action that shows who gets an email, and why others do not
        """
        self.check_access("read")
        # sudo: nobody but the addon writes on invitations
        invitations_sudo, reasons = self.sudo(), {}
        for invitation in invitations_sudo:
            if reason := invitation.user_id._get_no_invitation_reason():
                reasons[invitation] = reason
        invited_sudo = invitations_sudo.browse(set(self.ids) - {r.id for r in reasons})
        invited_sudo._resend()
        invited_sudo.order_id._note_invitation_resent()
        return self._notify_invited(invited_sudo.user_id, reasons)

    @api.model
    def _notify_invited(self, users, reasons):
        """Return the action that shows who gets an email.

        :param users: those who get one
        :param reasons: see ``_join_reasons``
        """
        names = self._join(users.mapped("login"))
        return self._notify_done(
            self.env._("Email on its way to %s.", names) if users else None, reasons
        )

    @api.model
    def _notify_done(self, done, reasons):
        """Return the action that shows what was done, and why not for others.

        :param done: text, or None
        :param reasons: see ``_join_reasons``
        """
        lines = [done, self._join_reasons(reasons)]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": " ".join(filter(None, lines)),
                "type": "warning" if reasons else "success",
                "sticky": bool(reasons),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _join_reasons(self, reasons):
        """Return why some are left out, as text.

        :param reasons: dict of records to the reason, to be translated
        """
        names_by_reason = defaultdict(list)
        for record, reason in reasons.items():
            names_by_reason[self.env._(reason)].append(record.display_name)
        return " ".join(
            self.env._("%(names)s: %(reason)s", names=self._join(names), reason=reason)
            for reason, names in names_by_reason.items()
        )

    @api.model
    def _join(self, names):
        """Return a list of names, or how many they are if more than ten."""
        names = sorted(set(names))
        return (
            ", ".join(names)
            if len(names) <= 10
            else self.env._("%s entries", len(names))
        )
