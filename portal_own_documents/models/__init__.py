from . import (
    ir_qweb,
    ir_rule,
    payment_token,
    res_partner,
    res_users,
    sale_order,
    website,
)
