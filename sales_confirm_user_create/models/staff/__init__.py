from . import portal_invitation, res_partner, sale_order
