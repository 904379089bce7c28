from . import portal_account_batch, sale_order
