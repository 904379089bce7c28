"""What several files of the addon use."""

import secrets

import lxml.html


def new_placeholder():
    """Return an address that stands for a link while an email is rendered.

    Nobody can know it before: neither a customer nor who edits a template can have it
    in what they typed.
    """
    return f"https://portal.invalid/{secrets.token_urlsafe()}"


def insert_links(body, links):
    """Return the HTML of an email with the links that its buttons lead to.

    A link is a secret. Nothing but the whole ``href`` of an ``<a>`` becomes one: an
    image would be loaded, and another address would get what it is a part of.

    :param body: HTML with placeholders
    :param links: dict of placeholders to links
    """
    root = lxml.html.fragment_fromstring(body, create_parent="div")
    for element in root.iter("a"):
        if link := links.get(element.get("href")):
            element.set("href", link)
            element.attrib.pop("ping", None)
    html = lxml.html.tostring(root, encoding="unicode")
    for placeholder in links:
        html = html.replace(placeholder, "#")
    return html


class Trusted:
    """The value of context keys that decide something; compared with ``is``.

    Anybody can send a context over RPC, but not this class.
    """
