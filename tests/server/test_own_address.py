"""Links follow the options of the server; where none could lead anywhere, Lulu says so at its start."""

from __future__ import annotations

import pytest

from lulu.errors import LuluError
from lulu.server.own_address import OwnAddress


def served(**given: object) -> OwnAddress:
    named = {f"server.{name}": value for name, value in ({"port": 8501} | given).items()}
    return OwnAddress(named.get)


@pytest.mark.parametrize(
    ("given", "here", "network"),
    [
        ({}, "http://127.0.0.1:8501/", "http://192.168.1.7:8501/"),
        ({"port": 8600}, "http://127.0.0.1:8600/", "http://192.168.1.7:8600/"),
        ({"address": "0.0.0.0"}, "http://127.0.0.1:8501/", "http://192.168.1.7:8501/"),
        ({"address": "::"}, "http://127.0.0.1:8501/", "http://192.168.1.7:8501/"),
        ({"address": "localhost"}, "http://localhost:8501/", "http://localhost:8501/"),
        ({"address": "10.0.0.5"}, "http://10.0.0.5:8501/", "http://10.0.0.5:8501/"),
        ({"address": "::1"}, "http://[::1]:8501/", "http://[::1]:8501/"),
        ({"address": "[fd00::5]"}, "http://[fd00::5]:8501/", "http://[fd00::5]:8501/"),
        ({"sslCertFile": "a.pem"}, "https://127.0.0.1:8501/", "https://192.168.1.7:8501/"),
        ({"baseUrlPath": "/"}, "http://127.0.0.1:8501/", "http://192.168.1.7:8501/"),
    ],
)
def test_an_address_is_put_together_from_the_options(given: dict[str, object], here: str, network: str) -> None:
    assert served(**given).here() == here
    assert served(**given).in_the_network("192.168.1.7") == network


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"baseUrlPath": "lulu"}, "server.baseUrlPath"),
        ({"baseUrlPath": "/a/b/"}, "'a/b'"),
        ({"port": 0}, "server.port"),
    ],
)
def test_options_under_which_no_link_leads_anywhere_are_refused(given: dict[str, object], named: str) -> None:
    with pytest.raises(LuluError, match=named):
        served(**given).here()
