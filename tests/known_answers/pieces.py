"""Single functions of docs/PROTOCOL.md (pieces.json)."""
from exchange import drawn
from primitives import chacha20, x25519_public
from protocol import (
    consistency, inclusion, kdf, keystream, leaf_hash, ledger_id, masked, seal, sites_needed, tree_root, vector_hash, wrap,
)  # fmt: skip

LONG = [(40000, 8), (29984, 16), (24, 8)]


def pieces_file():
    vectors = []
    for length in (0, 8, 65536, 65544, 131072):
        v = chacha20(bytes(32), length)
        vectors.append({"bytes": length, "vector": "the keystream under 32 zeros", "hash": vector_hash(v)})
    b, psi = drawn("b"), drawn("psi")
    x = chacha20(drawn("x"), sum(n for n, _ in LONG))
    y = masked(x, LONG, 5, b, {2: drawn("s2"), 9: drawn("s9")})
    leaves = [leaf_hash(bytes.fromhex(d)) for d in RECORDS]
    return {
        "kdf": [{"key": key, "label": label, "data": data, "out": kdf(key, label, data)}
                for key, label, data in ((b"", "manifest", b""), (b"", "a", b"bc"), (b"", "ab", b"c"), (drawn("k"), "pair", drawn("d", 100)))],
        "ledger_id": [{"earlier": drawn("earlier"), "qid": drawn("later"), "id": ledger_id(drawn("earlier"), drawn("later"))}],
        "n_min": [{"sites": n, "n_min": sites_needed(n)} for n in (2, 3, 4, 5, 6, 7, 10, 18, 20, 200)],
        "vectors": vectors,
        "long_mask": {"runs": LONG, "own": 5, "x_key": drawn("x"), "b": b, "seeds": [[2, drawn("s2")], [9, drawn("s9")]], "hash": vector_hash(y)},
        "seals": [
            {"secret": drawn("s"), "public": x25519_public(drawn("s")), "ephemeral": drawn("e"), "data": data,
             "sealed": seal(x25519_public(drawn("s")), data, drawn("e"))} for data in (b"", drawn("key"), drawn("more", 200))
        ],
        "secretboxes": [{"key": drawn("k"), "nonce": drawn("n", 24), "data": data, "sealed": wrap(drawn("k"), data, drawn("n", 24))}
                        for data in (b"", drawn("key"), drawn("more", 200))],
        "theta": {"key": drawn("K_theta"), "packed": drawn("packed", 90), "frame": wrap(drawn("K_theta"), drawn("packed", 90), drawn("n", 24)),
                  "hash": kdf(b"", "theta", wrap(drawn("K_theta"), drawn("packed", 90), drawn("n", 24)))},
        "fill": {"B": b, "psi": psi, "bytes": 72, "words": keystream(kdf(b, "fill", psi), 72)},
        "tree": {
            "records": RECORDS, "leaves": leaves, "roots": [tree_root(leaves[:n]) for n in range(len(leaves) + 1)],
            "inclusion": [{"index": m, "size": n, "proof": inclusion(m, leaves[:n])} for n in range(1, 9) for m in range(n)],
            "consistency": [{"old": m, "size": n, "proof": consistency(m, leaves[:n])} for n in range(1, 9) for m in range(1, n + 1)],
        },
    }  # fmt: skip



# The records that RFC 6962's own implementation is tested with.
RECORDS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
