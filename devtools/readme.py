"""Write the addon's README.rst from the fragments in its folder `readme/`.

It gives what the OCA's oca-gen-addon-readme gives, which is on no package registry,
without the links to places where only the OCA's addons are.
"""

import ast

import pypandoc

from .base import ADDON, PROJECT

FOLDER = PROJECT / ADDON
NOTICE = """..
   This file is generated from the folder readme/ by `make format`.
   Edit the fragments there."""
CONTENTS = """**Table of contents**

.. contents::
   :local:"""
SECTIONS = {
    "Use Cases / Context": "CONTEXT",
    "Installation": "INSTALL",
    "Configuration": "CONFIGURE",
    "Usage": "USAGE",
    "Development": "DEVELOP",
    "Known issues / Roadmap": "ROADMAP",
    "Changelog": "HISTORY",
}


def generate():
    """Return the text of README.rst."""
    manifest = ast.literal_eval((FOLDER / "__manifest__.py").read_text())
    line = "=" * len(manifest["name"])
    authors = "\n".join(f"- {name.strip()}" for name in manifest["author"].split(","))
    parts = [f"{line}\n{manifest['name']}\n{line}", NOTICE, _fragment("DESCRIPTION")]
    parts.append(CONTENTS)
    for title, name in SECTIONS.items():
        parts += _section(title, "=", _fragment(name))
    parts += ["Credits\n=======", *_section("Authors", "-", authors)]
    parts += _section("Contributors", "-", _fragment("CONTRIBUTORS"))
    return "\n\n".join(parts) + "\n"


def _section(title, underline, text):
    return [f"{title}\n{underline * len(title)}", text] if text else []


def _fragment(name):
    """Return a fragment as reStructuredText, empty where there is none."""
    path = FOLDER / f"readme/{name}.md"
    # GitHub's Markdown; without its anchors, which README.rst would not link to
    source = "gfm-raw_html-gfm_auto_identifiers"
    text = path.read_text() if path.exists() else ""
    return pypandoc.convert_text(text, "rst", source, ["--columns=88"]).strip()


if __name__ == "__main__":
    (FOLDER / "README.rst").write_text(generate())
