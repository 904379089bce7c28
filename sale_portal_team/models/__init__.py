from . import res_config_settings, role, team
