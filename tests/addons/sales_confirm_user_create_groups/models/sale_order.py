from odoo import Command, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _prepare_portal_user_values(self, template_values):
        """Extend with a group that the order's source document names: "=name" in place
        of the template user's groups, or "+name" in addition."""
        values = super()._prepare_portal_user_values(template_values)
        if not self.origin:
            return values
        groups = self.env.ref(self.origin[1:])
        if self.origin.startswith("+"):
            groups |= self.env.ref("base.group_portal")
        return values | {"group_ids": [Command.set(groups.ids)]}
