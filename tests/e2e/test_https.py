"""`rollcall up` over https with its own certificate, as for a trial on a local network."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import running_site
from tests.video import film_of_nobody

SEEN_MS = 20_000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("https"), ROLLCALL_HTTPS="self-signed") as site:
        yield site


@pytest.fixture
def trusting(site) -> ssl.SSLContext:
    """Trusts the site's own certificate and no other."""
    return ssl.create_default_context(cafile=site.settings.data_dir / "https-certificate.pem")


def test_it_answers_over_tls_with_its_certificate_and_not_without(site, trusting):
    assert site.url.startswith("https://")
    assert site.kiosk_url.startswith(f"{site.url}/check-in?token=")
    with urllib.request.urlopen(site.url, timeout=10, context=trusting) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(site.url, timeout=10, context=ssl.create_default_context())
    with pytest.raises(OSError):
        urllib.request.urlopen(site.url.replace("https", "http"), timeout=10)


def test_it_says_in_one_line_that_browsers_warn_and_why(site):
    (line,) = [line for line in site.output.splitlines() if line.strip().startswith("Https")]
    assert "warns" in line
    assert "signed by nobody" in line


def test_the_camera_connects_over_wss(site, trusting):
    token = site.kiosk_url.partition("token=")[2]
    host = urlsplit(site.url)
    request = (
        f"GET /cam?token={token}&session=0123456789abcdef HTTP/1.1\r\nHost: {host.netloc}\r\n"
        f"Origin: {site.url}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    with (
        socket.create_connection((host.hostname, host.port), timeout=20) as plain,
        trusting.wrap_socket(plain, server_hostname=host.hostname) as secure,
    ):
        secure.sendall(request.encode())
        assert secure.recv(64).startswith(b"HTTP/1.1 101")


def test_the_kiosk_runs_in_a_browser_over_https(site, browser_with_film, tmp_path):
    browser = browser_with_film(film_of_nobody(tmp_path / "film.mjpeg"))
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.goto(site.kiosk_url)
    expect(page.locator(".link")).to_have_attribute("data-link", "online", timeout=SEEN_MS)
