from werkzeug.exceptions import Forbidden

from odoo import api, fields, models

# No contact has this id. False would find what belongs to no contact.
NOBODY = -1


class OwnContact:
    """A portal user, or its contact, as if it belonged to no company.

    A record rule that shows documents of the user's company names
    ``commercial_partner_id``: here, it is the user's own contact, or nobody.
    """

    def __init__(self, record, partner):
        self._record = record
        self._partner = partner

    def __getattr__(self, name):
        if name in ("partner_id", "commercial_partner_id"):
            return OwnContact(self._partner, self._partner)
        if name == "id":
            return self._record.id or NOBODY
        return getattr(self._record, name)


class IrRule(models.Model):
    _inherit = "ir.rule"

    @api.model
    def _eval_context(self):
        """Override of `base` to show some portal users nothing of their company.

        This holds for the rules of all modules, whether we know them or not. What else
        belongs to these users is in rules of our own.
        """
        context = super()._eval_context()
        own = context["user"]._get_own_contact()
        context["own_documents_only"] = own is not None
        if own is not None:
            context["user"] = OwnContact(context["user"], own)
        return context

    def _compute_domain_context_values(self):
        """Override of `base`: the domains that are cached for a user depend on its
        contact, which Odoo's merge changes without any method being called."""
        yield from super()._compute_domain_context_values()
        own = self.env.user._get_own_contact()
        yield own is None or tuple(own.ids)


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _prepare_frontend_environment(self, values):
        """Override of `portal`: pages show the contact of the user, which rules hide
        where it has become a company."""
        res = super()._prepare_frontend_environment(values)
        if self.env.user._is_account_undecided():
            # sudo: what pages show of the own contact: picture, name and address
            values["user_id"] = values["user_id"].sudo()
        return res


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_company_contacts = fields.Selection(
        selection=[
            ("own", "Own documents only"),
            ("all", "The whole company's documents"),
            ("none", "No account"),
        ],
        string="Contacts of Companies",
        default="own",
        required=True,
        help="What the new account of a contact that belongs to a company shows.",
    )


class ResUsers(models.Model):
    _inherit = "res.users"

    portal_own_documents = fields.Boolean(
        string="Portal: Own Documents Only",
        copy=False,
        groups="base.group_erp_manager,sales_team.group_sale_manager",
        help="The portal shows the orders, invoices and addresses of the user's own "
        "contact, and not those of the whole company.",
    )

    def _get_own_contact(self):
        """Return the contact to which the portal of this user is limited.

        :return: the user's contact if it belongs to a company, or is an address of a
            person who has an account: a guest can have typed it; no contact if it has
            become a company itself, by a merge: nobody knows whose account it is; None
            if the user is not limited
        """
        if not self or self._is_internal():
            return None
        partner, above = self.partner_id, self.partner_id.commercial_partner_id
        if partner != above and above._is_account_of_person():
            return partner
        if not self.portal_own_documents:
            return None
        if partner.is_company:
            return partner.browse()
        return partner if partner != above else None

    def _is_account_undecided(self):
        """Return whether nobody knows whose documents the portal may show."""
        own = self._get_own_contact()
        return own is not None and not own

    def write(self, vals):
        """Override of `base` to note on the contacts who changed what they see, and to
        let them follow nothing that they no longer see."""
        changed = self.browse()
        if "portal_own_documents" in vals:
            is_own = bool(vals["portal_own_documents"])
            changed = self.filtered(lambda user: user.portal_own_documents != is_own)
        followed = changed._get_shown_followers()
        res = super().write(vals)
        (followed - changed._get_shown_followers()).unlink()
        changed._note_own_documents()
        return res

    def _get_shown_followers(self):
        """Return the subscriptions of these users to records that they may read."""
        # sudo: subscriptions are not for everybody to read, or to end
        followers = self.env["mail.followers"].sudo()
        shown = followers.browse()
        for user in self:
            domain = [("partner_id", "=", user.partner_id.id)]
            followed = followers.search(domain).grouped("res_model")
            for model, rows in followed.items():
                if model not in self.env:
                    continue
                records = self.env[model].with_user(user).browse(rows.mapped("res_id"))
                ids = set(records.exists()._filtered_access("read").ids)
                shown += rows.filtered(lambda row, ids=ids: row.res_id in ids)
        return shown

    def _note_own_documents(self):
        """Note on the contacts what their portal shows from now on."""
        # sudo: a note on a contact that the user may see, and possibly not edit
        for user in self.sudo():
            body = user.env._("The portal shows the documents of the whole company.")
            if user.portal_own_documents:
                body = user.env._("The portal shows the contact's own documents only.")
            user.partner_id._message_log(
                body=body, author_id=self.env.user.partner_id.id
            )


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
            is_own = partner.portal_own_documents
            if partner.is_company:
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

    def _get_portal_own_documents(self, company):
        """Return whether a new account of this contact shows its own documents only.

        :param company: the company of the shop
        """
        is_contact = self != self.commercial_partner_id
        shows_all = is_contact and company.portal_company_contacts == "all"
        return not self.is_company and not shows_all

    def _filter_account_holders(self):
        """Return the companies, or persons, with a portal user that is an account of
        ours or sees its own documents only."""
        if not self:
            return self
        users = self.env["res.users"].search([("partner_id", "child_of", self.ids)])
        return users.filtered(
            lambda user: (
                user.share
                and not user._is_public()
                and (user.portal_own_documents or user.portal_invitation_ids)
            )
        ).partner_id.commercial_partner_id

    def _is_account_of_person(self):
        """Return whether the contact is no company and has an account of ours."""
        return not self.is_company and bool(self.user_ids.portal_invitation_ids)

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


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_of_account_holder(self):
        """Return whether the customer of a cart belongs to a company, where only users
        buy, or is a person with an account of ours."""
        if not self or self._is_anonymous_cart():
            return False
        # sudo: visitors may not read users, and learn nothing but this
        family = self.sudo().partner_id.commercial_partner_id
        return family.is_company or bool(family._filter_account_holders())

    def _action_confirm(self):
        """Override of `delivery`: a pickup point, whose data the browser sends, becomes
        an address below the order's, or the one there that looks like it. Below that of
        the company, it would be a colleague's."""
        for order in self.filtered("pickup_location_data"):
            # sudo: those who confirm orders may not read how users are limited
            own = order.partner_id.sudo().user_ids[:1]._get_own_contact()
            if own and order.partner_shipping_id.parent_id != own:
                order.partner_shipping_id = order.partner_id
        return super()._action_confirm()


class Website(models.Model):
    _inherit = "website"

    def _get_and_cache_current_cart(self):
        """Override of `website_sale`: where nobody knows whose an account is, its cart
        would be the company's. And visitors have to log in to go on with the cart of a
        customer with an account: they would edit the contact and its addresses."""
        # sudo: none, as carts are
        none = self.env["sale.order"].sudo()
        if self.env.user._is_account_undecided():
            return none
        cart = super()._get_and_cache_current_cart()
        is_closed = self.env.user._is_public() and cart._is_of_account_holder()
        return none if is_closed else cart

    def _create_cart(self):
        """Override of `website_sale` to buy nothing in the name of a company."""
        if self.env.user._is_account_undecided():
            raise Forbidden()
        return super()._create_cart()


class PaymentToken(models.Model):
    _inherit = "payment.token"

    def _get_available_tokens(self, *args, **kwargs):
        """Override of `payment` not to show the cards of the company."""
        tokens = super()._get_available_tokens(*args, **kwargs)
        return tokens._filter_shown_to_current_customer()

    def _filter_shown_to_current_customer(self):
        """Return the cards that a customer may see: the own ones, or all.

        A visitor with the link of a document is not logged in, and sees no card of
        customers with an account: the link may be that of somebody who ordered in their
        name, or of a colleague.
        """
        user = self.env.user
        if user._is_public():
            # sudo: visitors may not read users, and learn nothing of them
            tokens = self.sudo()
            holders = tokens.partner_id.commercial_partner_id._filter_account_holders()
            return self - tokens.filtered(
                lambda token: token.partner_id.commercial_partner_id in holders
            )
        own = user._get_own_contact()
        if own is None:
            return self
        return self.filtered(lambda token: token.partner_id == own)
