from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from odoo import Command, fields, models
from odoo.http import request
from odoo.tools import SQL

# More addresses than these are one item in a form.
MAX_LISTED = 20


class Unproven(NamedTuple):
    """What an account had before its mailbox was proven: a way in, or an address."""

    key: str  # in forms
    name: str  # what its owner knows it by
    date: datetime | None
    remove: Callable


class ResUsers(models.Model):
    """Who has proven to read what is mailed to the login."""

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
        """Have these logins proven by nobody, and end all links to them.

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
            if not keep_password:
                user._clear_unused()

    def _get_proof_date(self):
        """Return when it was proven that the owner of the account reads the emails to
        its login, or False; also where Odoo's emails go somewhere else now."""
        is_proven = self.portal_proof_login and self.portal_proof_login == self.login
        return bool(is_proven and self._get_mailbox()) and self.portal_proof_date

    def _on_mailbox_proven(self, method, kept=()):
        """The customer has used a link that we mailed to exactly the login.

        To be extended by modules for which that is a proof.

        :param method: what the link is for: "activation", or what a module adds
        :param kept: keys of what the customer keeps of before, see ``Unproven``
        """
        self.ensure_one()
        # sudo: customers write this about themselves by nothing but the link
        user = self.sudo()
        # Whoever reads the emails wants an account now.
        self.env["portal.decline"]._find_for(user.login).unlink()
        if not user._get_proof_date():
            # Whoever adds a passkey or the like now waits for this, starts anew, and is
            # logged out by then.
            self.env.execute_query(
                SQL("SELECT id FROM res_users WHERE id = %s FOR UPDATE", user.id)
            )
            user._remove_unproven(kept)
            user._close_carts()
            user.write(
                {
                    "portal_proof_date": fields.Datetime.now(),
                    "portal_proof_login": user.login,
                    # Somebody else may have had a link of Odoo's sent elsewhere.
                    "portal_login_revision": user.portal_login_revision + 1,
                }
            )

    def _close_carts(self):
        """End the links of open carts: whoever has one would see the next order."""
        domain = [
            ("partner_id", "child_of", self.partner_id.ids),
            ("website_id", "!=", False),
            ("state", "=", "draft"),
            ("access_token", "!=", False),
        ]
        self.env["sale.order"].search(domain).access_token = False

    # === What was there before the first proof === #

    def _get_unproven(self):
        """Return the ways into an account whose mailbox was never proven, and the
        addresses of its contact: somebody else can have made them.

        :return: list of ``Unproven``
        """
        if not self or self._get_proof_date():
            return []
        addresses = self._get_typed_addresses()
        listed, rest = addresses[:MAX_LISTED], addresses[MAX_LISTED:]
        found = self._get_credentials() + _list(
            self.env._("Address"), listed, lambda address: address._end_typed_addresses
        )
        if rest:
            name = self.env._("%s more addresses", len(rest))
            found.append(Unproven("rest", name, None, rest._end_typed_addresses))
        return found

    def _get_credentials(self):
        """Return the ways into an account but for its password. Each is removed as its
        module does it.

        To be extended by modules with more.

        :return: list of ``Unproven``
        """
        # the current session stays
        sessions = self.device_ids.filtered(lambda device: not device.is_current)
        found = [
            *_list(self.env._("API key"), self.api_key_ids, lambda key: key._remove),
            *_list(self.env._("Logged in"), sessions, lambda session: session._revoke),
            *_list(
                self.env._("Notifications"),
                self.env["mail.push.device"].search(
                    [("partner_id", "=", self.partner_id.id)]
                ),
                lambda device: device.unlink,
            ),
        ]
        if "auth_passkey_key_ids" in self._fields:
            found += _list(
                self.env._("Passkey"),
                self.auth_passkey_key_ids,
                # on the user, to empty the cache of session tokens
                lambda key: partial(
                    self.write, {"auth_passkey_key_ids": [Command.delete(key.id)]}
                ),
            )
        if "totp_secret" in self._fields:
            found += _list(
                self.env._("Trusted device"),
                self.totp_trusted_device_ids,
                lambda device: device._remove,
            )
            if self.totp_enabled:
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
                    and (address.type == "contact" or address.user_ids)
                )
            )
        )

    def _clear_unused(self):
        """Let nobody into accounts of ours that nobody has used who was sent a link
        before the login was changed, or its contact.

        Odoo's *Reset Password* sets a password without a login.
        """
        unused = self.filtered(
            lambda user: user.share and user.portal_invitation_ids and not user.log_ids
        )
        for user in unused:
            user._clear_credentials()

    def _clear_credentials(self):
        """Remove all ways into an account."""
        for item in self._get_credentials():
            item.remove()
        # Odoo would keep the hash of an empty password.
        self.env.cr.execute(
            SQL("UPDATE res_users SET password = NULL WHERE id IN %s", tuple(self.ids))
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
                "The customer confirmed %(login)s. Removed of what the account had "
                "before: %(removed)s. Kept: %(kept)s.",
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


def _list(kind, records, get_remove):
    """Return records as a list of ``Unproven``.

    :param kind: what they are, translated
    :param get_remove: function of a record that returns the function to remove it
    """
    return [
        Unproven(
            key=f"{record._name}-{_get_key(record)}",
            name=f"{kind}: {_get_name(record)}",
            date=_get_date(record) or None,
            remove=get_remove(record),
        )
        for record in records
    ]


def _get_date(record):
    """Return when a session was last used, or when anything else was created."""
    is_session = record._name == "res.device"
    return record.last_activity if is_session else record.create_date


def _get_key(record):
    """Return what stays the same of a record while a customer looks at a form."""
    if record._name == "res.device":
        # It has the id of its latest activity.
        parts = record.session_identifier, record.platform, record.browser
        return sha256(repr(parts).encode()).hexdigest()[:16]
    return record.id


def _get_name(record):
    """Return what the customer knows a record by."""
    if record._name == "res.partner":
        parts = record.name, record.street, record.zip, record.city
        return ", ".join(filter(None, parts))
    if record._name == "mail.push.device":
        return urlsplit(record.endpoint).hostname or ""
    return record.display_name
