from . import res_partner, res_users
