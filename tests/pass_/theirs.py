"""Tokens as `cwt` writes them: another implementation of COSE, with another encoder of CBOR (`cbor2`)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

import cbor2
import cwt
from cryptography.hazmat.primitives.asymmetric import ec
from cwt import COSEKey
from cwt.algs import ec2

from lianfang_chain import cbor
from lianfang_pass import cose
from lianfang_pass.keys import PublicKey


def their_key(key: Any) -> Any:
    """The same private key for `cwt`."""
    public = PublicKey.of(key)
    d = key.private_numbers().private_value.to_bytes(32, "big")
    return COSEKey.new({1: 2, 3: -7, -1: 1, -2: public.x, -3: public.y, -4: d, 2: public.kid})


def _once(algorithm: Any) -> ec.ECDSA:
    """By RFC 6979, so that the vectors are the same on every run."""
    return ec.ECDSA(algorithm, deterministic_signing=True)


def written(ours: bytes, key: Any) -> bytes:
    """A token with the headers and claims of one of ours, put together and signed by `cwt`."""
    parts: Any = cbor.decode(ours, max_bytes=10**6)
    head: Any = cbor.decode(parts.value[0])
    claims: Any = cbor.decode(parts.value[2], max_bytes=10**6)
    assert head[cose.ALG] == -7
    payload, signer = cbor2.dumps(claims, canonical=True), their_key(key)
    with mock.patch.object(ec2, "ec", SimpleNamespace(ECDSA=_once)):
        token: bytes = cwt.COSE.new(deterministic_header=True).encode(payload, signer, protected=head)
    return token
