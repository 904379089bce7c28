from . import (
    ir_http,
    payment_transaction,
    res_partner,
    res_users,
    sale_order,
    website,
)
