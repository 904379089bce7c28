from odoo import api, fields, models


class OwnContact:
    """A portal user, or its contact, as if it belonged to no company.

    A record rule that shows documents of the user's company names
    ``commercial_partner_id``: here, it is the user's own contact.
    """

    def __init__(self, record, partner):
        self._record = record
        self._partner = partner

    def __getattr__(self, name):
        if name in ("partner_id", "commercial_partner_id"):
            return OwnContact(self._partner, self._partner)
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
        user = context["user"]
        if user.share and user.portal_own_documents:
            context["user"] = OwnContact(user, user.partner_id)
        return context


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

    @api.model
    def _get_invalidation_fields(self):
        """Override of `base`: workers cache what the record rules say of a user."""
        return super()._get_invalidation_fields() | {"portal_own_documents"}

    def write(self, vals):
        """Override of `base` to note on the contacts who changed what they see."""
        changed = self.browse()
        if "portal_own_documents" in vals:
            is_own = bool(vals["portal_own_documents"])
            changed = self.filtered(lambda user: user.portal_own_documents != is_own)
        res = super().write(vals)
        changed._note_own_documents()
        return res

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

    def write(self, vals):
        """Override of `base`: an account that nobody has decided on shows nothing of
        the company that its contact is given later."""
        moved = self.browse()
        if parent_id := vals.get("parent_id"):
            moved = self.filtered(lambda partner: partner.parent_id.id != parent_id)
        res = super().write(vals)
        # sudo: those who edit contacts may not read invitations, nor edit users
        moved.sudo().user_ids.portal_invitation_ids.filtered(
            lambda invitation: invitation.company_id.portal_company_contacts != "all"
        ).user_id.filtered("share").portal_own_documents = True
        return res

    def _can_be_edited_by_current_customer(self, **kwargs):
        """Override of `portal` to keep the forms of the company's addresses closed."""
        return super()._can_be_edited_by_current_customer(**kwargs) and (
            not self.env.user.portal_own_documents
            or self in self._search_own_addresses()
        )

    @api.model
    def _search_own_addresses(self):
        """Return the contact of the current portal user and its addresses."""
        return self.search([("id", "child_of", self.env.user.partner_id.id)])

    def _filter_shown_to_current_customer(self):
        """Return the addresses that a portal user may see: the own, the company's, and
        those that are on the own orders because Odoo chose them."""
        user = self.env.user
        if not user.portal_own_documents:
            return self
        own = self._search_own_addresses()
        # sudo: a cart is not for portal users to read
        orders = self.env["sale.order"].sudo().search([("partner_id", "in", own.ids)])
        own |= orders.partner_shipping_id | orders.partner_invoice_id
        return self & (own | user.partner_id.commercial_partner_id)


class PaymentToken(models.Model):
    _inherit = "payment.token"

    def _get_available_tokens(self, *args, **kwargs):
        """Override of `payment` not to show the cards of the company."""
        tokens = super()._get_available_tokens(*args, **kwargs)
        return tokens._filter_shown_to_current_customer()

    def _filter_shown_to_current_customer(self):
        """Return the cards that a portal user may see: the own ones, or all."""
        user = self.env.user
        if not user.portal_own_documents:
            return self
        return self.filtered(lambda token: token.partner_id == user.partner_id)
