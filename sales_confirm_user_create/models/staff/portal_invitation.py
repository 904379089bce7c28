from collections import defaultdict

from odoo import api, models
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)


class PortalInvitation(models.Model):
    """What staff can do with invitations, and the messages they get."""

    _inherit = "portal.invitation"

    def action_resend(self, is_sure=False):
        """Send the invitations again; ask before several emails are sent. For sales
        managers.

        :param is_sure: whether that was asked
        :return: an action that asks, or shows who gets an email, and why others do not
        """
        self.check_access("read")
        # sudo: nobody but the addon writes on invitations, or reads users here
        invited_sudo, reasons = self.sudo()._split_to_invite()
        if len(self) > 1 and invited_sudo and not is_sure:
            question = self.env._("Emails to send: %s.", len(invited_sudo))
            return self._ask("resend", question, reasons)
        invited_sudo._resend(website_id=False)
        invited_sudo.order_id._note_invitation_resent()
        return self._notify_invited(invited_sudo.user_id, reasons)

    def _split_to_invite(self):
        """Return the invitations that can be sent again, and a dict of the others to
        the reason."""
        with_order, reasons = self._filter_with_order(), {}
        for invitation in self:
            reason = invitation.user_id._get_no_invitation_reason()
            if not reason and invitation not in with_order:
                reason = _lt("the customer no longer has a confirmed order.")
            if reason:
                reasons[invitation] = reason
        return self.filtered(lambda invitation: invitation not in reasons), reasons

    def action_cancel(self, is_sure=False):
        """Ask before the accounts of these invitations are deleted; for sales managers.

        :param is_sure: whether that was asked
        :return: an action that asks, or shows what is done, and why not for others
        """
        self.check_access("read")
        # sudo: nobody but the addon reads or deletes users for whoever manages sales
        unused_sudo, reasons = self.sudo()._split_to_cancel()
        if unused_sudo and not is_sure:
            question = self.env._(
                "Unused accounts to delete: %s. Their orders and contacts stay. A "
                "customer's next order may create an account again.",
                len(unused_sudo),
            )
            return self._ask("cancel", question, reasons)
        done = is_sure and self.env._("Accounts deleted: %s.", len(unused_sudo))
        text = _lt("The portal account of %s was deleted before its first use.")
        unused_sudo.order_id._note_about_customer(text, self.env.user.partner_id)
        unused_sudo.user_id._delete_unused()
        return self._notify_done(done, reasons)

    def _split_to_cancel(self):
        """Return the invitations of accounts that can be deleted, and a dict of the
        others to the reason."""
        users = self.user_id._filter_deletable()
        unused = self.filtered(lambda invitation: invitation.user_id in users)
        reason = _lt("the account is in use, or was not created by an order.")
        return unused, dict.fromkeys(self - unused, reason)

    def _ask(self, operation, question, reasons):
        """Return the action that asks; see ``portal.account.question``.

        :param reasons: see ``_join_reasons``
        """
        return self.env["portal.account.question"]._ask(
            operation, self, f"{question}\n{self._join_reasons(reasons)}".strip()
        )

    @api.model
    def _notify_invited(self, users, reasons):
        """Return the action that shows who gets an email.

        :param users: those who get one
        :param reasons: see ``_join_reasons``
        """
        names = self._join(users.mapped("login"))
        return self._notify_done(
            self.env._("An email will be sent to %s.", names) if users else None,
            reasons,
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
        """Return a list of names: ten of them, and how many more there are."""
        names = sorted(set(names))
        text, more = ", ".join(names[:10]), len(names) - 10
        if more > 0:
            text = self.env._("%(names)s and %(count)s more", names=text, count=more)
        return text
