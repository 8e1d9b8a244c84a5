#!/usr/bin/env python3
"""Known answers of the key schedule and the masks (docs/PROTOCOL.md), made without any cryptographic library but
hashlib.blake2b, to be compared with the C of crypto/mask.c byte for byte (crypto/mask_test.c).

    tests/vectors/masks.py > tests/vectors/masks.kat     makes the vectors again
    tests/vectors/masks.py --check                       fails when masks.kat is not what this program makes

Three sites (numbers 2, 5, 9), two rounds' attempts, a vector of both rings with runs of 48 (8), 64 (16) and 24 (8) bytes, and a
long vector with runs of 40,000 (8), 29,984 (16) and 24 (8) bytes, of which the hash alone stands here. X25519 as in
RFC 7748 section 5, ChaCha20 with a 64-bit counter and nonce 0 (the original, as crypto_stream_chacha20).
"""
import hashlib
import pathlib
import struct
import sys

P = 2**255 - 19


def x25519(k, u):
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


def chacha20(key, length):
    out = bytearray()
    for counter in range((length + 63) // 64):
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key), counter, 0, 0, 0]
        w = start[:]

        def quarter(a, b, c, d):
            for x, y, z, r in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                w[x] = (w[x] + w[y]) & 0xFFFFFFFF
                v = w[z] ^ w[x]
                w[z] = ((v << r) | (v >> (32 - r))) & 0xFFFFFFFF

        for _ in range(10):
            quarter(0, 4, 8, 12)
            quarter(1, 5, 9, 13)
            quarter(2, 6, 10, 14)
            quarter(3, 7, 11, 15)
            quarter(0, 5, 10, 15)
            quarter(1, 6, 11, 12)
            quarter(2, 7, 8, 13)
            quarter(3, 4, 9, 14)
        out += struct.pack("<16I", *[(a + b) & 0xFFFFFFFF for a, b in zip(start, w)])
    return bytes(out[:length])


def le64(v):
    return struct.pack("<Q", v)


def kdf(key, label, data):
    label = label.encode()
    return hashlib.blake2b(le64(len(label)) + label + le64(len(data)) + data, digest_size=32, key=key).digest()


def vector_hash(v):
    leaves = b"".join(kdf(b"", "segment", le64(k) + v[s : s + 65536]) for k, s in enumerate(range(0, len(v), 65536)))
    return kdf(b"", "vector", le64(len(v)) + leaves)


def add(y, x, runs, sign=1):
    out, at = bytearray(), 0
    for length, width in runs:
        for _ in range(length // width):
            a, b = (int.from_bytes(v[at : at + width], "little") for v in (y, x))
            out += ((a + sign * b) % (1 << (8 * width))).to_bytes(width, "little")
            at += width
    return bytes(out)


SITES = [2, 5, 9]
SHORT = [(48, 8), (64, 16), (24, 8)]
LONG = [(40000, 8), (29984, 16), (24, 8)]


def clear_vector(length, site, attempt):
    """Bytes that both programs can make: a keystream under a key of the site's number and the attempt."""
    return chacha20(kdf(b"", "vector", le64(site) + le64(attempt)), length)


def main(out):
    ek = {s: bytes([0x11 * (i + 1)]) * 32 for i, s in enumerate(SITES)}
    root = {s: bytes([0xA0 + i]) * 32 for i, s in enumerate(SITES)}
    public = {s: x25519(ek[s], (9).to_bytes(32, "little")) for s in SITES}
    qh = kdf(b"", "manifest", b"known-answer manifest")
    rho = kdf(b"", "roster", qh + b"".join(struct.pack("<I", s) + public[s] for s in SITES))
    out("qh", qh)
    out("rho", rho)
    for s in SITES:
        out(f"ek.{s}", public[s])
    pair = {
        (i, j): kdf(x25519(ek[i], public[j]), "pair", rho + le64(min(i, j)) + le64(max(i, j)))
        for i in SITES
        for j in SITES
        if i != j
    }
    for attempt in (1, 2):
        psi = kdf(b"", "round", rho + le64(1) + le64(attempt))
        out(f"psi.{attempt}", psi)
        for name, runs in (("short", SHORT), ("long", LONG)):
            length = sum(n for n, _ in runs)
            total, expected, self_masks = bytes(length), bytes(length), []
            for i in SITES:
                x = clear_vector(length, i, attempt)
                b = kdf(root[i], "self", psi)
                self_masks.append(b)
                y = add(x, chacha20(b, length), runs)
                for j in SITES:
                    if j == i:
                        continue
                    seed = kdf(pair[i, j], "mask", psi)
                    y = add(y, chacha20(seed, length), runs, 1 if j > i else -1)
                    if name == "short":
                        out(f"tag.{attempt}.{i}.{j}", kdf(seed, "tag", psi)[:16])
                if name == "short":
                    out(f"self.{attempt}.{i}", b)
                    out(f"commit.{attempt}.{i}", kdf(b, "commit", psi))
                    out(f"y.{attempt}.{i}", y)
                out(f"hash.{name}.{attempt}.{i}", vector_hash(y))
                total, expected = add(total, y, runs), add(expected, x, runs)
            for b in self_masks:
                total = add(total, chacha20(b, length), runs, -1)
            assert total == expected
            out(f"sum.{name}.{attempt}", total if name == "short" else vector_hash(total))


lines = []
main(lambda name, value: lines.append(f"{name} {value.hex()}\n"))
text = "".join(lines)
if sys.argv[1:] == ["--check"]:
    stored = pathlib.Path(__file__).with_name("masks.kat").read_text()
    sys.exit(0 if stored == text else "masks.kat: expected what masks.py makes, found something else")
sys.stdout.write(text)
