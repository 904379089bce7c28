from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    portal_own_documents = fields.Boolean(
        string="Own Documents Only",
        compute="_compute_portal_own_documents",
        inverse="_inverse_portal_own_documents",
        compute_sudo=True,
        groups="base.group_erp_manager,sales_team.group_sale_manager",
        help="The portal shows the orders, invoices and addresses of this contact, and "
        "not those of the whole company.",
    )
    portal_documents = fields.Selection(
        selection=[
            ("own", "Own"),
            ("company", "Whole company"),
            ("none", "None: to decide"),
        ],
        string="Documents",
        compute="_compute_portal_documents",
        compute_sudo=True,
        groups="base.group_erp_manager,sales_team.group_sale_manager",
        help="What the portal shows. The account of a person whose contact was merged "
        "into a company shows no documents until you decide.",
    )

    @api.depends("is_company", "commercial_partner_id", "portal_own_documents")
    def _compute_portal_documents(self):
        for partner in self:
            users = partner.with_context(active_test=False).user_ids
            is_own = partner.portal_own_documents
            if not any(users.mapped("share")):
                partner.portal_documents = False
            elif partner.is_company:
                partner.portal_documents = "none" if is_own else "company"
            else:
                is_own = is_own or partner == partner.commercial_partner_id
                partner.portal_documents = "own" if is_own else "company"

    @api.depends("user_ids.portal_own_documents")
    def _compute_portal_own_documents(self):
        for partner in self:
            users = partner.user_ids
            partner.portal_own_documents = any(users.mapped("portal_own_documents"))

    def _inverse_portal_own_documents(self):
        for partner in self:
            # sudo: sales managers may change this of a portal user, and nothing else
            users = partner.sudo().user_ids.filtered("share")
            users.portal_own_documents = partner.portal_own_documents

    def _filter_account_holders(self):
        """Return the companies, or persons, whose carts and cards are for those who
        log in: they have, or had, a portal user.

        Odoo archives the contact of a portal user who deletes the account.
        """
        if not self:
            return self
        family = self.with_context(active_test=False)
        users = family.env["res.users"].search(
            [("partner_id", "child_of", self.ids), ("share", "=", True)]
        )
        archived = self.filtered(lambda partner: not partner.active)
        return users.partner_id.commercial_partner_id | archived

    def _is_account_of_person(self):
        """Return whether the contact is no company and has a portal user."""
        return not self.is_company and any(self.user_ids.mapped("share"))

    def write(self, vals):
        """Override of `base` to keep what a portal user with own documents only submits
        from the contacts of others: Odoo copies it to the company."""
        own = self.env.user._get_own_contact()
        if own is None:
            return super().write(vals)
        # sudo: the user may not read the contacts above the own one
        others = self.filtered(
            lambda partner: own not in partner.sudo()._with_parents()
        )
        if not others:
            return super().write(vals)
        closed = {"active", *self._address_fields(), *self._synced_commercial_fields()}
        closed |= self._get_frontend_writable_fields()
        rest = {name: value for name, value in vals.items() if name not in closed}
        super(ResPartner, others).write(rest)
        return super(ResPartner, self - others).write(vals)

    def _with_parents(self):
        """Return contacts and all above them."""
        contacts = parents = self
        while parents := parents.parent_id - contacts:
            contacts += parents
        return contacts

    def _can_be_edited_by_current_customer(self, **kwargs):
        """Override of `portal` to keep the forms of the company's addresses closed."""
        own = self.env.user._get_own_contact()
        return super()._can_be_edited_by_current_customer(**kwargs) and (
            own is None or self in self._search_addresses(own)
        )

    @api.model
    def _search_addresses(self, partner):
        """Return a contact and its addresses."""
        return self.search([("id", "child_of", partner.ids)])

    def _filter_shown_to_current_customer(self):
        """Return the addresses that a portal user may see: the own, the company's, and
        those that are on the own orders because Odoo chose them."""
        own = self.env.user._get_own_contact()
        if own is None:
            return self
        shown = self._search_addresses(own)
        # sudo: a cart is not for portal users to read
        orders = self.env["sale.order"].sudo().search([("partner_id", "in", shown.ids)])
        shown |= orders.partner_shipping_id | orders.partner_invoice_id
        return self & (shown | own.commercial_partner_id)
