"""What docs/PROTOCOL.md says of bytes, written from that page and proto/maille.proto alone. No program of maille was looked at.

Section numbers are the page's.
"""
import hashlib
import pathlib
import re
import struct

from primitives import Refused, chacha20, ed25519_sign, hsalsa20, secretbox, secretbox_open, x25519_public, x25519_shared

# Section 1: keys


def le32(v):
    return struct.pack("<I", v)


def le64(v):
    return struct.pack("<Q", v)


def kdf(key, label, data):
    label = label.encode()
    return hashlib.blake2b(le64(len(label)) + label + le64(len(data)) + data, digest_size=32, key=key).digest()


def keystream(seed, length):
    return chacha20(seed, length)


def signed(name, body):
    return b"maille1/" + name.encode() + b"\0" + body


# Section 2: messages. A message is a list of (field, value); proto/maille.proto has the numbers and types.

KINDS = {
    1: "hello", 2: "welcome", 3: "directory", 4: "catalogue", 5: "catalogue_request", 6: "catalogues", 10: "manifest", 11: "ready",
    12: "call", 13: "accept", 14: "roster", 15: "start", 16: "refuse", 17: "masked", 18: "pull", 19: "segment", 20: "close", 21: "reveal",
    22: "sum", 24: "end", 25: "cancel", 26: "log_head", 27: "custody", 28: "taken", 29: "agreed", 30: "status", 31: "list_request",
    32: "list", 33: "resume", 34: "problem", 35: "result",
}  # fmt: skip


def read_types():
    """{message: {field: (number, type, repeated)}} of proto/maille.proto."""
    text = (pathlib.Path(__file__).parents[2] / "proto/maille.proto").read_text()
    types = {}
    for name, body in re.findall(r"^message (\w+) \{(.*?)\}", re.sub(r"//.*", "", text), re.S | re.M):
        fields = re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)
        types[name] = {field: (int(number), kind, bool(repeated)) for repeated, kind, field, number in fields}
    return types


TYPES = read_types()


def varint(v):
    out = bytearray()
    while v >= 128:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out + bytes([v]))


def encode(name, /, **values):
    """The one form of a message: fields by number, nothing that is 0 or empty, repeated numbers packed, varints as short as can be."""
    out = b""
    for field, (number, kind, repeated) in sorted(TYPES[name].items(), key=lambda item: item[1][0]):
        value = values.pop(field, None)
        if not value and value != {}:
            continue
        if kind in ("uint32", "uint64", "int64"):
            if repeated:
                packed = b"".join(varint(v) for v in value)
                out += varint(number << 3 | 2) + varint(len(packed)) + packed
            else:
                out += varint(number << 3) + varint(value)
            continue
        for each in value if repeated else [value]:
            data = each.encode() if kind == "string" else each if kind == "bytes" else encode(kind, **each)
            out += varint(number << 3 | 2) + varint(len(data)) + data
    assert not values, values
    return out


def envelope(kind, sender, seed, body):
    """Bytes of frame 0; seed is None where the kind is not signed."""
    signature = b"" if seed is None else ed25519_sign(seed, signed(KINDS[kind], body))
    return encode("Envelope", kind=kind, **{"from": sender}, body=body, signature=signature)


# Section 3: the query


def manifest_hash(manifest):
    return kdf(b"", "manifest", manifest)


def roster_hash(qh, accepts):
    return kdf(b"", "roster", qh + b"".join(le64(len(a)) + a for a in accepts))


def pair_key(secret, public, rho, a, b):
    return kdf(x25519_shared(secret, public), "pair", rho + le64(min(a, b)) + le64(max(a, b)))


def round_hash(header):
    return kdf(b"", "round", header)


def ledger_id(earlier, qid):
    return kdf(earlier, "ledger", qid)[:16]


def self_seed(root, psi):
    return kdf(root, "self", psi)


def pair_seed(pair, psi):
    return kdf(pair, "mask", psi)


def commit(b, psi):
    return kdf(b, "commit", psi)


def tag(seed, psi):
    return kdf(seed, "tag", psi)[:16]


def add(y, x, runs, sign=1):
    """y ± x, word by word: runs are (bytes, width)."""
    out, at = bytearray(), 0
    for length, width in runs:
        for _ in range(length // width):
            a, b = (int.from_bytes(v[at : at + width], "little") for v in (y, x))
            out += ((a + sign * b) % (1 << (8 * width))).to_bytes(width, "little")
            at += width
    assert at == len(y) == len(x)
    return bytes(out)


def masked(x, runs, own, b, seeds):
    """y_i of the sums x; seeds: {j: s_ij}."""
    y = add(x, keystream(b, len(x)), runs)
    for j, seed in seeds.items():
        y = add(y, keystream(seed, len(x)), runs, 1 if j > own else -1)
    return y


SEGMENT = 65536


def vector_leaves(v):
    return [kdf(b"", "segment", le64(k) + v[at : at + SEGMENT]) for k, at in enumerate(range(0, len(v), SEGMENT))]


def vector_hash(v):
    return kdf(b"", "vector", le64(len(v)) + b"".join(vector_leaves(v)))


def sites_needed(n):
    """n_min, section 5."""
    f = max(1, n // 5)
    return 0 if n < 3 else max((n + f) // 2 + 1, f + (2 if n == 3 else 3))


# Section 8: seals


def box_key(shared):
    return hsalsa20(shared, bytes(16))


def seal(public, data, ephemeral):
    """To the holder of an X25519 key; ephemeral: 32 random bytes."""
    own = x25519_public(ephemeral)
    nonce = hashlib.blake2b(own + public, digest_size=24).digest()
    return own + secretbox(box_key(x25519_shared(ephemeral, public)), nonce, data)


def seal_open(secret, sealed):
    if len(sealed) < 48:
        raise Refused("length")
    own = sealed[:32]
    nonce = hashlib.blake2b(own + x25519_public(secret), digest_size=24).digest()
    return secretbox_open(box_key(x25519_shared(secret, own)), nonce, sealed[32:])


def wrap(key, data, nonce):
    """Under a symmetric key; nonce: 24 random bytes."""
    return nonce + secretbox(key, nonce, data)


def wrap_open(key, sealed):
    if len(sealed) < 40:
        raise Refused("length")
    return secretbox_open(key, sealed[:24], sealed[24:])


# Section 7: the circle


def circle_key(rho, psi_secret, selves):
    return kdf(b"", "circle", rho + psi_secret + b"".join(selves))


def circle_secret(header, theta_hash, layout_hash, plan_hash, length, arithmetic):
    """RS of the secret ψ."""
    return le64(len(header)) + header + theta_hash + layout_hash + plan_hash + le64(length) + le32(arithmetic)


def reveal_key(key, psi_secret, site):
    return kdf(key, "reveal", psi_secret + le64(site))


def state_tag(key, psi_secret, state):
    return kdf(key, "state", psi_secret + state)


def results(qid, site, psi, analyses):
    """What is sealed to RK_A; analyses: encoded, in the order in which they ended."""
    text = b"maille result 1"
    out = le64(len(text)) + text + qid + le32(site) + psi + le64(len(analyses)) + b"".join(analyses)
    return out + bytes(-len(out) % 65536) if analyses else out


# Log heads: the Merkle tree of RFC 9162 section 2.1


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def tree_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(tree_root(leaves[:k]), tree_root(leaves[k:]))


def inclusion(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return inclusion(m, leaves[:k]) + [tree_root(leaves[k:])]
    return inclusion(m - k, leaves[k:]) + [tree_root(leaves[:k])]


def consistency(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [tree_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return consistency(m, leaves[:k], whole) + [tree_root(leaves[k:])]
    return consistency(m - k, leaves[k:], False) + [tree_root(leaves[:k])]
