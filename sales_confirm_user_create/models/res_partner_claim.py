import contextlib

from odoo import api, fields, models
from odoo.tools import email_normalize


class ResPartner(models.Model):
    """What contacts tell about the orders that an account may add."""

    _inherit = "res.partner"

    portal_claim_due = fields.Selection(
        selection=[("activation", "Activation"), ("reset", "Password reset")],
        copy=False,
        readonly=True,
        index="btree_not_null",
        groups="base.group_system",
        help="The scheduled action adds more orders to this contact's account.",
    )
    portal_address_typed = fields.Boolean(
        copy=False,
        readonly=True,
        groups="base.group_system",
        help="The customer has changed the address of the account's contact: it says "
        "nothing about who reads the emails to the login.",
    )

    def write(self, vals):
        """Override of `base` to remember who has changed their own address.

        Odoo's links go to the contact's address, and could prove another one than the
        login: once changed back, nobody can tell where a link was sent.
        """
        if "email" not in vals or self.env.user._is_internal():
            return super().write(vals)
        # sudo: customers may not read these, nor write what they did
        before = {partner: partner.email_normalized for partner in self.sudo()}
        res = super().write(vals)
        for partner, address in before.items():
            if partner.email_normalized != address and partner.user_ids:
                partner.portal_address_typed = True
        return res

    @api.model
    def _get_proven_user(self, token):
        """Return the portal user whose login Odoo has mailed a link to, or none."""
        partner = self._get_partner_from_token(token)
        # Other tokens are not mailed to those who have a user.
        if not partner or partner.signup_type not in ("signup", "reset"):
            return self.env["res.users"]
        return partner.user_ids[:1].filtered(
            lambda user: (
                user._is_portal()
                and not partner.portal_address_typed
                and partner._get_portal_address() == email_normalize(user.login)
            )
        )

    @api.model
    def _find_by_portal_address(self, address):
        """Return the contacts, archived ones included, with an address."""
        local_part, _at, domain = address.rpartition("@")
        spellings = {address}
        with contextlib.suppress(UnicodeError):
            spellings.add(f"{local_part}@{domain.encode().decode('idna')}")
        return (
            self.with_context(active_test=False)
            .search([("email_normalized", "in", list(spellings))])
            .filtered(lambda contact: contact._get_portal_address() == address)
        )

    def _filter_claimable_contacts(self):
        """Return the contacts whose orders an account with their address may add.

        Those with a user, or of a company, have an account of their own, or staff who
        know better.
        """
        return self.with_context(active_test=False).filtered(
            lambda contact: not contact.parent_id and not contact.user_ids
        )
