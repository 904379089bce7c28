from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from odoo.addons.auth_signup.models.res_users import SignupError

from ...tools import Trusted, get_deliverable_address, is_login_taken

# for reasons that are shown or noted in the language of those who read them
_lt = LazyTranslate(__name__)

RESEND_PAUSE = timedelta(minutes=10)


class ResUsers(models.Model):
    """Activation and invitation; sign-up and login with any spelling of an address."""

    _inherit = "res.users"

    @api.model
    def _signup_create_user(self, values):
        """Override of `website` to store an address as login in one form: another
        spelling would be another account.

        :raise UserError: the account was never activated; a link is on its way
        """
        if "partner_id" in values:
            # sudo: as in super; the token names the contact
            partner_sudo = self.env["res.partner"].sudo().browse(values["partner_id"])
            if partner_sudo._had_portal_account():
                # Whoever has the link of an old order need not be its owner.
                del values["partner_id"]
                values["name"] = values["login"]
            elif partner_sudo != partner_sudo.commercial_partner_id:
                # any company may be added to the user later
                strict = partner_sudo.company_id.search(
                    [("portal_company_contacts", "!=", "all")], limit=1
                )
                values["portal_own_documents"] = partner_sudo._get_portal_own_documents(
                    strict
                )
        if address := get_deliverable_address(values.get("login") or ""):
            if values.get("email") == values["login"]:
                values["email"] = address  # where a new password is sent
            values["login"] = address
            # sudo: visitors may not read users, and learn what Odoo tells them, too
            user_sudo = self.sudo().search(self._get_login_domain(address), limit=1)
            is_allowed = (
                "partner_id" in values or self._get_signup_invitation_scope() == "b2c"
            )
            invitation_sudo = user_sudo._filter_unused_accounts().portal_invitation_ids
            if is_allowed and invitation_sudo and invitation_sudo._renew():
                raise UserError(
                    self.env._(
                        "There is an account for this address. We've emailed you a "
                        "link to activate it."
                    )
                )
        try:
            return super()._signup_create_user(values)
        except SignupError as error:
            # Modules write logins in a form of their own, which Odoo does not look for.
            if is_login_taken(error.__context__):
                raise SignupError(
                    self.env._(
                        "Another user is already registered using this email address."
                    )
                ) from error
            raise

    def action_reset_password(self):
        """Override of `auth_signup` to send the invitation instead of a reset link
        while the account is unused: it asks what was there before."""
        invited = self.browse()
        # whoever else is logged in where they ask
        if not self.env.user._is_internal():
            invited = self._filter_unused_accounts().filtered(
                lambda user: user.portal_invitation_ids._renew()
            )
        if invited and invited == self:
            return None
        return super(ResUsers, self - invited).action_reset_password()

    @api.model
    def _get_login_domain(self, login):
        """Override of `website` to find the login that another spelling was stored as,
        unless somebody has that spelling."""
        domain = super()._get_login_domain(login)
        address = get_deliverable_address(login or "")
        # sudo: visitors may not read users, and learn nothing new
        if (
            not address
            or address == login
            or self.sudo().with_context(active_test=False).search_count(domain, limit=1)
        ):
            return domain
        return super()._get_login_domain(address)

    @api.model
    def _get_signup_invitation_scope(self):
        """Override of `website` to hide the link that signs up for the customer of an
        order who has an account, see the controller of the confirmation page."""
        if self.env.context.get("sales_confirm_user_create_no_signup") is Trusted:
            return "b2b"
        return super()._get_signup_invitation_scope()

    def _update_last_login(self):
        """Override of `base` to store the first login."""
        # sudo: users have no access to this field
        user_sudo = self.sudo()
        if not user_sudo.portal_activation_date:
            user_sudo.portal_activation_date = (
                user_sudo.login_date or fields.Datetime.now()
            )
        return super()._update_last_login()

    def _filter_unused_accounts(self):
        """Return the invited portal users who have never logged in."""
        return self.filtered(
            lambda user: (
                user.share
                and user.portal_invitation_ids
                and not user.portal_activation_date
            )
        )

    def _notify_security_setting_update(self, subject, content, **kwargs):
        """Override of `mail` not to warn customers of their own first password."""
        # sudo: customers may not read when they logged in
        is_first = not self.sudo().portal_activation_date
        key = "sales_confirm_user_create_activation"
        if is_first and self.env.context.get(key) is Trusted:
            return self.env["mail.mail"]
        return super()._notify_security_setting_update(subject, content, **kwargs)

    def _follow_address(self, before):
        """Follow the contact's new address: an unused account that we created gets it
        as login, or ends; staff are told about others.

        :param before: the address until now, or False
        """
        unused = self.filtered("active")._filter_unused_accounts()
        unused._clear_credentials()
        if self.portal_proof_login and not self._get_mailbox():
            self._end_proof(keep_password=True)
        if not self.env.user._is_internal():
            return  # What customers type about themselves proves nothing.
        if unused and get_deliverable_address(self.login):
            address = self.partner_id._get_portal_address()
            unused.portal_invitation_ids._follow_address(address)
        elif self.login == before:
            self.partner_id._message_log(
                body=self.env._(
                    "The customer still logs in as %s. If that is somebody else, an "
                    "administrator must change the login or archive the user.",
                    self.login,
                ),
                author_id=self._get_note_author_id(),
            )

    def _activate_portal_account(self, password, kept=()):
        """Set the first password of an account.

        :param kept: keys of what stays of before, see ``_on_mailbox_proven``
        :raise UserError: no password, or another module's rule rejects it
        """
        self.ensure_one()
        if not password:
            raise UserError(self.env._("Enter a password."))
        self.with_context(sales_confirm_user_create_activation=Trusted).write(
            {"password": password}
        )
        self._on_mailbox_proven("activation", kept)

    def _get_no_invitation_reason(self):
        """Return why the account cannot be invited again, untranslated, or False."""
        if not self:
            return _lt("the customer has no account.")
        self.ensure_one()
        if not self.active:
            return _lt("the account is archived.")
        if not self._is_portal():
            return _lt("the customer is not a portal user.")
        if self.portal_activation_date:
            return _lt("the account is already activated.")
        sent = self.portal_invitation_ids.sent_date
        if sent and fields.Datetime.now() - sent < RESEND_PAUSE:
            return _lt("an email was sent less than ten minutes ago.")
        return self._get_invitation_address_issue()

    def _get_mailbox(self):
        """Return the one address that all emails to the account go to, or False: our
        links to the login, and Odoo's to the address of the contact."""
        address = get_deliverable_address(self.login)
        return address == self.partner_id._get_portal_address() and address

    def _get_invitation_address_issue(self):
        """Return why no email can go to the account, to be translated, or False."""
        self.ensure_one()
        if not get_deliverable_address(self.login):
            return _lt("the login of the account is not an email address.")
        if not self._get_mailbox():
            return _lt(
                "the contact's address and the account's login differ. An "
                "administrator can change the login."
            )
        return False
