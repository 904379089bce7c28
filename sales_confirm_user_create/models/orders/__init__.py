from . import portal_invitation, sale_order
