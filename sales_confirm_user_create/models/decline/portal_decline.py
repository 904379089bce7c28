import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, hmac

from ...tools import attempt, get_deliverable_address, get_spellings

_logger = logging.getLogger(__name__)

HASH_SCOPE = "sales_confirm_user_create.decline"


class PortalDecline(models.Model):
    """An address whose owner declined an account, as a keyed hash.

    Contacts are merged, corrected and deleted, and users renamed or deleted: a decline
    belongs to neither. Its date is that of its creation.
    """

    _name = "portal.decline"
    _description = "Declined Portal Account"
    _rec_name = "partner_id"
    _order = "id desc"

    address_hash = fields.Char(required=True, readonly=True)
    # for the Privacy Lookup
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )

    _address_hash_uniq = models.UniqueIndex("(address_hash)")

    @api.model
    def _hash_addresses(self, addresses):
        """Return a dict of keyed hashes to addresses.

        :param addresses: iterable of addresses in their one form; False is none
        """
        # sudo: the key is a parameter that nobody may read
        env = self.sudo().env
        return {
            hmac(env, HASH_SCOPE, address): address for address in addresses if address
        }

    @api.model
    def _find(self, addresses):
        """Return the declines of addresses, found in one query.

        :param addresses: iterable of addresses in their one form; False is none
        :return: dict of addresses to declines
        """
        by_hash = self._hash_addresses(addresses)
        # sudo: whoever knows an address may learn whether its owner declined, where
        # the caller says so
        declines_sudo = self.sudo().search_fetch(
            [("address_hash", "in", [*by_hash])],
            ["address_hash", "partner_id", "create_date"],
        )
        return {by_hash[decline.address_hash]: decline for decline in declines_sudo}

    @api.model
    def _find_for(self, login):
        """Return the decline of a login's address, or none."""
        address = get_deliverable_address(login)
        return self._find([address]).get(address, self.browse())

    @api.model
    def _remember(self, login, partner):
        """Remember that the owner of an address declined, now.

        :param login: nothing is remembered of one that is no address
        :param partner: the contact of the account, if there still is one
        """
        address = get_deliverable_address(login)
        if not address:
            return
        if not partner:
            # sudo: the contact is not shown
            domain = [("email_normalized", "in", [*get_spellings(address)])]
            partner = self.sudo().env["res.partner"].search(domain, limit=1)
        [address_hash] = self._hash_addresses([address])
        # `create` would fail for the second click of two at the same moment.
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO portal_decline (
                                address_hash, partner_id,
                                create_uid, create_date, write_uid, write_date
                            )
                     VALUES (%(hash)s, %(partner)s, %(uid)s, %(now)s, %(uid)s, %(now)s)
                ON CONFLICT (address_hash)
                  DO UPDATE SET create_date = EXCLUDED.create_date
                """,
                hash=address_hash,
                partner=partner.id or None,
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        self.invalidate_model(["create_date"])

    @api.model
    def _forget(self, logins):
        """Forget the declines of addresses, as their owners or staff decided.

        :param logins: iterable; what is no address was not declined
        """
        addresses = {get_deliverable_address(login) for login in logins}
        if declines := self._find(addresses):
            # sudo: customers may not edit these, and forget their own
            self.sudo().browse().union(*declines.values()).unlink()
            known = set().union(*map(get_spellings, declines))
            domain = Domain("partner_id.email_normalized", "in", [*known])
            self._clear_issues(domain)

    def unlink(self):
        """Override of `base`, for the Privacy Lookup, too: orders do not say any more
        that the customer declined."""
        partners = self.partner_id
        res = super().unlink()
        self._clear_issues(Domain("partner_id", "in", partners.ids))
        return res

    @api.model
    def _clear_issues(self, domain):
        """Clear on some orders that the customer declined.

        An order that cannot be written is logged; the account does not depend on it.
        """
        # sudo: customers, and those who erase personal data, cannot edit all orders
        orders_sudo = self.env["sale.order"].sudo()
        is_declined = Domain("portal_account_issue", "=", "declined")
        if orders_sudo := orders_sudo.search(is_declined & domain):
            message = "Orders %s still say that the customer declined"
            with attempt(self.env.cr, _logger, message, orders_sudo.ids):
                orders_sudo.portal_account_issue = False

    @api.model
    def _keep_findable(self, partners):
        """Let the Privacy Lookup find declines by the contacts that have the address
        now, if the original contact is deleted."""
        by_address = {partner._get_portal_address(): partner for partner in partners}
        for address, decline in self._find(by_address).items():
            if not decline.partner_id:
                decline.partner_id = by_address[address]
