from . import (
    ir_mail_server,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    portal_invitation,
    portal_invitation_mail,
    sale_order,
    sale_order_account,
    portal_account_batch,
)
