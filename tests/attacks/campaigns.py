"""Attacks that need more than a study or two of a ward: rosters, everybody, two researchers, objections, registrations, a ruler."""
from reading import differ, level
from registry import T
from researcher import rules

G = 'dept == "a"'
HOSPITALS = [f"hospital-{letter}" for letter in "abcdef"]
CAMPAIGN_WARDS = {"sites": 600, "sites2": 600, "where": 300, "where2": 300, "pair": 150, "pair2": 150, "objects": 300, "objects2": 300, "ruler": 400, "budget": 400}


def wards():
    return [(f"c_{name}", f"c_{name}", size, {}, {}) for name, size in CAMPAIGN_WARDS.items()]


def of(ward):
    return f'ward == "c_{ward}"'


def arm(analysis):
    """What it says of those in the arm alone."""
    if analysis["status"] != "ok":
        return analysis
    rows = [row for row in analysis["result"]["variables"] if row["level"] == "TRUE"]
    return dict(analysis, n=None, result=dict(analysis["result"], variables=rows))


def one(network, name, line, derive=None, **more):
    return network.ask(name, {"x": line}, derive, **more)["x"]


def before(book, network, truth):
    """A8. Somebody asks everybody but a few; then the whole registry is asked."""
    heaviest = sorted((patient["bmi"] for ward in truth.values() for patient in ward), reverse=True)
    few = next(bmi for bmi in heaviest if sum(b > bmi for b in heaviest) > 2)
    first = one(network, "a8-narrow", f"method: count, by: [hr], cohort: bmi <= {few}", protocol="HDH-a8-other")
    second = one(network, "a8-everybody", "method: count, by: [hr]", protocol="HDH-a8")
    blocked = None if second["status"] == "ok" else f"nothing, but nobody can ask for everybody any more ({second.get('rule')})"
    both = differ([[[first], [second]]], None)
    book.note("A8", "everybody-is-blocked", both or blocked, rules([first]))


def site_totals(book, network, truth):
    """A6. The arm is the same in two cohorts, and one roster has a site less: the difference is the site's own."""
    members = [p for p in truth["c_sites"] if p["age"] >= 60 and p["hospital"] == "f"]
    line, derive = "method: count, by: [old]", {"old": "age >= 60"}
    answers = [one(network, "a6-all", f"{line}, cohort: '{of('sites')} && age >= 40'", derive, protocol="HDH-a6"),
               one(network, "a6-without", f"{line}, cohort: '{of('sites')} && age >= 50'", derive, protocol="HDH-a6", sites=HOSPITALS[:5])]
    n = [level(answer, "TRUE") for answer in answers]
    book.note("A6", "other-cohort", None if None in n else f"{n[0] - n[1]} patients of hospital f are 60 or older (in truth {len(members)})", rules(answers))
    answers = [one(network, "a6-same", f"{line}, cohort: '{of('sites2')}'", derive, protocol="HDH-a6"),
               one(network, "a6-same-without", f"{line}, cohort: '{of('sites2')}'", derive, protocol="HDH-a6", sites=HOSPITALS[:5])]
    n = [level(answer, "TRUE") for answer in answers]
    told = None if None in n or n[0] == n[1] else f"{n[0] - n[1]} patients of hospital f are 60 or older"  # the same: answered from before
    book.note("A6", "same-cohort", told, rules(answers))


def her_site(book, network):
    """A10. With and without her, at all sites and at all but one: at which is she?"""
    for ward, cohorts in (("where", ("year >= 2006", "year >= 2007")), ("where2", ("year <= 2020", "year <= 2019"))):
        answers = []
        for turn, (cohort, sites) in enumerate(zip(cohorts, (None, [h for h in HOSPITALS if h != "hospital-c"]))):
            given = network.ask(f"a10-{ward}-{turn}", {key: f"method: count, by: [{key}], cohort: '{of(ward)} && {cohort}'" for key in ("ga", "gb")},
                                {"ga": G, "gb": f"{G} || ({T})"}, protocol="HDH-a10", sites=sites)
            answers += given.values()
        n = [level(answer, "TRUE") for answer in answers]
        told = None if None in n[2:] else f"with her or without: {n[2]} and {n[3]} where hospital c is not asked"
        told = told or (None if None in n[:2] else f"with her or without: {n[0]} and {n[1]}")
        book.note("A10", f"rosters-{cohorts[1][:7].replace(' ', '')}", told, rules(answers))


def two_researchers(book, network):
    """A2 by two: each asks one half, in a protocol of his own."""
    network.enroll("bob")
    for ward, line in (("pair", "method: count, by: [g]"), ("pair2", "method: describe, variables: [bmi], by: g")):
        answers = [[one(network, f"a2-{ward}-alice", f"{line}, cohort: '{of(ward)}'", {"g": G}, protocol="HDH-a2-alice")],
                   [one(network, f"a2-{ward}-bob", f"{line}, cohort: '{of(ward)}'", {"g": f"{G} || ({T})"}, protocol="HDH-a2-bob", researcher="bob")]]
        book.note("A2", f"two-researchers-{line.split()[1].strip(',')}", differ([answers], None), rules(answers[0] + answers[1]))


def objection(book, network, truth):
    """A13. The same question before and after she objects, and an arm of another cohort that differs by her alone."""
    derive, line = {"g": 'hist == "other" && age < 60 && age >= 40'}, "method: describe, variables: [bmi, ps, lab], by: g"
    early = [one(network, f"a13-before-{ward}", f"{line}, cohort: '{of(ward)} && age <= 70'", derive, protocol="HDH-a13") for ward in ("objects", "objects2")]
    who = [next(p["pid"] for p in truth[f"c_{ward}"] if p["dept"] == "d" and p["hist"] == "other") for ward in ("objects", "objects2")]
    file = network.folder / "objections.csv"
    file.write_text("pseudonym,date,purposes\n" + "".join(f"{pid},2026-11-01,all\n" for pid in who))
    network.object("hospital-c", file)
    same = one(network, "a13-same", f"{line}, cohort: '{of('objects')} && age <= 70'", derive, protocol="HDH-a13")
    other = one(network, "a13-other", f"{line}, cohort: '{of('objects2')} && age <= 65'", derive, protocol="HDH-a13")
    # The answer of before the objection is given again, with its date: nothing differs.
    stands = any(warning.startswith("this is the answer of 20") for warning in same["warnings"]) and same["result"] == early[0]["result"]
    book.note("A13", "same-cohort", differ([[[arm(early[0])], [arm(same)]]], None), rules([same]) | ({"stored"} if stands else set()))
    book.note("A13", "other-cohort", differ([[[arm(early[1])], [arm(other)]]], None), rules([early[1], other]))


RULER = """id: HDH-ruler
title: a ruler
summary_for_patients: We measure.
legal_basis: MR-004
purposes: [research-public-interest]
researchers: [researcher]
dictionary: wards@1
notice: none
begin: 2026-01-01
end: 2099-12-31
"""


def ruler(book, network):
    """One group is shown; then ever wider ones, until one is not near any more: it has 11 patients more. Under a registration, which the network
    closes: so many studies of twelve groups as standard's limit has room for, and one."""
    said, wide = [], None
    (network.folder / "ruler.yaml").write_text(RULER)
    network.register(network.folder / "ruler.yaml")
    first = one(network, "ruler-first", f"method: count, by: [g], cohort: '{of('ruler')}'", {"g": "lab <= 80"}, protocol="HDH-ruler")
    for turn, (age, start) in enumerate((age, start) for age in (19, 20, 21) for start in range(81, 117, 12)):
        derive = {f"g{lab}": f"lab <= {lab} && age >= {age}" for lab in range(start, start + 12)}
        given = network.ask(f"ruler-{turn}", {f"a{lab}": f"method: count, by: [g{lab}], cohort: '{of('ruler')}'" for lab in range(start, start + 12)},
                            derive, protocol="HDH-ruler")
        said += given.values()
        wide = wide or next((key for key, answer in given.items() if answer["status"] == "ok"), None)
        if any(answer.get("rule") in ("protocol", "cancelled") for answer in given.values()):
            break
    measured = [level(answer, "TRUE") for answer in said if level(answer, "TRUE") is not None]
    steps = [b - a for a, b in zip(measured, measured[1:])]
    fine = [step for step in steps if 0 < abs(step) < 11]
    after = one(network, "ruler-after", f"method: count, by: [hr], cohort: '{of('ruler')}'", protocol="HDH-ruler")
    closed = after.get("rule") == "protocol" or any(a.get("rule") == "protocol" for a in said)
    log = network.run("maille", "audit", "show", network.net / "sites" / "hospital-a" / "log", "--network", network.net / "network.yaml")[1]
    alarm = "HDH-ruler" in log and "clos" in log
    left = f"{len(said)} groups along a ruler: {len(measured)} shown, {len(fine)} of them fewer than 11 patients apart" if fine or level(first, "TRUE") is None else None
    if not left and not (closed and alarm):
        left = f"{len(said)} groups along a ruler, and the registration is {'closed' if closed else 'open'}, {'an' if alarm else 'no'} alarm in the log"
    book.note("ruler", "counts", left, rules(said) | ({"protocol"} if closed else set()), blunt=True)


def registration(book, network):
    """A7. Another text under `protocol` for a new budget, and another researcher of the same one."""
    text = """id: {id}
title: a budget
summary_for_patients: We count.
legal_basis: MR-004
purposes: [research-public-interest]
researchers: [researcher, bob]
dictionary: wards@1
budget: {{ tables: 3, models: 1 }}
notice: none
begin: 2026-01-01
end: 2099-12-31
"""
    network.enroll("bob")
    (network.folder / "registration.yaml").write_text(text.format(id="HDH-a7"))
    network.register(network.folder / "registration.yaml")
    lines = {f"x{i}": f"method: count, by: [hr], cohort: '{of('budget')} && dept == \"{d}\"'" for i, d in enumerate("abc")}
    spent = network.ask("a7-budget", lines, protocol="HDH-a7")
    more = f"method: count, by: [her2], cohort: '{of('budget')}'"
    again = one(network, "a7-more", more, protocol="HDH-a7")
    renamed = one(network, "a7-renamed", more, protocol="HDH-a7b")
    other = one(network, "a7-bob", more, protocol="HDH-a7", researcher="bob")
    answered = [answer for answer in (again, renamed, other) if answer["status"] == "ok"]
    if not any(answer["status"] == "ok" for answer in spent.values()):
        book.faults.append("A7: expected the budget's own analyses to be answered")
    book.note("A7", "another-protocol", f"{len(answered)} answers beyond the budget" if answered else None, rules([again, renamed, other]), blunt=True)


def run(book, network, truth, everything, only):
    """everything: those too whose rules are the same in every policy."""
    for attack, always, campaign in (
        ("A6", True, lambda: site_totals(book, network, truth)), ("A10", True, lambda: her_site(book, network)),
        ("A2", False, lambda: two_researchers(book, network)), ("A13", True, lambda: objection(book, network, truth)),
        ("ruler", False, lambda: ruler(book, network)), ("A7", False, lambda: registration(book, network)),  # from here on the network registers
    ):
        if only == attack or only is None and (always or everything):
            campaign()
