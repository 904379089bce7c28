from . import (
    account_move,
    ir_ui_view,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    sale_order,
    staff,
)
