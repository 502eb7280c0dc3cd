"""Who wrote in a circle, as the ids of its buttons hold it: every client is sent these ids.

So they are enciphered under the host's key. The nonce is made of what is enciphered (a synthetic
initialisation vector, the idea of RFC 5297) and of a random salt: it hardly ever serves twice, for
other people never in practice, and who has another key finds that out.
"""

import base64
import binascii
import hmac
import re
import secrets
import struct
from collections.abc import Sequence

SALT = 4  # bytes
TAG = 5  # bytes: something else is taken for people once in 10^12 times
NONCE = SALT + TAG
ID = 8  # bytes of a person

_PLAIN = re.compile(r"[0-9]{1,20}(?::[0-9]{1,20})*")  # as of earlier versions
_MOST = 2 ** (8 * ID) - 1


def sealed_length(people: int) -> int:
    """Characters that so many people take."""
    return -(-(NONCE + ID * people) * 4 // 3)


class Seal:
    """Enciphers people, six at the most, and reads them again."""

    def __init__(self, key: bytes) -> None:
        """Bring a secret key that serves nothing else."""
        self._key = key

    def close(self, people: Sequence[int]) -> str:
        """People as letters, digits, - and _."""
        data = struct.pack(f">{len(people)}Q", *people)
        salt = secrets.token_bytes(SALT)
        nonce = salt + self._tag(salt, data)
        sealed = nonce + self._ciphered(nonce, data)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, text: str) -> tuple[int, ...]:
        """Those people; nobody if they were enciphered under another key.

        What earlier versions wrote in plain is read, too.
        """
        if _PLAIN.fullmatch(text):
            return tuple(min(int(person), _MOST) for person in text.split(":"))
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            return ()
        if len(sealed) % ID == 0:
            return struct.unpack(f">{len(sealed) // ID}Q", sealed)
        nonce, data = sealed[:NONCE], self._ciphered(sealed[:NONCE], sealed[NONCE:])
        known = hmac.compare_digest(nonce[SALT:], self._tag(nonce[:SALT], data))
        return struct.unpack(f">{len(data) // ID}Q", data) if known and len(data) % ID == 0 else ()

    def _tag(self, salt: bytes, data: bytes) -> bytes:
        return hmac.digest(self._key, b"tag" + salt + data, "sha512")[:TAG]

    def _ciphered(self, nonce: bytes, data: bytes) -> bytes:
        """Enciphered, or read again: the same."""
        stream = hmac.digest(self._key, b"stream" + nonce, "sha512")
        return bytes(a ^ b for a, b in zip(data, stream, strict=False))
