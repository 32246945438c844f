"""A Python without certificates, as python.org's on macOS is at first, is told what to do, by the build and by the trainer."""

import socket
import ssl

import pytest

from builder import download as builders
from trainer import download as trainers


@pytest.fixture
def url(monkeypatch):
    """Of a host whose certificate is found to be signed by nobody known."""

    def wrap_socket(*_, **__):
        raise ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_socket)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/file"


def test_the_build_says_how_to_get_certificates(url, tmp_path):
    with pytest.raises(builders.FetchError, match="unable to get local issuer certificate.*run Install Certificates.command"):
        builders.fetch(url, tmp_path / "file", 1, "")


def test_the_trainer_says_how_to_get_certificates(url):
    with pytest.raises(trainers.FetchError, match="unable to get local issuer certificate.*run Install Certificates.command"):
        trainers.fetch(url, 1)
