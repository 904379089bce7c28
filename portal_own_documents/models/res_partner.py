from odoo import api, fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_documents = fields.Selection(
        selection=[
            ("own", "Own"),
            ("company", "Whole Company"),
            ("none", "To Decide"),
        ],
        string="Documents",
        compute="_compute_portal_documents",
        compute_sudo=True,
        groups="base.group_erp_manager,sales_team.group_sale_manager",
        help="What the portal shows. The account of a person whose contact was merged "
        "into a company is closed until you decide.",
    )

    @api.depends(
        "commercial_partner_id.is_company",
        "user_ids.active",
        "user_ids.portal_own_documents",
        "user_ids.share",
    )
    def _compute_portal_documents(self):
        for partner in self:
            # read here, and of all contacts together
            is_of_company = partner.commercial_partner_id.is_company
            user = partner.user_ids.filtered(lambda user: user.active and user.share)
            own = user[:1]._get_own_contact()
            if own is not None:
                partner.portal_documents = "own" if own else "none"
            elif user[:1].portal_own_documents:
                partner.portal_documents = "own"
            else:
                partner.portal_documents = user and is_of_company and "company"

    def _family_had_user(self, or_order=Domain.FALSE):
        """Return whether the contact, or one below it, has or had a user.

        :param or_order: domain of orders that count, too
        """
        # Odoo archives the contact of a portal user who deletes the account.
        if not self.active:
            return True
        contacts = self.with_context(active_test=False)
        contacts = contacts.search([("id", "child_of", self.ids)])
        orders = Domain("partner_id", "in", contacts.ids)
        orders &= or_order | self._get_gone_account_domain()
        return bool(
            contacts.user_ids or self.env["sale.order"].search_count(orders, limit=1)
        )

    @api.model
    def _get_gone_account_domain(self):
        """Return the domain of the orders whose customers had an account.

        Override it in modules that know of accounts that are deleted.
        """
        return Domain.FALSE

    def _is_account_of_person(self):
        """Return whether the contact is no company, and has or had a user."""
        return not self.is_company and bool(
            not self.active or self.with_context(active_test=False).user_ids
        )

    def write(self, vals):
        """Override of `base` to keep what a portal user with own documents only submits
        from the contacts of others: Odoo copies it to the company. Where nobody knows
        whose the account is, the own contact is one of others, too."""
        own = self.env.user._get_own_contact()
        if own is None:
            return super().write(vals)
        closed = {"active", *self._address_fields(), *self._synced_commercial_fields()}
        closed |= self._get_frontend_writable_fields()
        rest = {name: vals[name] for name in vals.keys() - closed if own}
        mine = self.with_context(active_test=False)._filter_addresses(own)
        super(ResPartner, self - mine).write(rest)
        return super(ResPartner, self & mine).write(vals)

    def _fields_sync(self, values):
        """Override of `base`, which copies addresses and VAT numbers to the company:
        not those of a contact whose portal is limited, whoever writes on it next."""
        # sudo: reading users takes more rights than editing contacts
        user_sudo = self.sudo().with_context(active_test=False).user_ids[:1]
        if user_sudo._get_own_contact():
            closed = {*self._address_fields(), *self._synced_commercial_fields()}
            values = {name: values[name] for name in values.keys() - closed}
        return super()._fields_sync(values)

    def _filter_addresses(self, partner):
        """Return those that are a contact or one of its addresses."""
        return self & self.search([("id", "child_of", partner.ids)])

    def _can_be_edited_by_current_customer(self, **kwargs):
        """Override of `portal` to keep the forms of the company's addresses closed."""
        own = self.env.user._get_own_contact()
        is_own = own is None or self == self._filter_addresses(own)
        return is_own and super()._can_be_edited_by_current_customer(**kwargs)

    def _filter_for_customer(self):
        """Return the addresses that the current customer may see: their own, the
        company's, and those that Odoo put on their orders."""
        own = self.env.user._get_own_contact()
        if own is None:
            return self
        # sudo: a cart is not for portal users to read
        orders_sudo = self.env["sale.order"].sudo()
        orders_sudo = orders_sudo.search([("partner_id", "child_of", own.ids)])
        chosen = orders_sudo.partner_shipping_id | orders_sudo.partner_invoice_id
        company = own.commercial_partner_id.filtered("is_company")
        return self & (chosen | company | self._filter_addresses(own))
