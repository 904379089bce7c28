from odoo import fields, models

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
