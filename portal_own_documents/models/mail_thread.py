from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        """Override of `portal`: a document mailed to a user with own documents only
        opens by the token in that email, and appears in no list."""
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        values = dict(msg_vals or {})
        # those whom somebody chose, not who follows the document
        recipient_ids = values.get("partner_ids") or message.partner_ids.ids
        is_document = isinstance(self, self.env.registry["portal.mixin"])
        is_proforma = self.env.context.get("proforma")  # as in `sale`
        if is_proforma or not (self and is_document and recipient_ids):
            return groups
        # sudo: whoever sends an email may not read users
        users_sudo = self.env["res.users"].sudo()
        users_sudo = users_sudo.search([("partner_id", "in", [*recipient_ids])])
        limited_ids = users_sudo.filtered(
            lambda user: user._get_own_contact()
        ).partner_id.ids
        if not limited_ids:
            return groups
        # sudo: as in super
        values["access_token"] = self.sudo()._portal_ensure_token()
        group = {
            "active": True,
            "has_button_access": True,
            "button_access": {"url": self._notify_get_action_link("view", **values)},
        }
        index = [name for name, *_rest in groups].index("portal")
        groups.insert(
            index, ["portal_own", lambda pdata: pdata["id"] in limited_ids, group]
        )
        return groups
