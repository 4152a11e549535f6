"""The local authority: a certificate browsers accept, renewed before it ends, keys for the owner alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from lianfang.config.tls import certificate_for

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2020, 2, 1, tzinfo=UTC)


def _read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def test_the_certificate_is_for_the_name_and_signed_by_the_authority(tmp_path: Path) -> None:
    cert, key = certificate_for("gate.lianfang.test", tmp_path, at=NOW)
    server, root = _read(cert), _read(tmp_path / "authority.crt")
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gate.lianfang.test"]
    server.verify_directly_issued_by(root)
    assert server.not_valid_after_utc - NOW < timedelta(days=398)
    assert key.stat().st_mode & 0o077 == 0
    assert (tmp_path / "authority.key").stat().st_mode & 0o077 == 0
    assert isinstance(root.public_key(), ec.EllipticCurvePublicKey)


def test_it_is_kept_while_it_lasts_and_renewed_before_it_ends(tmp_path: Path) -> None:
    first = _read(certificate_for("a.test", tmp_path, at=NOW)[0]).serial_number
    assert _read(certificate_for("a.test", tmp_path, at=NOW + timedelta(days=300))[0]).serial_number == first
    assert _read(certificate_for("a.test", tmp_path, at=NOW + timedelta(days=370))[0]).serial_number != first
