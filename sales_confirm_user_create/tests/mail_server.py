import smtplib
import socket


class MailServer:
    """A mail server for tests: it answers as they want, and keeps what it got.

    The client is that of Python, so that errors are real ones.
    """

    def __init__(self, answer=None, error=None):
        """Start the server.

        :param answer: function of the connection, a command and its argument, which
            returns a code and a text, raises, or returns None for the usual answer; the
            command of a message's content is "content"
        :param error: the exception that a connection raises
        """
        self.answer = answer or (lambda connection, command, argument: None)
        self.error = error
        self.connections = []
        self.attempts = 0
        self.messages = []

    def connect(self, host=None, port=None, **_options):
        """Take the place of ``smtplib.SMTP``."""
        self.attempts += 1
        if self.error:
            raise self.error
        self.connections.append(MailConnection(self))
        return self.connections[-1]

    @property
    def recipients(self):
        """The addresses whose message the server has accepted, in this order."""
        return [recipient for recipient, _content in self.messages]


class MailConnection(smtplib.SMTP):
    def __init__(self, server):
        super().__init__(local_hostname="localhost")
        self.server = server
        # The test answers for the server; its end of the line is to close, or to say
        # something unasked.
        self.sock, self.far_end = socket.socketpair()
        self.commands = []
        self.recipient = None
        self.content = b""

    def putcmd(self, cmd, args=""):
        self.send(args, cmd.lower())

    def send(self, s, command="content"):
        if not self.sock:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        self.commands.append(command)
        self.argument = s
        if command == "content":
            self.content = s
        if command == "rcpt":
            self.recipient = s[s.index("<") + 1 : s.index(">")]

    def getreply(self):
        command = self.commands[-1]
        try:
            if self.far_end.fileno() == -1:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            reply = self.server.answer(self, command, self.argument)
        except smtplib.SMTPServerDisconnected:
            self.close()
            raise
        reply = reply or ((354, b"go on") if command == "data" else (250, b"OK"))
        if command == "content" and reply[0] == 250:
            self.server.messages.append((self.recipient, self.argument))
        return reply

    def close(self):
        self.far_end.close()
        return super().close()


def refuse(code, text=b"no", *, at="rcpt", only=""):
    """Return a server's answer that refuses one command.

    :param only: a recipient; empty for all of them
    """

    def answer(connection, command, _argument):
        is_refused = command == at and only in (connection.recipient or "")
        return (code, text) if is_refused else None

    return answer
