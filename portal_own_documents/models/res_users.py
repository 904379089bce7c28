from odoo import fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    portal_own_documents = fields.Boolean(
        string="Portal: Own Documents Only",
        copy=False,
        groups="base.group_erp_manager,sales_team.group_sale_manager",
        help="The portal shows the orders, invoices and addresses of the user's own "
        "contact, and not those of the whole company.",
    )

    def _get_own_contact(self):
        """Return the contact to which the portal of this user is limited.

        :return: the user's contact if it belongs to a company, or is an address of a
            person who has an account: a guest can have typed it; no contact if it has
            become a company itself, by a merge: nobody knows whose account it is; None
            if the user is not limited
        """
        if not self.share:
            return None
        partner, above = self.partner_id, self.partner_id.commercial_partner_id
        if partner != above:
            if self.portal_own_documents or above._is_account_of_person():
                return partner
            return None
        is_lost = self.portal_own_documents and partner.is_company
        return partner.browse() if is_lost else None

    def write(self, vals):
        """Override of `base` to note on the contacts who changed what they see, and to
        let them follow nothing that they no longer see."""
        if "portal_own_documents" not in vals:
            return super().write(vals)
        is_own = vals["portal_own_documents"]
        changed = self.filtered(lambda user: user.portal_own_documents != is_own)
        res = super().write(vals)
        body = self.env._("The portal shows the documents of the whole company.")
        if is_own:
            body = self.env._("The portal shows the contact's own documents only.")
            changed._unfollow_hidden_documents()
        # sudo: a note on contacts that the user may see, and possibly not edit
        partners_sudo = changed.partner_id.sudo()
        partners_sudo._message_log_batch(
            bodies=dict.fromkeys(partners_sudo.ids, body),
            author_id=self.env.user.partner_id.id,
        )
        return res

    def _unfollow_hidden_documents(self):
        """End the subscriptions of these users to what they may not read."""
        # sudo: subscriptions are not for everybody to read, or to end
        followers_sudo = self.env["mail.followers"].sudo()
        domain = [("partner_id", "in", self.partner_id.ids)]
        followed = followers_sudo.search(domain).grouped("partner_id")
        for user in self:
            # another user of the contact may have ended some
            all_rows = followed.get(user.partner_id, followers_sudo).exists()
            for name, rows in all_rows.grouped("res_model").items():
                model = self.env.get(name, self).with_user(user)
                if model._name == name and model.has_access("read"):
                    records = model.browse(rows.mapped("res_id")).exists()
                    hidden = records - records._filtered_access("read")
                    rows.filtered(
                        lambda row, ids=hidden.ids: row.res_id in ids
                    ).unlink()
