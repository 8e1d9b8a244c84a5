"""Primitives of docs/PROTOCOL.md in Python's standard library alone: slow, not in constant time, for known answers only.

Sources: RFC 7748 (X25519), RFC 8032 (Ed25519), RFC 8439 (ChaCha20, Poly1305), draft-irtf-cfrg-xchacha-03 (XChaCha20-Poly1305),
"Extending the Salsa20 nonce" and "Cryptography in NaCl" by D. J. Bernstein (XSalsa20-Poly1305).
"""
import hashlib
import hmac
import struct

P = 2**255 - 19
MASK = 0xFFFFFFFF


class Refused(Exception):
    """What must not be taken."""


# X25519, RFC 7748 section 5


def x25519(k, u):
    """u-coordinate of k times the point u; all three are 32 bytes."""
    k = bytearray(k)
    k[0] &= 248
    k[31] &= 127
    k[31] |= 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(u, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = (k >> t) & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def x25519_public(k):
    return x25519(k, (9).to_bytes(32, "little"))


def x25519_shared(k, u):
    """As x25519; a point of small order is refused (RFC 7748 section 6.1)."""
    shared = x25519(k, u)
    if shared == bytes(32):
        raise Refused("a key of small order")
    return shared


# Ed25519, RFC 8032 sections 5.1 and 6

Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def point_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = point_add(q, p)
        p = point_add(p, p)
        s >>= 1
    return q


def point_equal(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point_x(y, sign):
    if y >= P:
        raise Refused("not in its one form")
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    if x2 % P == 0:
        if sign:
            raise Refused("not in its one form")
        return 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P:
        raise Refused("no point")
    return P - x if (x & 1) != sign else x


def point_pack(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


def point_unpack(s):
    y = int.from_bytes(s, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = point_x(y, sign)
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (point_x(BASE_Y, 0), BASE_Y, 1, point_x(BASE_Y, 0) * BASE_Y % P)


def ed25519_secret(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    return a, h[32:]


def ed25519_public(seed):
    return point_pack(point_times(ed25519_secret(seed)[0], BASE))


def ed25519_number(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % Q


def ed25519_sign(seed, message):
    a, prefix = ed25519_secret(seed)
    public = point_pack(point_times(a, BASE))
    r = ed25519_number(prefix + message)
    point = point_pack(point_times(r, BASE))
    s = (r + ed25519_number(point + public + message) * a) % Q
    return point + s.to_bytes(32, "little")


def ed25519_check(public, message, signature):
    """Returns where the signature is the key's; else Refused. A key or R of small order is refused, and S of Q or more."""
    if len(public) != 32 or len(signature) != 64:
        raise Refused("length")
    a, r = point_unpack(public), point_unpack(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if s >= Q:
        raise Refused("not in its one form")
    for point in (a, r):
        if point_equal(point_times(8, point), (0, 1, 1, 0)):
            raise Refused("a point of small order")
    h = ed25519_number(signature[:32] + public + message)
    if not point_equal(point_times(s, BASE), point_add(r, point_times(h, a))):
        raise Refused("signature")


# ChaCha20 and Salsa20


def rotate(v, n):
    return ((v << n) | (v >> (32 - n))) & MASK


CHACHA = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
SALSA = [(0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11), (0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)]
SIGMA = struct.unpack("<4I", b"expand 32-byte k")


def chacha_rounds(start):
    w = list(start)
    for _ in range(10):
        for a, b, c, d in CHACHA:
            x, y, z, t = w[a], w[b], w[c], w[d]
            x = (x + y) & MASK
            t ^= x
            t = ((t << 16) | (t >> 16)) & MASK
            z = (z + t) & MASK
            y ^= z
            y = ((y << 12) | (y >> 20)) & MASK
            x = (x + y) & MASK
            t ^= x
            t = ((t << 8) | (t >> 24)) & MASK
            z = (z + t) & MASK
            y ^= z
            w[a], w[b], w[c], w[d] = x, ((y << 7) | (y >> 25)) & MASK, z, t
    return w


def chacha20(key, length, nonce=bytes(8), counter=0):
    """Keystream. A nonce of 8 bytes has a counter of 64 bits (the original), one of 12 bytes 32 bits (RFC 8439)."""
    out = bytearray()
    middle, last = struct.unpack("<8I", key), struct.unpack(f"<{len(nonce) // 4}I", nonce)
    for block in range(counter, counter + (length + 63) // 64):
        start = [*SIGMA, *middle, *struct.unpack("<2I", struct.pack("<Q", block))[: 4 - len(last)], *last]
        out += struct.pack("<16I", *[(a + b) & MASK for a, b in zip(start, chacha_rounds(start))])
    return bytes(out[:length])


def hchacha20(key, nonce16):
    w = chacha_rounds([*SIGMA, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce16)])
    return struct.pack("<8I", *w[:4], *w[12:])


def salsa_start(key, middle):
    k, m = struct.unpack("<8I", key), struct.unpack("<4I", middle)
    return [SIGMA[0], *k[:4], SIGMA[1], *m, SIGMA[2], *k[4:], SIGMA[3]]


def salsa_rounds(start):
    w = list(start)
    for _ in range(10):
        for a, b, c, d in SALSA:
            w[b] ^= rotate((w[a] + w[d]) & MASK, 7)
            w[c] ^= rotate((w[b] + w[a]) & MASK, 9)
            w[d] ^= rotate((w[c] + w[b]) & MASK, 13)
            w[a] ^= rotate((w[d] + w[c]) & MASK, 18)
    return w


def hsalsa20(key, nonce16):
    w = salsa_rounds(salsa_start(key, nonce16))
    return struct.pack("<8I", *[w[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)])


def xsalsa20(key, nonce24, length):
    key, out = hsalsa20(key, nonce24[:16]), bytearray()
    for block in range((length + 63) // 64):
        start = salsa_start(key, nonce24[16:] + struct.pack("<Q", block))
        out += struct.pack("<16I", *[(a + b) & MASK for a, b in zip(start, salsa_rounds(start))])
    return bytes(out[:length])


# Poly1305, RFC 8439 section 2.5, and what is made of it


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def secretbox(key, nonce24, data):
    """XSalsa20-Poly1305: 16 bytes of tag, then the ciphertext."""
    stream = xsalsa20(key, nonce24, 32 + len(data))
    sealed = xor(stream[32:], data)
    return poly1305(stream[:32], sealed) + sealed


def secretbox_open(key, nonce24, sealed):
    if len(sealed) < 16:
        raise Refused("length")
    stream = xsalsa20(key, nonce24, 16 + len(sealed))
    if not hmac.compare_digest(poly1305(stream[:32], sealed[16:]), sealed[:16]):
        raise Refused("tag")
    return xor(stream[32:], sealed[16:])


def xchacha20_poly1305(key, nonce24, data, more):
    """The ciphertext, then 16 bytes of tag; `more` is additional data."""
    key, nonce = hchacha20(key, nonce24[:16]), bytes(4) + nonce24[16:]
    sealed = xor(chacha20(key, len(data), nonce, 1), data)
    padded = b"".join(part + bytes(-len(part) % 16) for part in (more, sealed))
    return sealed + poly1305(chacha20(key, 32, nonce), padded + struct.pack("<2Q", len(more), len(sealed)))
