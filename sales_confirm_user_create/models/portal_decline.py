from odoo import api, fields, models
from odoo.tools import SQL, hmac

from .portal_invitation_link import DECLINE_SCOPE
from .res_partner import get_deliverable_address

HASH_SCOPE = "sales_confirm_user_create.decline"


class PortalDecline(models.Model):
    """An address whose owner declined an account, as a keyed hash.

    Contacts are merged, corrected and deleted, and users renamed or deleted: a refusal
    belongs to neither. The date of the refusal is that of its creation.
    """

    _name = "portal.decline"
    _description = "Portal Account Declined"
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
        """Return the refusals of addresses, found in one query.

        :param addresses: iterable of addresses in their one form; False is none
        :return: dict of addresses to refusals
        """
        by_hash = self._hash_addresses(addresses)
        # sudo: whoever knows an address may learn whether its owner declined, where
        # the caller says so
        declines = self.sudo().search_fetch(
            [("address_hash", "in", [*by_hash])],
            ["address_hash", "partner_id", "create_date"],
        )
        return {by_hash[decline.address_hash]: decline for decline in declines}

    @api.model
    def _find_for(self, login):
        """Return the refusal of the address that a login is, or none."""
        address = get_deliverable_address(login)
        return self._find([address]).get(address, self.browse())

    @api.model
    def _remember(self, login, partner):
        """Remember that the owner of an address declined.

        :param login: nothing is remembered of one that is no address
        :param partner: the contact of the account, if there still is one
        """
        address = get_deliverable_address(login)
        if not address:
            return
        if not partner:
            # sudo: the contact is not shown
            domain = [("email_normalized", "=", address)]
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
                ON CONFLICT DO NOTHING
                """,
                hash=address_hash,
                partner=partner.id or None,
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )

    @api.model
    def _forget(self, addresses):
        """Forget the refusals of addresses: their owners, or staff, decided otherwise.

        :param addresses: iterable of addresses in their one form
        """
        # sudo: customers may not edit these, and forget their own
        declines = self.sudo().browse()
        declines.union(*self._find(addresses).values()).unlink()

    @api.model
    def _keep_findable(self, partners):
        """Have the Privacy Lookup find refusals by contacts that have the address now,
        where those who declined are deleted."""
        by_address = {partner._get_portal_address(): partner for partner in partners}
        for address, decline in self._find(by_address).items():
            if not decline.partner_id:
                decline.partner_id = by_address[address]


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_decline_date = fields.Datetime(
        string="Portal Account Declined On",
        compute="_compute_portal_decline_date",
        groups="base.group_user",
        help="When the owner of the address declined a portal account. Orders create "
        "none for it.",
    )

    @api.depends("email")
    def _compute_portal_decline_date(self):
        declines = self._find_portal_declines()
        for partner in self:
            decline = declines.get(partner._get_portal_address())
            partner.portal_decline_date = decline and decline.create_date

    def _find_portal_declines(self):
        """Return a dict of these contacts' addresses to the refusals."""
        addresses = [partner._get_portal_address() for partner in self]
        return self.env["portal.decline"]._find(addresses)

    def action_erase_portal_decline(self):
        """Erase the refusals of these contacts' addresses; for administrators.

        :raise AccessError: the user may not
        """
        self.env["portal.decline"].check_access("unlink")
        for decline in self._find_portal_declines().values():
            decline.sudo(False).unlink()


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _find_portal_accounts(self, login):
        """Return the active portal users with a login: one, or one for each website."""
        return self.search([("login", "=", login)]).filtered(
            lambda user: user._is_portal()
        )

    @api.model
    def _decline_portal_account(self, login, partner, orders):
        """Remember that the owner of an address declined, and delete the accounts that
        we created for it and nobody has used.

        :param login: the address
        :param partner: the contact who declined
        :param orders: the orders to note it on, in addition to those of the accounts
        """
        # sudo: the customer may not edit users and orders
        unused = (
            self.sudo()
            ._find_portal_accounts(login)
            .filtered(lambda user: user.portal_invitation_ids and not user.log_ids)
        )
        self._remember_decline(
            login,
            partner or unused.partner_id[:1],
            orders.sudo() | unused.portal_invitation_ids.order_id,
        )
        unused._delete_unused()

    @api.model
    def _remember_decline(self, login, partner, orders):
        """Remember that the owner of an address declined, and note it on orders.

        :param login: the address
        :param partner: the contact who declined
        """
        self.env["portal.decline"]._remember(login, partner)
        issues = dict.fromkeys(orders, ("declined", None))
        orders._set_portal_account_issues(issues, partner)

    def _deactivate_portal_user(self, **post):
        """Override of `base`: customers who delete their account have declined, for
        the login. The address of their contact is what anybody can type."""
        # sudo: customers may not read invitations; super replaces the login
        accounts = [
            (user.login, user.partner_id, user.portal_invitation_ids.order_id)
            for user in self.sudo()
        ]
        res = super()._deactivate_portal_user(**post)
        for account in accounts:
            # Whoever signed up with the address of somebody else deletes no more.
            self._remember_decline(*account)
        return res

    def _on_mailbox_proven(self, method, kept=()):
        """Extend to forget an earlier refusal: whoever reads the emails wants an
        account now."""
        self.env["portal.decline"]._find_for(self.login).unlink()
        return super()._on_mailbox_proven(method, kept)


class PortalInvitation(models.Model):
    _inherit = "portal.invitation"

    def _is_declined(self):
        """Return whether the owner of the login has declined an account, and has not
        activated one since."""
        return bool(self.env["portal.decline"]._find_for(self.login))

    @api.model
    def _read_decline_token(self, token):
        """Return whose account a link declines, and what the link is good for.

        The address may decline also where its account is deleted by now.

        :return: the invitation, if it still has this login; the login, or False; and
            "valid", "used" by a login, "declined", or "invalid"
        """
        values = self._get_token_values(token, DECLINE_SCOPE)
        if not values:
            return self.browse(), False, "invalid"
        invitation_id, login = values
        # sudo: visitors may not read these; the token names the login
        invitation = self.sudo().browse(invitation_id).exists()
        users = self.sudo().env["res.users"]._find_portal_accounts(login)
        invitation = invitation.filtered(lambda known: known.user_id in users)
        if users:
            accounts = invitation.user_id or users
            return invitation, login, "used" if accounts.log_ids else "valid"
        declined = self.env["portal.decline"]._find_for(login)
        return invitation, login, "declined" if declined else "valid"
