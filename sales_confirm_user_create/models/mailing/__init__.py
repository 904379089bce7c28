from . import ir_mail_server, portal_invitation
