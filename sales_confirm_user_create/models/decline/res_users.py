from odoo import api, models


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
        """Remember that the owner of an address declined, and delete the invited
        accounts with it that nobody has used. One that was used before its access was
        given back is archived again.

        :param login: the address
        :param partner: the contact who declined
        :param orders: the orders to note it on, in addition to those of the accounts
        """
        # sudo: the customer may not edit users and orders
        unused_sudo = self.sudo()._find_portal_accounts(login)._filter_unused_accounts()
        self._remember_decline(
            login,
            partner or unused_sudo.partner_id[:1],
            orders.sudo() | unused_sudo.portal_invitation_ids.order_id,
        )
        used_sudo = unused_sudo.filtered("log_ids")
        (unused_sudo - used_sudo)._delete_unused()
        used_sudo.active = False

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
        """Override of `base` to treat customers who delete their account as declined,
        for the login: anybody can type the address of a contact."""
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
