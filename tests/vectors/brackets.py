"""brackets.py FEDERATE TMP: quantiles of the Rotterdam data under every preset at 3 to 6 sites, whose bins are joined for privacy. Whatever is
printed is near R's value; what is null says between which values it lies; with 5 sites nothing is null."""
import json, os, subprocess, sys

federate, tmp = sys.argv[1:]
study = "tests/vectors/brackets.study.yaml"
# tapply(rotterdam$age, rotterdam$chemo, quantile, c(.25, .5, .75)) and so on, R's type 7; and the data's interquartile range
truth = {("q", "FALSE"): [48, 58, 67], ("q", "TRUE"): [40, 45, 49], ("h", "FALSE"): [44, 53, 64], ("h", "TRUE"): [57, 62, 69],
         ("p", None): [4, 41, 198, 485.9], ("n", None): [0, 1, 4, 9]}
wrong = []
for preset in ["open", "standard", "strict"]:
    policy = os.path.join(tmp, "policy.yaml")
    with open(policy, "w") as file:
        file.write(f"policy: {preset}\n")
    for sites in range(3, 7):
        out = os.path.join(tmp, "brackets.json")
        subprocess.run([federate, "rotterdam", study, str(sites), "1", out, "1", policy], check=True, stdout=subprocess.DEVNULL)
        for analysis in json.load(open(out))["analyses"]:
            name = f"{preset}, {sites} sites, {analysis['id']}"
            if analysis["status"] == "refused":
                continue
            for group in analysis["result"]["groups"]:
                right = truth[analysis["id"], group["level"]]
                spread = right[2] - right[0]
                for value, expected, p in zip(group["values"], right, group["probs"]):
                    if value is None and not any(f"the quantile {p:g} of" in w and "anywhere from" in w for w in analysis["warnings"]):
                        wrong.append(f"{name}: {p} is null and nothing says why")
                    if value is None and (preset == "open" or sites >= 5):
                        wrong.append(f"{name}: {p} is null")
                    if value is not None and abs(value - expected) > max(1, 0.05 * spread):
                        wrong.append(f"{name}: {p} is {value}, R's is {expected}")
if wrong:
    sys.exit("\n".join(wrong))
