"""Odoo 19 from Debian's archive, for machines without GitHub and Docker.

All of this file is there because Odoo is a Debian package here, of a suite (sid) that
must not be installed from. With a checkout in ODOO_HOME none of it runs.
"""

import os
import shutil

from .base import DevtoolsError, cache_dir, digest, make_once, run, step
from .system import npm

# Debian's Odoo links to these fonts and scripts by relative paths, which resolve
# once all are unpacked into one root. Of the last two, sid's do not fit.
PACKAGES = """
    odoo-19 fonts-montserrat fonts-ocr-b fonts-roboto-unhinted libjs-jquery
    libjs-jquery-form libjs-underscore fonts-font-awesome/bookworm
    fonts-inconsolata/bookworm
"""
# Debian leaves this script out, and the backend's bundle names it.
SELFIE_PACKAGE = "@mediapipe/selfie_segmentation@0.1.1675465747"
SELFIE_FILE = "selfie_segmentation/selfie_segmentation.js"
LIBRARY = "usr/lib/python3/dist-packages"


def debian_odoo():
    """Return where Odoo is: its launcher, the folder to import it from, its version."""
    name = f"odoo-{digest(PACKAGES, SELFIE_PACKAGE)}"
    try:
        root = make_once(cache_dir() / name, _download)
    except DevtoolsError as error:
        raise DevtoolsError(
            f"{error}\nWays out: set ODOO_HOME to a checkout of Odoo 19.0 (with "
            "odoo-bin), or use Docker: docker compose up."
        ) from error
    version = (root / "VERSION").read_text().strip()
    return root / "usr/bin/odoo", root / LIBRARY, version


def _download(root):
    """Download Odoo and what it links to, and unpack all into `root`."""
    apt = root / "apt"
    with step("download Odoo 19 (130 MB)"):
        options = _private_apt(apt)
        run(["apt-get", *options, "--error-on=any", "update"])
        run(["apt-get", *options, "download", *PACKAGES.split()], cwd=apt)
    with step("unpack Odoo 19 (1.2 GB)"):
        for deb in sorted(apt.glob("*.deb")):
            run(["dpkg-deb", "-x", deb, root])
        [odoo_deb] = apt.glob("odoo-19_*.deb")
        version = run(["dpkg-deb", "--field", odoo_deb, "Version"])
        (root / "VERSION").write_text(version)
        shutil.rmtree(apt)
    target = root / LIBRARY / "odoo/addons/mail/static/lib" / SELFIE_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(npm(SELFIE_PACKAGE) / "@mediapipe" / SELFIE_FILE, target)


def _private_apt(folder):
    """Make an apt state of our own in `folder` and return the options that use it.

    The system's package lists stay as they are, and nothing from sid can get
    installed by accident. apt checks the signatures with the machine's own keys.
    """
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    targets = ["--format=$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    known = run(["apt-get", "indextargets", *targets]).splitlines()
    # "bookworm", not "bookworm-security", which has a mirror of its own
    mirrors = [uri for uri, suite in map(str.split, known) if "-" not in suite]
    if not mirrors:
        raise DevtoolsError("apt knows no Debian mirror on this machine.")
    sources = folder / "sources.list"
    suites = ("sid", "bookworm")
    sources.write_text("".join(f"deb {mirrors[0]} {name} main\n" for name in suites))
    options = [
        f"-oDir::Etc::sourcelist={sources}",
        "-oDir::Etc::sourceparts=-",
        f"-oDir::State::Lists={folder}/lists",
        f"-oDir::Cache::Archives={folder}/archives",
        "-oDir::Cache::pkgcache=",
        "-oDir::Cache::srcpkgcache=",
        "-oAcquire::Languages=none",
    ]
    # apt's own download user may not reach our folder
    return options + ["-oAPT::Sandbox::User=root"] * (os.geteuid() == 0)
