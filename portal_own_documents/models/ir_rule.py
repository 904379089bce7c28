from odoo import api, models

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
