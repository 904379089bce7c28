from . import ir_http, portal_invitation, res_users, sale_order
