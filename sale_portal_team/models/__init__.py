from . import ir_ui_view, res_config_settings, role, team
