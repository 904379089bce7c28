from odoo.http import request

from odoo.addons.account_payment.controllers.portal import PortalAccount
from odoo.addons.sale.controllers.portal import CustomerPortal

OFFERED = ("_has_to_be_signed", "_has_to_be_paid")


def close_for_viewer(document, **said):
    """Return a document as pages show it to those who only read it: what decides
    elsewhere whether an order can be confirmed stays as it is.

    :param said: by methods, instead of what they return
    """
    methods = {**dict.fromkeys(OFFERED, False), **said}
    cls = type(type(document).__name__, (type(document),), {"_register": False})
    for name, value in methods.items():
        setattr(cls, name, lambda _self, value=value: value)
    return cls(document.env, document._ids, document._prefetch_ids)


class PortalTeamPages(CustomerPortal, PortalAccount):
    """The portal's pages as a viewer sees them."""

    def _get_page_view_values(self, document, access_token, values, *args, **kwargs):
        """Override of `portal` to offer viewers nothing that they may not do."""
        values = super()._get_page_view_values(
            document, access_token, values, *args, **kwargs
        )
        user, names = request.env.user, ("sale_order", "invoice")
        if user._is_viewer() and any(values.get(name) for name in names):
            advice = user._get_portal_role_advice()
            is_paid = values.get("payment_amount")
            if is_paid or any(getattr(document, name, bool)() for name in OFFERED):
                values["o_portal_fullwidth_alert"] = advice  # of Odoo's layout
            closed = close_for_viewer(document, _get_online_payment_error=advice)
            values |= {name: closed for name in (*names, "object") if name in values}
            values["payment_amount"] = None
        return values

    def _prepare_my_invoices_values(self, *args, **kwargs):
        """Override of `account` to offer viewers no payment in the list."""
        values = super()._prepare_my_invoices_values(*args, **kwargs)
        if request.env.user._is_viewer():
            find = values["invoices"]
            values["invoices"] = lambda offset: [
                {**row, "invoice": close_for_viewer(row["invoice"])}
                for row in find(offset)
            ]
        return values

    def _get_overdue_invoice_count(self):
        """Override of `account`: viewers are not asked to pay."""
        is_viewer = request.env.user._is_viewer()
        return 0 if is_viewer else super()._get_overdue_invoice_count()

    def _complete_address_values(self, *args, **kwargs):
        """Override of `portal`: viewers add no addresses."""
        request.env.user._check_portal_role("order")
        return super()._complete_address_values(*args, **kwargs)

    def _parse_form_data(self, form_data):
        """Override of `portal` to keep what a company and its people share."""
        values, extra = super()._parse_form_data(form_data)
        if request.env.user._is_viewer():
            shared = request.env["res.partner"]._commercial_fields()
            for name in ("company_name", *shared):
                values.pop(name, None)
        return values, extra
