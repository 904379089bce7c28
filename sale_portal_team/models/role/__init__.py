from . import (
    ir_http,
    payment_transaction,
    product_product,
    res_partner,
    res_users,
    sale_order,
    website,
)
