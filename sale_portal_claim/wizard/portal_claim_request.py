import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import hash_sign, urls, verify_hash_signed

from odoo.addons.sales_confirm_user_create.tools import (
    get_deliverable_address,
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

    @api.model
    def _is_available(self, website):
        """Return whether the current user may look for missing orders on a website."""
        user = self.env.user
        # sudo: the setting is the company's, whoever visits
        is_on = website.sudo().company_id.portal_order_claims
        return is_on and user._is_portal() and bool(get_deliverable_address(user.login))

    @api.model
    def _send_link(self, website):
        """Email the current user a link, unless there were enough today."""
        # sudo: customers have no access to their requests, whose links prove something
        requests, user = self.sudo(), self.env.user
        mailbox = user.sudo()._get_mailbox()
        if not mailbox or not user.sudo().try_lock_for_update(allow_referencing=True):
            return
        since = fields.Datetime.now() - VALIDITY
        domain = [("user_id", "=", user.id), ("create_date", ">", since)]
        if requests.search_count(domain) >= DAILY_MAX:
            return
        request = requests.create(
            {"user_id": user.id, "company_id": website.company_id.id}
        )
        template = self.env.ref(
            "sale_portal_claim.mail_template_portal_missing_orders",
            raise_if_not_found=False,
        )
        if not template:
            _logger.error("The mail template for missing orders is deleted")
            return
        values = self._get_link_values()
        token = hash_sign(requests.env, LINK_SCOPE, values, expiration=VALIDITY)
        url = f"/my/orders/missing?token={token}"
        link = urls.urljoin(website.get_base_url(), url)
        placeholder = new_placeholder()
        template = template.sudo().with_context(sale_portal_claim_url=placeholder)
        mail_id = template.send_mail(
            request.id,
            email_values={
                "email_to": mailbox,
                "email_cc": False,
                "recipient_ids": [],
                "auto_delete": True,
                "message_type": "user_notification",
            },
        )
        mail = requests.env["mail.mail"].browse(mail_id)
        mail.body_html = insert_links(mail.body_html, {placeholder: link})
        mail.send()

    @api.model
    def _is_valid_token(self, token):
        """Return whether a link was mailed to the login of the current user today."""
        try:
            values = verify_hash_signed(self.sudo().env, LINK_SCOPE, token)
        except ValueError:
            # decoding what a mail program has cut
            return False
        return values == self._get_link_values() and self._has_mailbox()

    @api.model
    def _get_link_values(self):
        """Return what is signed in a link: who asked, and the login it goes to."""
        # sudo: customers may not read how often their login has changed
        user = self.env.user.sudo()
        return [user.id, user.login, user.portal_login_revision]

    @api.model
    def _has_mailbox(self):
        """Return whether all emails to the current user go to the login."""
        # sudo: of the own account, nothing but this
        return bool(self.env.user.sudo()._get_mailbox())
