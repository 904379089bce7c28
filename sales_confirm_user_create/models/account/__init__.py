from . import res_partner, res_users, sale_order
