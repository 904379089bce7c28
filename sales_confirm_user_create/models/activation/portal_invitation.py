from odoo import api, fields, models
from odoo.tools import hash_sign, urls, verify_hash_signed
from odoo.tools.translate import LazyTranslate

from ...tools import Trusted, get_deliverable_address

_lt = LazyTranslate(__name__)

LINK_SCOPE = "sales_confirm_user_create.activation"
DECLINE_SCOPE = "sales_confirm_user_create.decline_link"


class PortalInvitation(models.Model):
    """The link in an invitation, and its status."""

    _inherit = "portal.invitation"

    def _get_link(self, expiry):
        """Return a link that activates the account.

        :param expiry: datetime in UTC, when the link stops working
        """
        # The expiry is signed with the rest, and not Odoo's own: an expired token still
        # says whose it was.
        values = [self.id, self.login, self.revision, int(expiry.timestamp())]
        return self._sign_link("/web/portal/activate", LINK_SCOPE, values)

    def _get_decline_link(self):
        """Return a link that can do nothing but decline the account."""
        values = [self.id, self.login]
        return self._sign_link("/web/portal/decline", DECLINE_SCOPE, values)

    def _sign_link(self, path, scope, values):
        """Return a link for the website of the account, or of the order.

        :param scope: of the signature: a token is worth nothing in another
        :param values: list of what is signed
        """
        self.ensure_one()
        user = self.user_id
        record = user if user.website_id else self.order_id or user.partner_id
        # sudo: the key is a parameter that nobody may read
        token = hash_sign(self.sudo().env, scope, values)
        return urls.urljoin(record.get_base_url(), f"{path}?token={token}")

    def _get_destination(self):
        """Return where the customer goes after the activation, as a local address."""
        order = self.order_id
        is_own = order.state == "sale" and order.partner_id == self.partner_id
        return order.get_portal_url() if is_own else "/my/orders"

    def _renew(self):
        """Send a new link to the login, unless one was sent minutes ago.

        :return: whether there is a new link
        """
        if (
            self.user_id._get_invitation_address_issue()
            or not self._filter_with_order()
        ):
            return False
        # What is due is sent as soon as the mail server accepts it, and what is held
        # would be held again, and staff told again.
        is_waiting = self.due_date or (self.held_date and self._is_over_limit())
        if not is_waiting and not self.user_id._get_no_invitation_reason():
            self._resend()
        return True

    @api.model
    def _read_token(self, token):
        """Return the invitation of a link, and the link's status.

        :return: an invitation, and "valid", "expired", "used" or "invalid"; no
            invitation if invalid
        """
        values = self._get_token_values(token, LINK_SCOPE)
        if not values:
            return self.browse(), "invalid"
        invitation_id, login, revision, expiry = values
        # sudo: visitors may not read invitations; the token names the one they may use
        invitation_sudo = self.sudo().browse(invitation_id).exists()
        user_sudo = invitation_sudo.user_id
        if (
            (invitation_sudo.revision, user_sudo.login) != (revision, login)
            or not user_sudo.active
            or not user_sudo._is_portal()
            or not user_sudo._get_mailbox()  # it was merged into another contact
        ):
            return self.browse(), "invalid"
        if user_sudo.portal_activation_date:
            return invitation_sudo, "used"
        is_expired = expiry < fields.Datetime.now().timestamp()
        return invitation_sudo, "expired" if is_expired else "valid"

    @api.model
    def _get_token_values(self, token, scope):
        """Return what is signed in a token, or None.

        :param token: what a visitor sent, also a file
        """
        if not isinstance(token, str):
            return None
        try:
            # sudo: the key is a parameter that nobody may read
            return verify_hash_signed(self.sudo().env, scope, token)
        except ValueError:
            # decoding what a mail program has cut
            return None

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
        user, partner = self.user_id, self.partner_id
        found = user._find_customer_users(partner)[partner.id]
        others = user.browse([known.id for known in found]) - user
        is_taken = others.filtered(
            lambda other: (
                other.website_id in (user.website_id.browse(), user.website_id)
                # another user of the contact may have any login
                and (
                    other.partner_id != partner
                    or get_deliverable_address(other.login) == address
                )
            )
        )
        return "other_contact" if is_taken else False
