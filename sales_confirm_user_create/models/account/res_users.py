from ast import literal_eval
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, clean_context

from ...tools import Trusted, get_spellings

# What new portal users share; the rest is the template user's own, such as the date of
# its password.
TEMPLATE_FIELDS = (
    "action_id",
    "group_ids",
    "notification_type",
    "signature",
    "tour_enabled",
)


class CustomerUser(NamedTuple):
    """What a confirmation needs to know of a user that a customer may have."""

    id: int
    partner_id: int
    website_id: int | None
    active: bool
    share: bool
    company_ids: list[int]
    invitation_id: int | None  # of an account that nobody has activated


class NotPortalUserError(Exception):
    """New users have other rights than those of the portal."""

    def __init__(self, users):
        super().__init__(f"No mere portal users: {users.mapped('login')}")
        self.partner_ids = set(users.partner_id.ids)


class ResUsers(models.Model):
    _inherit = "res.users"

    portal_invitation_ids = fields.One2many(
        comodel_name="portal.invitation",
        inverse_name="user_id",
        groups="base.group_erp_manager",
    )
    portal_activation_date = fields.Datetime(
        string="Activated On",
        copy=False,
        readonly=True,
        groups="base.group_erp_manager",
        help="The portal user's first login. Odoo itself only keeps the latest.",
    )

    # `website` checks in Python that a login is not used twice without a website, and
    # two transactions do not see each other there. The database does. An index on the
    # login alone would mislead the planner in that very check.
    _login_without_website_uniq = models.UniqueIndex(
        "(login, COALESCE(website_id, 0))",
        "Another user has this login. Choose a different one.",
    )
    # Hashes have one size, whatever is typed. "C" lowers ASCII letters alone, see
    # `get_deliverable_address`.
    _login_normalized_idx = models.Index('USING hash (lower(btrim(login) COLLATE "C"))')

    @api.model
    def _find_customer_users(self, partners):
        """Find the users that may be the accounts of customers, in one query: the users
        of their contacts, the users with their address as login, and internal users
        whose contact has it. Anybody else can have typed it.

        Where mail servers know an address in another form, both are looked for: Odoo
        keeps a domain as it was typed.

        :param partners: the contacts of the customers
        :return: dict of contacts' ids to lists of ``CustomerUser``, oldest first
        """
        if not partners:
            return {}
        customers = []
        for partner in partners:
            address = partner._get_portal_address()
            forms = {partner.email_normalized, *get_spellings(address)}
            # The first of several addresses says nothing about whose account it is.
            if (partner.email or "").count("@") != 1:
                forms = set()
            # whoever has no address has users, too
            customers += [(partner.id, form) for form in forms - {False} or {None}]
        users_by_customer = defaultdict(list)
        self.flush_model()
        self.env["res.partner"].flush_model(
            ["email", "email_normalized", "partner_share"]
        )
        self.env["portal.invitation"].flush_model(["user_id"])
        # A domain would join the three ways with OR, and scan both tables. LATERAL
        # with UNION looks up each contact by index, whatever PostgreSQL expects.
        for customer_id, *values in self.env.execute_query(
            SQL(
                """
                WITH customer AS (
                    SELECT * FROM unnest(%(ids)s, %(addresses)s) AS _(id, address)
                ),
                found AS (
                    SELECT DISTINCT customer.id AS customer_id, users.*
                      FROM customer
                      JOIN LATERAL (
                            SELECT %(columns)s FROM res_users users
                             WHERE users.partner_id = customer.id
                             UNION
                            SELECT %(columns)s FROM res_users users
                             WHERE lower(btrim(users.login) COLLATE "C")
                                   = lower(customer.address COLLATE "C")
                             UNION
                            SELECT %(columns)s
                              FROM res_partner contact
                              JOIN res_users users ON users.partner_id = contact.id
                             WHERE contact.email_normalized = customer.address
                               AND contact.partner_share IS NOT TRUE
                               AND users.active AND NOT users.share
                      ) users ON TRUE
                )
                SELECT found.customer_id, found.id, found.partner_id,
                       found.website_id, found.active, found.share,
                       ARRAY(
                            SELECT cid FROM res_company_users_rel
                             WHERE user_id = found.id
                       ),
                       (
                            SELECT id FROM portal_invitation
                             WHERE user_id = found.id
                               AND found.active
                               AND found.portal_activation_date IS NULL
                       )
                  FROM found
                 ORDER BY found.id
                """,
                ids=[customer_id for customer_id, _form in customers],
                addresses=SQL("%s::text[]", [form for _id, form in customers]),
                columns=SQL(
                    "users.id, users.partner_id, users.website_id, users.active, "
                    "users.share, users.portal_activation_date"
                ),
            )
        ):
            users_by_customer[customer_id].append(CustomerUser(*values))
        return users_by_customer

    @api.model
    def _mark_internal_contacts(self):
        """Let the index of internal users find their contacts.

        Earlier versions of Odoo took them for customers after contacts were merged.
        """
        users = self.search(
            [("share", "=", False), ("partner_id.partner_share", "=", True)]
        )
        partners = users.partner_id
        self.env.add_to_compute(partners._fields["partner_share"], partners)

    @api.model
    def _prepare_create_values(self, vals_list):
        """Override of `base` for two fields that a new user shares with its contact.

        The website is written with the login, and not after it, or the database would
        take the login for one without a website. The custom fields of a customer are
        left alone: Odoo takes them for the new user's and writes empty ones.
        """
        vals_list = super()._prepare_create_values(vals_list)
        shared = [
            vals
            for vals in vals_list
            if vals.get("partner_id") and "website_id" not in vals
        ]
        partners = self.env["res.partner"].browse(vals["partner_id"] for vals in shared)
        for vals, partner in zip(shared, partners, strict=True):
            if partner.website_id:
                vals["website_id"] = partner.website_id.id
        if self.env.context.get("sales_confirm_user_create_account") is Trusted:
            for vals in vals_list:
                vals.pop("properties", None)
        return vals_list

    def _inverse_notification_type(self):
        """Override of `mail` to skip a no-op group removal for new accounts, which
        would clear every worker's cache."""
        if self.env.context.get("sales_confirm_user_create_account") is Trusted:
            return None
        return super()._inverse_notification_type()

    @api.model
    def _prepare_portal_user_template_values(self):
        """Return what all new portal users have in common: the portal template user.

        :return: dict of values, or None if the template is missing or no portal user
        """
        # sudo: not everybody who confirms can read parameters
        get_param = self.env["ir.config_parameter"].sudo().get_param
        try:
            template_id = literal_eval(get_param("base.template_portal_user_id", "0"))
        except (ValueError, SyntaxError):
            return None
        template = self.browse(template_id or []).exists()
        if not template or not template._is_portal():
            return None
        # What is named here is not read from the template: each user has its own.
        [values] = template.copy_data(
            dict.fromkeys(("partner_id", "login", "company_id", "company_ids"), False)
        )
        return {name: values[name] for name in TEMPLATE_FIELDS if name in values}

    @api.model
    def _create_portal_users(self, vals_list):
        """Create portal users without Odoo's own invitation.

        :param vals_list: list of values, those of the template user included
        :return: the users
        :raise NotPortalUserError: another module gave some of them more rights, or less
        """
        # Defaults of whoever calls are not for the account.
        users = self.with_context(
            clean_context(self.env.context),
            sales_confirm_user_create_account=Trusted,
            no_reset_password=True,
            # `mail` would post the note about the access contact by contact
            mail_create_nolog=True,
        ).create(vals_list)
        users = users.with_env(self.env)
        users._check_portal_rights(vals_list)
        users.partner_id._message_log_batch(
            bodies={
                user.partner_id.id: user._get_portal_access_update_body(True)
                for user in users
            },
            author_id=self._get_note_author_id(),
        )
        return users

    def _check_portal_rights(self, vals_list):
        """Check that these new users have the groups they were to have, and are portal
        users.

        :param vals_list: the values they were created with
        :raise NotPortalUserError: some are not
        """
        portal, allowed = self.env.ref("base.group_portal"), {}
        # Odoo gives it to all users of several companies.
        several = self.env.ref("base.group_multi_company")
        wrong = self.browse()
        for user, vals in zip(self, vals_list, strict=True):
            commands = vals.get("group_ids") or ()
            key = repr(commands)
            if key not in allowed:
                groups = self.new({"group_ids": commands}).group_ids._origin
                allowed[key] = groups.all_implied_ids | several
            groups = user.all_group_ids
            if not user.share or portal not in groups or groups - allowed[key]:
                wrong += user
        if wrong:
            raise NotPortalUserError(wrong)

    @api.model
    def _get_note_author_id(self):
        """Return the id of OdooBot's contact, who signs the notes about accounts."""
        return self.env["ir.model.data"]._xmlid_to_res_id("base.partner_root")

    def write(self, vals):
        """Override of `base` to end the invitation with the access, and the proof with
        the login or contact."""
        renamed = self.filtered(
            lambda user: user.login != vals.get("login", user.login)
        )
        moved = self.browse()
        if "partner_id" in vals:
            moved = self.filtered(lambda user: user.partner_id.id != vals["partner_id"])
        res = super().write(vals)
        if "active" in vals or "group_ids" in vals:
            # sudo: invitations are not for those who edit users, nor for customers
            self.sudo().filtered(
                lambda user: not user.active or not user._is_portal()
            ).portal_invitation_ids._cancel("access")
        # sudo: those who change users may not write what follows from it
        renamed.sudo()._end_proof(keep_password="password" in vals)
        (moved - renamed).sudo()._end_proof(keep_password=True)
        moved.sudo()._filter_unused_accounts()._clear_credentials()
        return res
