"""What smd tells of the distribution of weights where small cells are hidden (min_cell 11): joined intervals of at least 11
patients in each arm, that add up to those of R's answer, and quantiles that stand on as many. In a network of three sites, where
nobody can judge pooled counts, nothing.

weights_shown.py TMP FEDERATE
"""
import json, os, subprocess, sys

LEAST = 11
HEAD = """study: weights
dictionary: rotterdam@1
title: weights behind thresholds
purpose: research-public-interest
legal_basis: MR-004
protocol: HDH-0000
expires: 2099-12-31
analyses:
"""
ANALYSIS = '  - {{ id: {}, method: smd, variables: [age, nodes], treatment: {}, weights: {{ iptw: "{} ~ age + nodes + meno", estimand: {} }} }}\n'


def ask(tmp, federate, sites, policy):
    study, out = os.path.join(tmp, "weights.yaml"), os.path.join(tmp, f"{policy}.{sites}.json")
    with open(study, "w") as f:
        f.write(HEAD + ANALYSIS.format("ate", "chemo", "chemo", "ate") + ANALYSIS.format("att", "hormon", "hormon", "att"))
    subprocess.run([federate, "rotterdam", study, str(sites), "1", out, policy], check=True, capture_output=True)
    return {a["id"]: {**a, **(a.get("result") or {})} for a in json.load(open(out))["analyses"]}


def joined(counts, breaks, edges):
    """Counts between `breaks`, added up between `edges`, which are some of them."""
    at = [breaks.index(edge) for edge in edges]
    return [sum(counts[a:b]) for a, b in zip(at, at[1:])]


def main():
    tmp, federate = sys.argv[1:]
    os.makedirs(tmp, exist_ok=True)
    exact = ask(tmp, federate, 6, "open")
    for id_, shown in ask(tmp, federate, 6, "standard").items():
        have, want = shown["overlap"], exact[id_]["overlap"]
        assert 1 < len(have["breaks"]) < len(want["breaks"]), f"{id_}: expected some intervals to be joined"
        for arm in range(2):
            assert min(have["counts"][arm]) >= LEAST, f"{id_}: expected no interval of fewer than {LEAST}, found {have['counts'][arm]}"
            assert have["counts"][arm] == joined(want["counts"][arm], want["breaks"], have["breaks"]), f"{id_}: other counts"
        for name in ("mean", "sd", "ess"):
            assert shown["weights"][name] == exact[id_]["weights"][name], f"{id_}: {name} differs"
        for name in ("p01", "p99"):  # of as many patients on both sides: within a tenth where there are some thirty beyond
            assert abs(shown["weights"][name] / exact[id_]["weights"][name] - 1) < 0.1, f"{id_}: {name} {shown['weights']}"
        assert any(f"means over {LEAST} patients or more" in w for w in shown["warnings"]), shown["warnings"]
    for id_, hidden in ask(tmp, federate, 3, "standard").items():
        if hidden["status"] != "ok":
            continue
        assert hidden["overlap"] is None and hidden["weights"]["p01"] is None, f"{id_}: expected nothing of three sites"
    print("weights: joined intervals and quantiles as they should be")


main()
