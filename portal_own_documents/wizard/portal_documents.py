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
            changed_sudo = users_sudo.filtered(
                lambda user, is_own=is_own: user.portal_own_documents != is_own
            )
            if is_own:
                # A company has no documents of its own besides all.
                changed_sudo = changed_sudo.filtered(lambda user: not user.is_company)
            else:
                # other addons limit users, too
                changed_sudo |= users_sudo.filtered(
                    lambda user: (
                        user.commercial_partner_id.is_company
                        and user._get_own_contact() is not None
                    )
                )
            wizard.user_ids = changed_sudo.sudo(False)

    def action_apply(self):
        """Switch the users that the preview lists."""
        # sudo: as above
        self.user_ids.sudo().portal_own_documents = self.documents == "own"
