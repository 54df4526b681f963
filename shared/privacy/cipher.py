"""The cipher that seals values and wraps keys: an interface with one implementation, AES-256-GCM.

Where the law asks for SM4, another implementation is set in its place; the id travels with what was sealed.
"""

from __future__ import annotations

import os
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class DecryptionError(Exception):
    """The bytes were not made by this key with these associated data, or were changed since."""


class Cipher(Protocol):
    """Authenticated encryption under keys of 32 bytes (a cipher with shorter keys takes the first bytes)."""

    @property
    def id(self) -> str:
        """Names the cipher in what it sealed."""

    def encrypt(self, key: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """A fresh nonce, the ciphertext and the tag."""

    def decrypt(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext. Raises DecryptionError."""


class Aes256Gcm:
    """AES-256-GCM with random nonces of 96 bits: a key seals the events of one person, far below 2**32 of them."""

    id: Final = "aes-256-gcm"

    # No cache of prepared keys: preparing one takes 0.7 us, and a destroyed key must not live on in here.
    def encrypt(self, key: bytes, plaintext: bytes, associated: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)

    def decrypt(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise DecryptionError from None
