from odoo import models
from odoo.tools.translate import LazyTranslate

from ...tools import Trusted

_lt = LazyTranslate(__name__)


class PortalInvitation(models.Model):
    """Staff correct the address of a customer who has not used the account."""

    _inherit = "portal.invitation"

    def _follow_address(self, address):
        """Change the login of unused accounts to the contact's corrected address:
        nobody was invited there yet.

        :param address: the new address, or False
        """
        issue = self._get_new_address_issue(address)
        self.order_id._set_portal_account_issues(
            dict.fromkeys(self.order_id, (issue, None))
        )
        if issue:
            self._cancel("address")
            return
        self.user_id.with_context(sales_confirm_user_create_activation=Trusted).write(
            {"login": address}
        )
        self._resend(
            sent_date=False,
            expiry_date=False,
            sent_count=0,
            reminder_count=0,
            message_id=False,  # what comes back from the old address is no news
        )
        self.order_id._note_about_customer(
            _lt(
                "%s has a new address. The portal account now uses it and is invited "
                "again."
            )
        )

    def _get_new_address_issue(self, address):
        """Return why the account cannot have a new address, or False; see
        ``portal_account_issue``."""
        if not address:
            return self.partner_id._get_address_issue()
        if self.env["portal.decline"]._find([address]):
            return "declined"
        user = self.user_id
        domain = [
            ("login", "=", address),
            ("id", "!=", user.id),
            ("website_id", "in", (False, user.website_id.id)),
        ]
        users = user.with_context(active_test=False)
        is_taken = users.search_count(domain, limit=1)
        return "other_contact" if is_taken else False
