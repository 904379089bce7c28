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
        if not self or self._is_internal():
            return None
        partner, above = self.partner_id, self.partner_id.commercial_partner_id
        if partner != above and above._is_account_of_person():
            return partner
        if not self.portal_own_documents:
            return None
        if partner.is_company:
            return partner.browse()
        return partner if partner != above else None

    def _is_account_undecided(self):
        """Return whether nobody knows whose documents the portal may show."""
        own = self._get_own_contact()
        return own is not None and not own

    def write(self, vals):
        """Override of `base` to note on the contacts who changed what they see, and to
        let them follow nothing that they no longer see."""
        changed = self.browse()
        if "portal_own_documents" in vals:
            is_own = bool(vals["portal_own_documents"])
            changed = self.filtered(lambda user: user.portal_own_documents != is_own)
        followed = changed._get_shown_followers()
        res = super().write(vals)
        (followed - changed._get_shown_followers()).unlink()
        changed._note_own_documents()
        return res

    def _get_shown_followers(self):
        """Return the subscriptions of these users to records that they may read."""
        # sudo: subscriptions are not for everybody to read, or to end
        followers = self.env["mail.followers"].sudo()
        shown = followers.browse()
        for user in self:
            domain = [("partner_id", "=", user.partner_id.id)]
            followed = followers.search(domain).grouped("res_model")
            for model, rows in followed.items():
                if model not in self.env:
                    continue
                records = self.env[model].with_user(user).browse(rows.mapped("res_id"))
                ids = set(records.exists()._filtered_access("read").ids)
                shown += rows.filtered(lambda row, ids=ids: row.res_id in ids)
        return shown

    def _note_own_documents(self):
        """Note on the contacts what their portal shows from now on."""
        # sudo: a note on a contact that the user may see, and possibly not edit
        for user in self.sudo():
            body = user.env._("The portal shows the documents of the whole company.")
            if user.portal_own_documents:
                body = user.env._("The portal shows the contact's own documents only.")
            user.partner_id._message_log(
                body=body, author_id=self.env.user.partner_id.id
            )
