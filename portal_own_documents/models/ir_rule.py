from odoo import api, models

# No contact has this id. False would find what belongs to no contact.
NOBODY = -1
COMPANY_FIELDS = ("partner_id", "commercial_partner_id")


def limit_to_contact(record, own):
    """Return a portal user, or its contact, as a recordset that belongs to no company.

    A record rule that shows documents of the user's company names
    ``commercial_partner_id``: here, it is the user's own contact, or nobody.
    """

    class OwnContact(type(record)):
        _register = False

        partner_id = commercial_partner_id = property(
            lambda _self: limit_to_contact(own, own)
        )
        id = property(lambda self: super().id or NOBODY)

        def __getitem__(self, key):
            is_own = key in COMPANY_FIELDS
            return self.partner_id if is_own else super().__getitem__(key)

        def mapped(self, func):
            if isinstance(func, str) and func.split(".")[0] in COMPANY_FIELDS:
                return self.partner_id.mapped(func.partition(".")[2])
            return super().mapped(func)

    return OwnContact(record.env, record._ids, record._prefetch_ids)


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
            context["user"] = limit_to_contact(context["user"], own)
        return context

    def _compute_domain_context_values(self):
        """Override of `base`: the domains that are cached for a user depend on its
        contact, which Odoo's merge changes without any method being called."""
        yield from super()._compute_domain_context_values()
        user = self.env.user
        own = user._get_own_contact()
        if own is None:
            yield user.share and user.partner_id.commercial_partner_id.id
        else:
            yield tuple(own.ids)
