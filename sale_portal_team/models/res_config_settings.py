from odoo import api, fields, models
from odoo.exceptions import ValidationError

MAX = {"people": 100, "open": 20, "daily": 20}


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    portal_team_people_max = fields.Integer(
        config_parameter="sale_portal_team.people", default=MAX["people"]
    )
    portal_team_open_max = fields.Integer(
        config_parameter="sale_portal_team.open", default=MAX["open"]
    )
    portal_team_daily_max = fields.Integer(
        config_parameter="sale_portal_team.daily", default=MAX["daily"]
    )

    @api.constrains(*(f"portal_team_{key}_max" for key in MAX))
    def _check_portal_team_limits(self):
        if any(
            settings[f"portal_team_{key}_max"] < 1 for settings in self for key in MAX
        ):
            raise ValidationError(self.env._("Choose at least 1 for a team's limits."))
