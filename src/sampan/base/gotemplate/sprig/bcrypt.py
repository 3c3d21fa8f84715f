"""bcrypt (version 2a): Blowfish with an expensive key schedule.

The system's libcrypt does it in 50 ms at cost 10, where it knows bcrypt (libxcrypt does); else Python takes seconds.
The initial tables are the hexadecimal digits of pi, as Blowfish's specification has them; they are computed once.
"""

from __future__ import annotations

from functools import lru_cache

_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_MAGIC = (0x4F727068, 0x65616E42, 0x65686F6C, 0x64657253, 0x63727944, 0x6F756274)
_WORDS = 18 + 4 * 256
MAX_PASSWORD = 72
_CRYPT_DATA = 32768  # sizeof(struct crypt_data)


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """P and S boxes: the fraction of pi in 32-bit words (Machin's formula on integers)."""
    bits = 32 * _WORDS + 64
    one = 1 << bits

    def arctan_inverse(x: int) -> int:
        term = one // x
        total, square, divisor, sign = term, x * x, 3, -1
        while term:
            term //= square
            total += sign * (term // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    fraction = 4 * (4 * arctan_inverse(5) - arctan_inverse(239)) - 3 * one
    words = tuple((fraction >> (bits - 32 * (i + 1))) & 0xFFFFFFFF for i in range(_WORDS))
    return words[:18], tuple(words[18 + 256 * i : 274 + 256 * i] for i in range(4))


class _Cipher:
    def __init__(self) -> None:
        p, s = _tables()
        self.p = list(p)
        self.s = [list(box) for box in s]

    def encrypt(self, left: int, right: int) -> tuple[int, int]:
        p = self.p
        s0, s1, s2, s3 = self.s
        for i in range(0, 16, 2):
            left ^= p[i]
            right ^= (
                (s0[left >> 24] + s1[left >> 16 & 255] ^ s2[left >> 8 & 255]) + s3[left & 255]
            ) & 0xFFFFFFFF
            right ^= p[i + 1]
            left ^= (
                (s0[right >> 24] + s1[right >> 16 & 255] ^ s2[right >> 8 & 255]) + s3[right & 255]
            ) & 0xFFFFFFFF
        return right ^ p[17], left ^ p[16]

    def expand(self, key: list[int], salt: tuple[int, ...]) -> None:
        """One key schedule: `key` as 18 words, `salt` as 4 (zeros for none)."""
        p = self.p
        for i in range(18):
            p[i] ^= key[i]
        left = right = turn = 0
        for box in (p, *self.s):
            for i in range(0, len(box), 2):
                left, right = self.encrypt(left ^ salt[turn], right ^ salt[turn + 1])
                box[i], box[i + 1] = left, right
                turn ^= 2


def _cycled(data: bytes) -> list[int]:
    stream = data * (72 // len(data) + 1)
    return [int.from_bytes(stream[i : i + 4], "big") for i in range(0, 72, 4)]


def _base64(data: bytes) -> str:
    bits = "".join(f"{b:08b}" for b in data)
    bits += "0" * (-len(bits) % 6)
    return "".join(_ALPHABET[int(bits[i : i + 6], 2)] for i in range(0, len(bits), 6))


def hash_password(password: bytes, salt: bytes, cost: int) -> str:
    """`$2a$COST$salt+hash`. Raises ValueError for a password that is too long."""
    if len(password) > MAX_PASSWORD:
        raise ValueError("bcrypt: password length exceeds 72 bytes")
    setting = f"{cost:02d}${_base64(salt)}"
    return f"$2a${setting}{by_system(password, setting) or by_hand(password, salt, cost)}"


def by_system(password: bytes, setting: str) -> str | None:
    """The hash as libcrypt has it; None where it cannot."""
    import ctypes

    if b"\0" in password:
        return None  # a C string would end there
    try:
        crypt = ctypes.CDLL("libcrypt.so.1").crypt_rn
    except (OSError, AttributeError):
        return None
    crypt.restype = ctypes.c_char_p
    crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
    wanted = b"$2b$" + setting.encode()  # what others call 2a; libcrypt's own 2a differs for odd passwords
    found = crypt(password, wanted, ctypes.create_string_buffer(_CRYPT_DATA), _CRYPT_DATA)
    if not isinstance(found, bytes) or len(found) != 60 or not found.startswith(wanted):
        return None
    return found[len(wanted) :].decode("ascii")


def by_hand(password: bytes, salt: bytes, cost: int) -> str:
    """The hash, in Python."""
    key = _cycled(password + b"\0")
    salted = tuple(int.from_bytes(salt[i : i + 4], "big") for i in range(0, 16, 4))
    salt_key, nothing = _cycled(salt), (0, 0, 0, 0)
    cipher = _Cipher()
    cipher.expand(key, salted)
    for _ in range(1 << cost):
        cipher.expand(key, nothing)
        cipher.expand(salt_key, nothing)
    words = list(_MAGIC)
    for i in range(0, 6, 2):
        for _ in range(64):
            words[i], words[i + 1] = cipher.encrypt(words[i], words[i + 1])
    digest = b"".join(w.to_bytes(4, "big") for w in words)[:23]
    return _base64(digest)
