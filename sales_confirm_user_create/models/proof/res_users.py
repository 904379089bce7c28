from functools import partial
from operator import methodcaller

from odoo import Command, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.http import request
from odoo.tools import SQL

from .unproven import Unproven, list_unproven

# More addresses than these are one item in a form.
MAX_LISTED = 20


class ResUsers(models.Model):
    """Proof that the owner of an account reads the emails to its login."""

    _inherit = "res.users"

    portal_proof_date = fields.Datetime(
        string="Address Confirmed On",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
        help="When the customer opened a link that was emailed to this login.",
    )
    portal_proof_login = fields.Char(
        copy=False, readonly=True, groups="base.group_erp_manager"
    )
    portal_login_revision = fields.Integer(
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
        help="Links from before the latest change of this number do not work.",
    )

    def _end_proof(self, keep_password):
        """End the proof of these logins, all links to them, and all ways into accounts
        of ours: another person may have had the login.

        :param keep_password: whether it was set together with the login
        """
        for user in self:
            user.write(
                {
                    "portal_proof_date": False,
                    "portal_proof_login": False,
                    "portal_login_revision": user.portal_login_revision + 1,
                }
            )
            for invitation in user.portal_invitation_ids:
                invitation.revision += 1
            if not keep_password and user.share and user.portal_invitation_ids:
                user._clear_credentials()

    def _get_proof_date(self):
        """Return when it was proven that the owner of the account reads the emails to
        its login, or False; also where Odoo's emails go somewhere else now."""
        is_proven = self.portal_proof_login and self.portal_proof_login == self.login
        return bool(is_proven and self._get_mailbox()) and self.portal_proof_date

    def _on_mailbox_proven(self, method, kept=()):
        """The customer has used a link that we mailed to exactly the login.

        Override it in modules for which that is a proof.

        :param method: what the link is for: "activation", or what a module adds
        :param kept: keys of what the customer keeps of before, see ``Unproven``
        """
        self.ensure_one()
        # sudo: customers write this about themselves by nothing but the link
        user_sudo = self.sudo()
        # Whoever reads the emails wants an account now.
        self.env["portal.decline"]._forget([user_sudo.login])
        if not user_sudo._get_proof_date():
            # Whoever adds a passkey or the like now waits for this, starts anew, and is
            # logged out by then.
            self.env.execute_query(
                SQL("SELECT id FROM res_users WHERE id = %s FOR UPDATE", user_sudo.id)
            )
            user_sudo._check_credentials_seen()
            user_sudo._remove_unproven(kept)
            user_sudo._close_carts()
            user_sudo._end_document_links()
            user_sudo.write(
                {
                    "portal_proof_date": fields.Datetime.now(),
                    "portal_proof_login": user_sudo.login,
                    # Somebody else may have had a link of Odoo's sent elsewhere.
                    "portal_login_revision": user_sudo.portal_login_revision + 1,
                }
            )

    def _check_credentials_seen(self):
        """Check that this transaction sees all credentials there are.

        :raise ConcurrencyError: one was added since it began; Odoo starts it anew
        """
        seen = {item.key for item in self._get_credentials()}
        with self.env.registry.cursor() as cr:
            latest = self.with_env(self.env(cr=cr)).exists()
            if latest and any(i.key not in seen for i in latest._get_credentials()):
                raise ConcurrencyError("A credential was added to the account")

    def _close_carts(self):
        """Delete open carts but that of the session: somebody else can have filled
        them. Odoo goes on with them, and shows them in the session that began them."""
        domain = [
            *self._get_own_document_domain(),
            ("website_id", "!=", False),
            ("state", "=", "draft"),
        ]
        carts = self.env["sale.order"].search(domain)
        if request and request.session.uid == self.id:
            carts -= carts.browse(request.session.get("sale_order_id"))
        carts.unlink()

    def _end_document_links(self):
        """End the links of the contact's orders and invoices: whoever has ordered in
        the customer's name would go on reading and writing there."""
        domain = [*self._get_own_document_domain(), ("access_token", "!=", False)]
        for model in ("sale.order", "account.move"):
            self.env[model].search(domain).access_token = False

    def _get_own_document_domain(self):
        """Return the domain of the documents of the contact and its addresses; the
        people of a company have theirs."""
        operator = "=" if self.partner_id.is_company else "child_of"
        return [("partner_id", operator, self.partner_id.id)]

    def _get_unproven(self):
        """Return the ways into an account whose mailbox was never proven, and the
        addresses of its contact: somebody else can have made them.

        :return: list of ``Unproven``
        """
        if not self or self._get_proof_date():
            return []
        addresses, kind = self._get_typed_addresses(), self.env._("Address")
        end = methodcaller("_end_typed_addresses")
        found = self._get_credentials() + list_unproven(
            kind, addresses[:MAX_LISTED], end
        )
        if rest := addresses[MAX_LISTED:]:
            name = self.env._("%s more addresses", len(rest))
            found.append(Unproven("rest", name, None, partial(end, rest)))
        return found

    def _get_credentials(self):
        """Return the ways into an account but for its password. Each is removed as its
        module does it.

        Override it in modules with more.

        :return: list of ``Unproven``
        """
        own = [("partner_id", "=", self.partner_id.id)]
        devices = self.env["mail.push.device"].search(own)
        cards = self.env["payment.token"].search(own)
        # the current session stays
        sessions = self.device_ids.filtered(lambda device: not device.is_current)
        kinds = [
            (self.env._("API key"), self.api_key_ids, methodcaller("_remove")),
            (self.env._("Logged in"), sessions, methodcaller("_revoke")),
            (self.env._("Notifications"), devices, methodcaller("unlink")),
            (self.env._("Saved card"), cards, methodcaller("action_archive")),
        ]
        if "auth_passkey_key_ids" in self._fields:
            # on the user, to empty the cache of session tokens
            kinds.append(
                (
                    self.env._("Passkey"),
                    self.auth_passkey_key_ids,
                    lambda key: self.write(
                        {"auth_passkey_key_ids": [Command.delete(key.id)]}
                    ),
                )
            )
        if "totp_secret" in self._fields:
            trusted = self.totp_trusted_device_ids
            name = self.env._("Trusted device")
            kinds.append((name, trusted, methodcaller("_remove")))
        found = [item for kind in kinds for item in list_unproven(*kind)]
        if "totp_secret" in self._fields and self.totp_enabled:
            remove = partial(self.write, dict.fromkeys(["totp_secret"], False))
            name = self.env._("Two-factor authentication")
            found.append(Unproven("totp", name, None, remove))
        if "oauth_uid" in self._fields and self.oauth_uid:
            names = ("oauth_uid", "oauth_provider_id", "oauth_access_token")
            remove = partial(self.write, dict.fromkeys(names, False))
            name = self.env._(
                "Log in with %s", self.oauth_provider_id.name or self.oauth_uid
            )
            found.append(Unproven("oauth", name, None, remove))
        return found

    def _get_typed_addresses(self):
        """Return the addresses of the contact that no employee typed, latest first:
        goods, invoices and, with a user of its own, cards would go to whoever did.

        People below a company are not addresses, and nor are those with a user there.
        """
        partner = self.partner_id
        return partner.child_ids.sorted("id", reverse=True).filtered(
            lambda address: (
                address.create_uid.share
                and not (
                    partner.is_company
                    and (
                        address.type == "contact"
                        or address.user_ids
                        or not address.create_uid._is_public()  # of a colleague
                    )
                )
            )
        )

    def _clear_credentials(self):
        """Remove all ways into these accounts; the mailbox has to open them again."""
        for user in self:
            for item in user._get_credentials():
                item.remove()
        if self:
            # Odoo would keep the hash of an empty password.
            self.env.cr.execute(
                SQL("UPDATE res_users SET password = NULL WHERE id IN %s", self._ids)
            )
            self.env.registry.clear_cache()

    def _remove_unproven(self, kept):
        """Remove what the account had before, but for what the customer keeps, and note
        both on the contact.

        :param kept: keys of ``Unproven``
        """
        unproven = self._get_unproven()
        if not unproven:
            return
        names = {True: [], False: []}
        for item in unproven:
            is_kept = item.key in kept
            names[is_kept].append(item.name)
            if not is_kept:
                item.remove()
        self.partner_id._message_log(
            body=self.env._(
                "The customer confirmed %(login)s. Removed: %(removed)s. Kept: "
                "%(kept)s.",
                login=self.login,
                removed=", ".join(names[False]) or "–",
                kept=", ".join(names[True]) or "–",
            ),
            author_id=self.partner_id.id,
        )
        if request and request.session.uid == self.id:
            self.env.flush_all()
            # as Odoo does, so that the customer stays logged in
            request.session.session_token = self._compute_session_token(
                request.session.sid
            )
