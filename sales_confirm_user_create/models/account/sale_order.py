import logging
from collections import defaultdict

from odoo import Command, api, models
from odoo.tools import SQL

from ...tools import RETRIED_EXCEPTIONS, has_invisible, is_login_taken
from .res_users import NotPortalUserError

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _create_missing_portal_accounts(self, is_automatic=False):
        """Create an account for each customer who has none, all in one batch.

        :param is_automatic: see ``_ensure_portal_accounts``
        :return: dict of the orders without an account to the issue and the error
        """
        users_by_customer = self._find_accounts()
        self._forget_untold_accounts(users_by_customer)
        self._allow_order_company(users_by_customer)
        self._invite_known_customers(users_by_customer, is_automatic)
        due, issues = self._split_orders_without_account(users_by_customer)
        created, errors = due._create_accounts()
        issues |= errors
        self._set_portal_account_issues(issues)
        declined = self.filtered(lambda order: order.portal_account_issue == "declined")
        if declined:
            self.env["portal.decline"]._keep_findable(declined.partner_id)
        if created:
            created.user_created = True
            created._note_account_created()
            self.env["portal.invitation"]._trigger()
        return issues

    def _find_accounts(self):
        """Return the users of the orders' customers, see ``res.users``."""
        return self.env["res.users"]._find_customer_users(self.partner_id)

    def _filter_customer_users(self, users_by_customer):
        """Return the users that count as the account of this order's customer.

        A user of the contact does, whatever the login. A user with the address does
        where the customer can log in with it.

        :param users_by_customer: what ``_find_accounts`` returned
        :return: list of ``CustomerUser``
        """
        self.ensure_one()
        partner = self.partner_id
        return [
            user
            for user in users_by_customer.get(partner.id, ())
            if user.partner_id == partner.id or self._can_log_in_with(user.website_id)
        ]

    def _can_log_in_with(self, website_id):
        """Return whether an account of a website, or of none, works for this order."""
        website = self.website_id or self.partner_id.website_id
        return not website or website_id in (None, website.id)

    def _get_portal_account_website(self):
        """Return the website the account is for, or none where accounts are shared."""
        return (
            self.website_id.filtered("specific_user_account")
            or self.partner_id.website_id
        )

    def _split_orders_without_account(self, users_by_customer):
        """Sort out the orders whose customer has no account.

        :param users_by_customer: what ``_find_accounts`` returned
        :return: the first order of each customer to get an account, and a dict of the
            orders whose customer cannot have one to the issue and the error
        """
        due, issues, users_by_order = self.browse(), {}, {}
        for order in self.sorted("id"):
            users = order._filter_customer_users(users_by_customer)
            own = order.partner_id.id
            if not any(user.active and user.partner_id == own for user in users):
                users_by_order[order] = users
        if not users_by_order:
            return due, issues
        excluded = self._get_contacts_without_account(
            {order.partner_id._get_portal_address() for order in users_by_order}
        )
        customers_due, websites_by_address = set(), defaultdict(list)
        for order, users in users_by_order.items():
            partner = order.partner_id
            if partner in customers_due:
                continue
            address = partner._get_portal_address()
            websites = websites_by_address[address]
            keys = partner.commercial_partner_id.id, partner.email_normalized, address
            is_known = any(user.active for user in users)
            issue = next(filter(None, map(excluded.get, keys)), False)
            # Who declined may have signed up since.
            if issue and not (issue == "declined" and is_known):
                issues[order] = issue, None
            elif is_known or any(map(order._can_log_in_with, websites)):
                issues[order] = "other_contact", None
            elif issue := order._get_contact_issue(users):
                issues[order] = issue, None
            else:
                due += order
                customers_due.add(partner)
                websites.append(order._get_portal_account_website().id or None)
        return due, issues

    @api.model
    def _get_contacts_without_account(self, addresses):
        """Return the contacts that never get an account: the shop's companies, Odoo's
        own users, the visitors of websites, and customers who declined.

        :param addresses: set of the customers' addresses, in their one form
        :return: dict of contacts' ids, and addresses, to the issue
        """
        hashes = {}
        if not self._is_on_purpose():
            hashes = self.env["portal.decline"]._hash_addresses(addresses)
        self.env["portal.decline"].flush_model(["address_hash"])
        self.env["res.partner"].flush_model(["email_normalized"])
        get_id = self.env["ir.model.data"]._xmlid_to_res_id
        self.env["res.company"].flush_model(["partner_id"])
        self.env["website"].flush_model(["user_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner.id, partner.email_normalized, 'own_company'
                  FROM res_company company
                  JOIN res_partner partner ON partner.id = company.partner_id
                 UNION
                SELECT users.partner_id, NULL, 'technical'
                  FROM (
                        SELECT user_id FROM website UNION VALUES (%s), (%s)
                       ) technical(id)
                  JOIN res_users users ON users.id = technical.id
                 UNION
                SELECT NULL, address_hash, 'declined'
                  FROM portal_decline
                 WHERE address_hash = ANY(%s)
                """,
                get_id("base.user_root"),
                get_id("base.public_user"),
                [*hashes],
            )
        )
        return {
            hashes.get(key, key): issue for *keys, issue in rows for key in keys if key
        }

    def _get_contact_issue(self, users):
        """Return why the customer of this order cannot have an account, or False.

        :param users: the archived users of the customer, list of ``CustomerUser``
        """
        partner = self.partner_id
        if (
            partner.parent_id
            and self.company_id.portal_company_contacts == "none"
            and not self._is_on_purpose()
        ):
            return "company_contact"
        is_address = (partner.type or "contact") != "contact"
        if partner.parent_id and (
            is_address or not partner.commercial_partner_id.is_company
        ):
            # Customers edit what is below their contact, and see its documents.
            return "address"
        if users:
            archived = self.env["res.users"].browse(user.id for user in users)
            is_revoked = any(user._is_public() for user in archived)
            return "access_revoked" if is_revoked else "archived_user"
        if not partner.active:
            return "archived_contact"
        return partner._get_address_issue()

    def _create_accounts(self):
        """Create one portal user for the customer of each order.

        :return: the orders whose account was created, and a dict of the other orders to
            the issue and the error
        """
        if not self:
            return self, {}
        template_values = self.env["res.users"]._prepare_portal_user_template_values()
        if not template_values:
            _logger.error("The template of portal users is missing or no such user")
            return self.browse(), dict.fromkeys(self, ("template", None))
        # Sorted, so that two batches with the same customers don't lock each other out.
        return self.sorted(
            lambda order: order.partner_id._get_portal_address()
        )._create_accounts_from(template_values)

    def _create_accounts_from(self, template_values):
        """Create the users in one batch; where that fails, in halves."""
        if not self:
            return self, {}
        try:
            with self.env.cr.savepoint():
                # What nobody sees: Odoo's emails would go to another mailbox.
                for partner in self.partner_id:
                    if has_invisible(partner.email):
                        partner.email = partner._get_portal_address()
                users = self.env["res.users"]._create_portal_users(
                    [
                        order._prepare_portal_user_values(template_values)
                        for order in self
                    ]
                )
                self._create_portal_invitations(users, is_account_created=True)
            return self, {}
        except RETRIED_EXCEPTIONS:
            raise
        except NotPortalUserError as error:
            # Undone with the savepoint: nobody gets more rights by an order.
            _logger.error(
                "No portal accounts for some of orders %s: %s", self.ids, error
            )
            partners = self.partner_id.browse(error.partner_ids)
            wrong = self.filtered(lambda order: order.partner_id in partners)
            issues = dict.fromkeys(wrong, ("template", None))
            created, more = (self - wrong)._create_accounts_from(template_values)
            return created, issues | more
        except Exception as error:
            if len(self) == 1:
                if is_login_taken(error):
                    _logger.info("The address of order %s has a user by now", self.id)
                    return self.browse(), {self: ("same_moment", None)}
                _logger.exception("No portal account for order %s", self.id)
                return self.browse(), {self: ("error", error)}
        middle = len(self) // 2
        created, issues = self[:middle]._create_accounts_from(template_values)
        more_created, more = self[middle:]._create_accounts_from(template_values)
        return created + more_created, issues | more

    def _prepare_portal_user_values(self, template_values):
        """Return the values of the customer's new user.

        Override it in modules with more to set.

        :param dict template_values: those of the template user, not to be changed
        :rtype: dict
        """
        self.ensure_one()
        # Odoo moves a contact that has a company into that of its user.
        company = self.partner_id.company_id or self.company_id
        values = {
            **template_values,
            "active": True,
            "login": self.partner_id._get_portal_address(),
            "partner_id": self.partner_id.id,
            "company_id": company.id,
            "company_ids": [Command.set((company | self.company_id).ids)],
            "portal_own_documents": self.partner_id._get_portal_own_documents(
                self.company_id
            ),
        }
        if website := self._get_portal_account_website():
            values["website_id"] = website.id
        return values

    def _allow_order_company(self, users_by_customer):
        """Let the customers' portal users see the company they buy from."""
        for company, orders in self.grouped("company_id").items():
            user_ids = {
                user.id
                for partner in orders.partner_id
                for user in users_by_customer.get(partner.id, ())
                if user.partner_id == partner.id
                and user.active
                and user.share
                and company.id not in user.company_ids
            }
            self.env["res.users"].browse(user_ids)._allow_company(company)
