"""The configuration file of the demonstration."""

from __future__ import annotations

import yaml

from proxy.config.load import load
from proxy.demo.setting import Doors, Where, configuration, free_doors

WHERE = Where("http://127.0.0.1:1/realms/demo", "http://127.0.0.1:1/ledger", "http://127.0.0.1:2")
DOORS = Doors("127.0.0.1:3", "127.0.0.1:4")


def test_the_file_says_where_everything_is():
    said = yaml.safe_load(configuration(WHERE, DOORS))
    assert (said["listen"], said["admin"]) == ("127.0.0.1:3", "127.0.0.1:4")
    assert said["providers"]["demo"]["issuer"] == WHERE.issuer
    assert all(route["upstream"].startswith(WHERE.api) for route in said["routes"])


def test_the_file_holds_no_secret():
    said = yaml.safe_load(configuration(WHERE, DOORS))
    for credential in said["credentials"].values():
        assert set(credential["client_secret"]) == {"env"}
    assert set(said["credentials"]["mlops"]["password"]) == {"file"}


def test_the_sidecar_takes_it_as_it_is(tmp_path):
    file = tmp_path / "token-sidecar.yaml"
    file.write_text(configuration(WHERE, DOORS))
    config = load(file, {})
    assert [one.credential for one in config.routes] == ["inference", "inference", "mlops"]


def test_it_fits_80_columns():
    assert max(map(len, configuration(WHERE, DOORS).splitlines())) <= 77


def test_the_two_ports_differ():
    doors = free_doors()
    assert doors.listen != doors.admin
