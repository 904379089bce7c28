from . import (
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    sale_order,
    portal_account_batch,
)
