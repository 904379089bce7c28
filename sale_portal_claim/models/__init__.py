from . import (
    account_move,
    portal_account_batch,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    sale_order,
)
