import contextlib
import re
import smtplib
from functools import partial

from odoo import models

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

# Servers may quote the message they refuse, and a link is in it. Encoded or not, it is
# a word longer than any that explains something.
LONG_WORD = re.compile(r"\S{40,}")
# RFC 5321, section 3.8: the reply of a server that closes the connection, as it may do
# after some emails.
CLOSED = 421


class SharedConnection:
    """An SMTP connection that several emails share, see ``smtplib.SMTP``."""

    def __init__(self, connect):
        """:param connect: function that returns an open connection"""
        self._connect = connect
        self._data_sent = False
        self._open()

    def _open(self):
        """Connect, and notice when the content of a message leaves."""
        self._connection = connection = self._connect()
        self._is_used = False
        # A module may return something that only sends like a connection.
        if send_data := getattr(connection, "data", None):

            def data(content):
                self._data_sent = True
                return send_data(content)

            connection.data = data

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def send_message(self, message, *args, **kwargs):
        """Send a message; connect again if the server has closed the connection.

        :raise smtplib.SMTPException: the server refuses the message
        """
        try:
            try:
                refused = self._connection.send_message(message, *args, **kwargs)
            except (smtplib.SMTPServerDisconnected, smtplib.SMTPSenderRefused) as error:
                is_closed = getattr(error, "smtp_code", CLOSED) == CLOSED
                # Once the content has left, the server may have taken the message.
                if self._data_sent or not (is_closed and self._is_used):
                    raise
                self._open()
                refused = self._connection.send_message(message, *args, **kwargs)
            self._is_used = True
            return refused
        except smtplib.SMTPException as error:
            _shorten_reply(error)
            raise
        finally:
            self._data_sent = False

    def quit(self):
        """Keep the connection open for the next email."""

    def close(self):
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._connection.quit()


class SharedConnections:
    """The SMTP connections of one run of a job, one for each server and sender."""

    def __init__(self):
        self._connections = {}
        self._errors = {}

    def get(self, server_id, sender, connect):
        """Return the connection to a server, or raise what kept it from opening.

        :param connect: function that returns an open connection
        """
        if error := self._errors.get(server_id):
            raise error
        key = server_id, sender
        if key not in self._connections:
            try:
                self._connections[key] = SharedConnection(connect)
            except Exception as error:
                self._errors[server_id] = error
                raise
        return self._connections[key]

    def close(self):
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _connect__(self, *args, **kwargs):
        """Override of `base` to let the emails of one run share their connections."""
        connect = partial(super()._connect__, *args, **kwargs)
        connections = self.env.context.get("sales_confirm_user_create_connections")
        # Anybody can send another context over RPC.
        if not isinstance(connections, SharedConnections) or self._disable_send():
            return connect()
        return connections.get(
            kwargs.get("mail_server_id"), kwargs.get("smtp_from"), connect
        )


def is_server_unreachable(error):
    """Return whether no mail server could be connected to, see ``mail.mail.send``."""
    return (
        isinstance(error, MailDeliveryException)
        and len(error.args) == 2
        and isinstance(error.args[1], Exception)
    )


def is_temporary(error):
    """Return whether the mail server may take the same email later.

    RFC 5321, section 4.2.1: replies from 400 to 499 are transient.
    """
    while error:
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return all(400 <= code < 500 for code, _reply in error.recipients.values())
        if isinstance(error, smtplib.SMTPResponseException):
            return 400 <= error.smtp_code < 500
        if isinstance(error, smtplib.SMTPServerDisconnected):
            return True
        if isinstance(error, OSError):
            return not isinstance(error, smtplib.SMTPException)
        error = error.__cause__ or error.__context__
    return False


def is_about_recipient(error):
    """Return whether the mail server refuses this address, and possibly no other."""
    while error and not isinstance(error, smtplib.SMTPRecipientsRefused):
        error = error.__cause__ or error.__context__
    return bool(error)


def _shorten_reply(error):
    """Have an error say what the server replied, without long words."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = error.recipients.values()
    elif isinstance(error, smtplib.SMTPResponseException):
        replies = [(error.smtp_code, error.smtp_error)]
    else:
        return
    texts = set()
    for code, reply in replies:
        text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
        texts.add(f"{code} {text}")
    error.args = (LONG_WORD.sub("…", " ".join(", ".join(texts).split())),)
