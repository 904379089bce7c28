from odoo import api, fields, models


class PortalDocuments(models.TransientModel):
    _name = "portal.documents"
    _description = "Documents in the Portal"

    partner_ids = fields.Many2many(
        "res.partner", default=lambda self: self.env.context.get("active_ids")
    )
    documents = fields.Selection(
        [("own", "Own documents only"), ("company", "The whole company's documents")],
        default="own",
        required=True,
    )
    user_ids = fields.Many2many("res.users", compute="_compute_user_ids")
    user_count = fields.Integer("Portal Users Selected", compute="_compute_user_ids")

    @api.depends("documents", "partner_ids")
    def _compute_user_ids(self):
        for wizard in self:
            is_own = wizard.documents == "own"
            # sudo: sales managers may change this of portal users, and nothing else
            users_sudo = wizard.partner_ids.sudo().user_ids.filtered("share")
            wizard.user_count = len(users_sudo)
            # A company has no documents of its own besides all.
            wizard.user_ids = users_sudo.filtered(
                lambda user, is_own=is_own: (
                    user.portal_own_documents != is_own
                    and not (is_own and user.partner_id.is_company)
                )
            ).sudo(False)

    def action_apply(self):
        """Switch the users that the preview lists."""
        # sudo: as above
        self.user_ids.sudo().portal_own_documents = self.documents == "own"
