import logging
from contextlib import suppress
from datetime import timedelta
from smtplib import SMTPServerDisconnected

from odoo import api, fields, models
from odoo.tools import hash_sign, urls

from odoo.addons.sales_confirm_user_create.tools import (
    get_shown_name,
    insert_links,
    new_placeholder,
)

_logger = logging.getLogger(__name__)

LINK_SCOPE = "sale_portal_claim.claim"
VALIDITY = timedelta(days=1)
DAILY_MAX = 3


class PortalClaimRequest(models.TransientModel):
    """A customer asks for the orders that are missing in the account.

    The link goes to the login, so that whoever opens it reads what is mailed there.
    """

    _name = "portal.claim.request"
    _description = "Search for Missing Orders"
    _transient_max_hours = VALIDITY.total_seconds() / 3600

    user_id = fields.Many2one(
        comodel_name="res.users", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True)
    customer_name = fields.Char(
        compute="_compute_customer_name", help="The name that emails greet, or empty."
    )

    @api.depends("user_id.name")
    def _compute_customer_name(self):
        for request in self:
            request.customer_name = get_shown_name(request.user_id.name)

    @api.model
    def _is_available(self, website):
        """Return whether the current user may look for missing orders on a website."""
        user = self.env.user
        # sudo: the setting is the company's, whoever visits
        is_on = website.sudo().company_id.portal_order_claims
        return is_on and user._is_portal() and "@" in user.login

    @api.model
    def _send_link(self, website):
        """Email the current user a link, unless there were enough today.

        :return: "sent", "enough" or "failed"
        """
        # sudo: customers have no access to their requests, nor to how they log in
        self_sudo, user_sudo = self.sudo(), self.env.user.sudo()
        since = fields.Datetime.now() - VALIDITY
        domain = [("user_id", "=", user_sudo.id), ("create_date", ">", since)]
        if not user_sudo.try_lock_for_update(allow_referencing=True):
            return "sent"  # by the first of two clicks
        if self_sudo.search_count(domain) >= DAILY_MAX:
            return "enough"
        template_sudo = self_sudo.env.ref(
            "sale_portal_claim.mail_template_portal_missing_orders",
            raise_if_not_found=False,
        )
        if not template_sudo:
            _logger.error("The mail template for missing orders is deleted")
            return "failed"
        values = {"user_id": user_sudo.id, "company_id": website.company_id.id}
        signed = self._get_link_values()
        token = hash_sign(self_sudo.env, LINK_SCOPE, signed, expiration=VALIDITY)
        path = f"/web/portal/missing?token={token}"
        link = urls.urljoin(website.get_base_url(), path)
        placeholder = new_placeholder()
        request_sudo = self_sudo.create(values)
        mail_id = template_sudo.with_context(
            sale_portal_claim_url=placeholder
        ).send_mail(
            request_sudo.id,
            email_values={
                "email_to": user_sudo._get_mailbox(),
                "email_cc": False,
                "recipient_ids": [],
                "auto_delete": True,
                "message_type": "user_notification",
            },
            email_layout_xmlid="sale_portal_claim.mail_layout_missing_orders",
        )
        mail_sudo = self_sudo.env["mail.mail"].browse(mail_id)
        mail_sudo.body_html = insert_links(mail_sudo.body_html, {placeholder: link})
        with suppress(SMTPServerDisconnected):  # Odoo has logged it
            mail_sudo.send()
        # One that was sent is deleted; no other stays, as the link is in it.
        if not (unsent_sudo := mail_sudo.exists()):
            return "sent"
        # not the reason: the server may have quoted the email
        _logger.error("A link to missing orders: %s", unsent_sudo.failure_type)
        unsent_sudo.unlink()
        request_sudo.unlink()  # it counts for nothing
        return "failed"

    @api.model
    def _is_valid_token(self, token):
        """Return whether a link was mailed to the login of the current user today."""
        values = self.env["portal.invitation"]._get_token_values(token, LINK_SCOPE)
        return values == self._get_link_values()

    @api.model
    def _get_link_values(self):
        """Return what is signed in a link: who asked, and the login it goes to."""
        # sudo: customers may not read how often their login has changed
        user_sudo = self.env.user.sudo()
        return [user_sudo.id, user_sudo.login, user_sudo.portal_login_revision]
