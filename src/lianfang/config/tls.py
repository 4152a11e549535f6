"""TLS off localhost: a given certificate, or an own local authority whose root people install once.

Camera, service worker and WebCrypto exist in browsers only on https or localhost.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

#: Browsers refuse server certificates that run longer than 398 days (CA/Browser Forum, BR 6.3.2).
_SERVER_DAYS: Final = 390
_ROOT_DAYS: Final = 3650
_RENEW_BEFORE: Final = timedelta(days=30)


def certificate_for(host: str, folder: Path, *, at: datetime) -> tuple[Path, Path]:
    """Files of a certificate for `host` and its key, made or renewed as needed by the local authority.

    :param folder: `data/keys/tls`; the root to install is `folder/authority.crt`
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root, root_key = _authority(folder, at=at)
    cert_file, key_file = folder / f"{host}.crt", folder / f"{host}.key"
    if cert_file.exists() and key_file.exists():
        present = x509.load_pem_x509_certificate(cert_file.read_bytes())
        if present.not_valid_after_utc - at > _RENEW_BEFORE and present.issuer == root.subject:
            return cert_file, key_file
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=_SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    _write(key_file, _pem(key))
    _write(cert_file, certificate.public_bytes(serialization.Encoding.PEM))
    return cert_file, key_file


def _authority(folder: Path, *, at: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    cert_file, key_file = folder / "authority.crt", folder / "authority.key"
    if cert_file.exists() and key_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate(cert_file.read_bytes()), key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lianfang local authority")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=_ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    _write(key_file, _pem(key))
    _write(cert_file, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes) -> None:
    """Write whole or not at all, readable by the owner alone."""
    temporary = file.with_suffix(file.suffix + ".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
    temporary.replace(file)
