from odoo.http import request

from odoo.addons.sale.controllers.portal import CustomerPortal

OFFERED = ("_has_to_be_signed", "_has_to_be_paid")
VIEW = "sale_portal_team.portal_order_viewer"


def close_for_viewer(document, methods):
    """Return a document as its page shows it to those who only read it: what decides
    elsewhere whether an order can be confirmed stays as it is."""
    cls = type(type(document).__name__, (type(document),), {"_register": False})
    for name, value in methods.items():
        setattr(cls, name, lambda _self, value=value: value)
    return cls(document.env, document._ids, document._prefetch_ids)


class PortalTeamPages(CustomerPortal):
    """The portal's pages as a viewer sees them."""

    def _get_page_view_values(self, document, access_token, values, *args, **kwargs):
        """Override of `portal` to offer viewers nothing that they may not do."""
        values = super()._get_page_view_values(
            document, access_token, values, *args, **kwargs
        )
        user, names = request.env.user, ("sale_order", "invoice")
        if user._is_viewer() and any(values.get(name) for name in names):
            is_paid = values.get("payment_amount")
            methods = dict.fromkeys(OFFERED, False)
            if is_paid or any(getattr(document, name, bool)() for name in OFFERED):
                values["portal_role_advice"] = user._get_portal_role_advice()
                methods["_get_order_page_view"] = VIEW
            closed = close_for_viewer(document, methods)
            values |= {name: closed for name in (*names, "object") if name in values}
            values["payment_amount"] = None
        return values

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
