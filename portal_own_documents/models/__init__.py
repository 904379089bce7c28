from . import (
    account_move,
    ir_http,
    ir_module_module,
    ir_rule,
    mail_thread,
    payment_token,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    sale_order,
    website,
)
