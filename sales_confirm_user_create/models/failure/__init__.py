from . import portal_invitation, res_company, res_partner, sale_order
