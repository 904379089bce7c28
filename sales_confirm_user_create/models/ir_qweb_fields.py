import re

from odoo import api, models
from odoo.http import request

# What a link or an old session opens, for whoever has it.
SHARED_PAGE = re.compile(
    r"/(my/(orders|invoices|picking(/return)?/pdf)/\d+|shop/(confirmation|print))/?"
)


class IrQwebFieldContact(models.AbstractModel):
    _inherit = "ir.qweb.field.contact"

    @api.model
    def value_to_html(self, value, options):
        """Override of `base` to show customers' details to nobody else, once they look
        after them in an account: an order's link or an old session would show what
        they change."""
        is_contact = value and value._name == "res.partner"
        if is_contact and self._is_hidden_from_visitor(value):
            return self.env._("Log in to see the contact details.")
        return super().value_to_html(value, options)

    @api.model
    def _is_hidden_from_visitor(self, contact):
        """Return whether a visitor sees the page of somebody who has an account."""
        if not request or not SHARED_PAGE.fullmatch(request.httprequest.path):
            return False
        # sudo: visitors may not read contacts and users, and learn nothing of them
        contact, visitor = contact.sudo(), request.env.user.sudo()
        customers = contact | contact.parent_id
        return (
            visitor.share
            and contact.commercial_partner_id != visitor.commercial_partner_id
            and "activated" in customers.mapped("portal_account_state")
        )
