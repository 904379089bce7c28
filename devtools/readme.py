"""Write the addon's README.rst from the fragments in its folder `readme/`.

It gives what the OCA's oca-gen-addon-readme gives, without the links to places where
only the OCA's addons are. That tool is on no package registry.
"""

import ast

import pypandoc

from .base import ADDON, PROJECT

# fragment: title of its section
SECTIONS = {
    "CONTEXT": "Use Cases / Context",
    "INSTALL": "Installation",
    "CONFIGURE": "Configuration",
    "USAGE": "Usage",
    "DEVELOP": "Development",
    "ROADMAP": "Known issues / Roadmap",
    "HISTORY": "Changelog",
}
NOTICE = """..
   This file is generated from the folder readme/ by `make format`.
   Edit the fragments there."""
CONTENTS = """**Table of contents**

.. contents::
   :local:"""


def generate(addon):
    """Return the text of README.rst of the addon in a folder."""
    manifest = ast.literal_eval((addon / "__manifest__.py").read_text())
    parts = [_title(manifest["name"], "=", over=True), NOTICE]
    parts += [_fragment(addon, "DESCRIPTION"), CONTENTS]
    for name, title in SECTIONS.items():
        if text := _fragment(addon, name):
            parts += [_title(title, "="), text]
    parts.append(_title("Credits", "="))
    authors = [f"- {author.strip()}" for author in manifest["author"].split(",")]
    parts += [_title("Authors", "-"), "\n".join(authors)]
    for name, title in (("CONTRIBUTORS", "Contributors"), ("CREDITS", "Other credits")):
        if text := _fragment(addon, name):
            parts += [_title(title, "-"), text]
    return "\n\n".join(parts) + "\n"


def _title(text, underline, *, over=False):
    line = underline * len(text)
    return "\n".join([line, text, line] if over else [text, line])


def _fragment(addon, name):
    """Return a fragment as reStructuredText, empty where there is none."""
    path = addon / "readme" / f"{name}.md"
    if not path.exists():
        return ""
    # GitHub's Markdown; without its anchors, which README.rst would not link to
    source = "gfm-raw_html-gfm_auto_identifiers"
    options = ["--columns=88"]
    text = pypandoc.convert_text(path.read_text(), "rst", source, extra_args=options)
    return text.strip()


if __name__ == "__main__":
    folder = PROJECT / ADDON
    (folder / "README.rst").write_text(generate(folder))
