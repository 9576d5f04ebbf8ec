"""Load stays on this machine unless another is named on purpose."""

from __future__ import annotations

import pytest

from bench.load.hosts import ForeignHost, require_allowed


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_this_machine_may_be_loaded(url):
    require_allowed(url, "")


@pytest.mark.parametrize(
    "url", ["http://rollcall.example.org", "http://10.0.0.5:8000", "http://localhost.example.org", "", "x"]
)
def test_another_machine_may_not(url):
    with pytest.raises(ForeignHost, match="--allow-host"):
        require_allowed(url, "")


def test_the_machine_that_was_named_may_be_loaded_and_no_other():
    require_allowed("http://rollcall.example.org", "rollcall.example.org")

    with pytest.raises(ForeignHost):
        require_allowed("http://other.example.org", "rollcall.example.org")
