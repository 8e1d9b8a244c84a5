#!/usr/bin/env python3
"""make.py RESULT.json: the inputs of the tests of figures, from the result file of examples/rotterdam/all-methods.yaml.

plain.json     one analysis of each kind that is drawn, and a table 1, thinned
english.json   the same under the longest labels and levels that a dictionary could have
french.json    the same in French, one word without a place to break
withheld.json  parts withheld, as policies with minima leave them"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = ["table1", "ages", "grade-size", "logit", "os", "cox", "effect", "effect-size", "effect-meno", "effect-node_group", "causes", "relapse", "balance", "combined"]
LABELS = {
    "english": {
        "age": "Age at the histological diagnosis of the primary invasive carcinoma of the breast",
        "size": "Largest diameter of the primary tumour on the surgical specimen, in millimetres",
        "grade": "Grade of histological differentiation after Scarff, Bloom and Richardson, modified by Elston and Ellis",
        "nodes": "Number of axillary lymph nodes with a metastasis of more than two millimetres",
        "meno": "Twelve months without menstruation before the diagnosis or bilateral oophorectomy",
        "hormon": "Adjuvant endocrine treatment (tamoxifen or an aromatase inhibitor) begun within six months of surgery",
        "chemo": "Adjuvant chemotherapy with an anthracycline and a taxane, at least four cycles received",
        "death": "Death from any cause after the date of first surgery",
        ">50": "more than fifty millimetres, or of any size with extension to the chest wall or to the skin",
    },
    "french": {
        "age": "Âge au diagnostic histologique du carcinome infiltrant primitif du sein",
        "size": "Plus grand diamètre de la tumeur primitive sur la pièce opératoire, en millimètres",
        "grade": "Grade histopronostique de Scarff, Bloom et Richardson modifié par Elston et Ellis",
        "nodes": "Nombre de ganglions axillaires porteurs d’une métastase de plus de deux millimètres",
        "meno": "Aménorrhée de plus de douze mois avant le diagnostic ou ovariectomie bilatérale",
        "hormon": "Hormonothérapieadjuvantepartamoxifèneouinhibiteurdelaromatasedébutéedanslessixmoissuivantlachirurgie",
        "chemo": "Chimiothérapie adjuvante par anthracycline et taxane, au moins quatre cycles reçus",
        "death": "Décès de toute cause survenu après la date de la première intervention chirurgicale",
        ">50": "plus de cinquante millimètres, ou de toute taille avec extension à la paroi thoracique ou à la peau",
    },
}


def thin(value):
    """Every fourth step of a curve."""
    if isinstance(value, dict):
        if isinstance(value.get("time"), list):
            n = len(value["time"])
            kept = [i for i in range(n) if i % 4 == 3 or i == n - 1]
            out = {}
            for key, column in value.items():
                if isinstance(column, list) and len(column) == n and key in ("n_event_at", "n_censor"):
                    out[key], last = [], -1
                    for i in kept:  # sums over what is left out
                        out[key].append(sum(column[last + 1:i + 1]))
                        last = i
                elif isinstance(column, list) and len(column) == n and key == "n_risk":
                    out[key] = [column[0 if k == 0 else kept[k - 1] + 1] for k in range(len(kept))]
                elif isinstance(column, list) and len(column) == n:
                    out[key] = [column[i] for i in kept]
                else:
                    out[key] = column
            return out
        return {key: thin(inner) for key, inner in value.items() if key not in ("vcov", "baseline", "zph")}
    return [thin(inner) for inner in value] if isinstance(value, list) else value


def relabelled(result, words):
    text = json.dumps(result, ensure_ascii=False)
    text = text.replace('">50"', json.dumps(words[">50"], ensure_ascii=False)).replace(
        '"size>50"', json.dumps("size" + words[">50"], ensure_ascii=False))
    text = text.replace('"over 50 mm"', json.dumps(words[">50"], ensure_ascii=False))
    out = json.loads(text)
    for variable in out["dictionary"]["variables"]:
        variable["label"] = words.get(variable["name"], variable["label"])
    return out


def withheld(result):
    out = json.loads(json.dumps(result))
    for analysis in out["analyses"]:
        r = analysis["result"]
        analysis["suppressed"] = 1
        if analysis["id"] == "os":
            for name, column in list(r["curves"][1].items()):
                if isinstance(column, list):
                    r["curves"][1][name] = column[:len(column) // 2]
        elif analysis["id"] == "causes":
            for part in (r["risk_sets"][1], *r["curves"][2:]):  # one arm ends early
                for name, column in list(part.items()):
                    if isinstance(column, list):
                        part[name] = column[:len(column) // 2]
        elif analysis["id"] == "effect-meno":
            analysis.update(status="refused", rule="min_cell", reason="", result=None)
        elif analysis["id"] == "table1":
            r["variables"][0].update(mean=None, sd=None, n=None)
        elif analysis["id"] == "ages":
            r["groups"][0]["counts"][2] = None
        elif analysis["id"] == "grade-size":
            r["counts"][0][2] = None
        elif analysis["id"] == "balance":
            r["variables"][3]["unweighted"] = r["variables"][3]["weighted"] = None
    return out


def main():
    result = json.load(open(sys.argv[1], encoding="utf-8"))
    result["analyses"] = [a for a in result["analyses"] if a["id"] in KEPT]
    result["text"] = result["text"].split("\n")[1]
    result = thin(result)
    files = {"plain": result, "withheld": withheld(result)}
    files.update((language, relabelled(result, words)) for language, words in LABELS.items())
    for name, content in files.items():
        with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as out:
            json.dump(content, out, ensure_ascii=False, separators=(",", ":"))
            out.write("\n")


main()
