from collections import defaultdict

from markupsafe import escape

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyGettext, LazyTranslate

_lt = LazyTranslate(__name__)

ADVICE = {
    "no_email": _lt(
        "The contact has no email address. Add one, then create the account."
    ),
    "invalid_email": _lt(
        "The contact's email address is not valid. Correct it, then create the account."
    ),
    "several_addresses": _lt(
        "The contact has several email addresses. Keep one, then create the account."
    ),
    "archived_contact": _lt(
        "The contact is archived. Unarchive it, then create the account."
    ),
    "archived_user": _lt(
        "The contact's user is archived. An administrator can unarchive it."
    ),
    "access_revoked": _lt("Portal access was revoked. Grant it again on the contact."),
    "other_contact": _lt("Another contact already has an account with this address."),
    "own_company": _lt(
        "No account is created for your own companies and their addresses."
    ),
    "address": _lt(
        "The customer is an address of another contact. Whoever manages that contact's "
        "addresses could take over the account. Choose the contact itself as customer."
    ),
    "company_contact": _lt("Your settings exclude contacts that belong to a company."),
    "declined": _lt(
        "The customer declined an account. Create one only if the customer asks."
    ),
    "technical": _lt("This is a system contact. Choose another customer."),
    "template": _lt(
        "The template for new portal users is missing, or gives other rights than the "
        "portal's. Ask your administrator to correct it."
    ),
    "same_moment": _lt("Another order has just created an account with this address."),
    "error": _lt("Ask your administrator to check the server log."),
}


class SaleOrder(models.Model):
    """What salespeople read about the accounts of their customers."""

    _inherit = "sale.order"

    def _with_note_lang(self):
        """Return the order in the language of those who read its notes."""
        lang = self.user_id.lang or self.company_id.partner_id.lang
        return self.with_context(lang=lang or self.env.lang)

    def _describe_portal_account_issue(self, issue, error=None):
        """Return why the customer has no account and what to do, as text.

        :param issue: see ``portal_account_issue``
        :param error: the exception, if that is the issue
        """
        if error:
            return self._get_error_summary(error)
        field = self._fields["portal_account_issue"]
        label = dict(field._description_selection(self.env))[issue]
        return self._get_portal_issue_advice(issue) or label

    @api.model
    def _get_portal_issue_advice(self, issue):
        """Return why there is no account and what to do, as text, or "" for the label.

        Override it in modules that add an issue.

        :param issue: see ``portal_account_issue``
        """
        return self.env._(ADVICE[issue]) if issue in ADVICE else ""

    def _set_portal_account_issues(self, issues, author=None):
        """Store why these orders have no account, and note what is new.

        :param issues: dict of some of the orders to the issue and the error
        :param author: a contact; OdooBot's if None
        """
        self._note_portal_account_issues(issues, author)
        self._store_portal_account_issues(issues)

    def _store_portal_account_issues(self, issues):
        """Store what ``_set_portal_account_issues`` gets."""
        orders_by_issue = defaultdict(self.browse)
        for order in self:
            issue, _error = issues.get(order, (False, None))
            if issue != order.portal_account_issue:
                orders_by_issue[issue] += order
        for issue, orders in orders_by_issue.items():
            orders.portal_account_issue = issue

    def _note_portal_account_issues(self, issues, author=None):
        """Note on these orders what is new of why they have no account.

        :param issues: see ``_set_portal_account_issues``
        """
        notes = {}
        for order in self:
            issue, error = issues.get(order, (False, None))
            if issue and issue != order.portal_account_issue:
                reader = order._with_note_lang()
                notes[order] = reader.env._(
                    "No portal account: %s",
                    reader._describe_portal_account_issue(issue, error),
                )
        self._log_portal_account_notes(notes, author)

    # The address is not in notes: whoever forgets a person would have to look there.

    def _note_account_created(self):
        """Note on the orders that they created an account, and which employee asked for
        it; who clicked in the shop, nobody knows."""
        user = self.env.user
        is_employee = self._is_on_purpose() and user._is_internal()
        self._note_about_customer(
            _lt("Portal account created for %s; the invitation will be sent."),
            user.partner_id if is_employee else None,
        )

    def _note_invitation_resent(self):
        """Note on the orders who has their customers invited again."""
        text = _lt("The portal invitation of %s will be sent again.")
        self._note_about_customer(text, self.env.user.partner_id)

    def _note_about_customer(self, text, author=None):
        """Note something on these orders.

        :param text: to be translated, with %s for a link to the customer
        """
        notes = {}
        for order in self:
            env = order._with_note_lang().env
            link = order.partner_id._get_html_link(title=env._("the customer"))
            notes[order] = escape(env._(text)) % link
        self._log_portal_account_notes(notes, author)

    @api.model
    def _get_error_summary(self, error):
        """Return what a salesperson may read of an error: one line, or a hint."""
        if isinstance(error, UserError) and error.args:
            text = error.args[0]
            text = self.env._(text) if isinstance(text, LazyGettext) else str(text)
            if text.strip():
                return text.strip().splitlines()[0]
        return self.env._(ADVICE["error"])

    def _log_portal_account_notes(self, notes, author=None):
        """Log one internal note on each of some orders, in one batch.

        :param notes: dict of orders to text, which is escaped
        :param author: a contact; OdooBot's if None
        """
        if notes:
            self.browse([order.id for order in notes])._message_log_batch(
                bodies={order.id: body for order, body in notes.items()},
                author_id=author.id
                if author
                else self.env["res.users"]._get_note_author_id(),
            )
