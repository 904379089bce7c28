"""What can be said about docker-compose.yml where there is no Docker engine."""

import subprocess
import sys

import pytest
import yaml

from devtools.base import ADDONS, PROJECT


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text())


def test_compose_file_follows_the_compose_schema():
    subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            PROJECT / "docker-compose.yml",
        ],
        check=True,
    )


def test_every_service_tells_whether_it_is_healthy(compose):
    assert all("healthcheck" in service for service in compose["services"].values())


def test_ports_are_open_to_this_machine_only(compose):
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_mounted_file_is_there(compose):
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (PROJECT / source).exists()
            else:
                assert source in compose["volumes"]


def test_every_addon_is_mounted(compose):
    for name in ADDONS:
        volume = f"./{name}:/mnt/extra-addons/{name}:ro"
        assert volume in compose["services"]["odoo"]["volumes"]


def test_links_in_emails_name_the_chosen_port(compose):
    service = compose["services"]["odoo"]
    [port] = service["ports"]
    published = port.removeprefix("127.0.0.1:").rpartition(":")[0]
    assert f"'http://localhost:{published}'" in service["command"][-1]


def test_start_script_is_valid_bash(compose):
    script = compose["services"]["odoo"]["command"][-1].replace("$$", "$")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
