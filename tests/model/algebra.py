#!/usr/bin/env python3
"""What can be learnt of the sums x_i from what leaves the sites, by algebra alone, for all that can leave.

algebra.py [N]   from 3 up to N sites (5 where it is absent), one of them a liar; two attempts of one round

A site's vector of attempt a is y = x + G(b_a) + Σ_{j>i} G(s_ij,a) − Σ_{j<i} G(s_ij,a) (crypto/mask.h). Known are the vectors that left, the
masks b that were opened, and all masks that the liar shares. Every other keystream is a variable of its own. What is learnt are the
integer combinations of the known vectors in which no mask is left. For each attempt every honest site is no member, silent, or has sent a
vector under one of two rosters, and has opened its mask or not. Checked for each such history, up to the order of sites and attempts:

  1  what is learnt are the sums over all honest members of the attempts in which each of them has opened its mask, all under one roster,
     and their combinations; nothing else (so circle.pml calls such an attempt opened)
  2  where each site opens one mask at most (guard ONE_REVEAL) and attempts have at least n_min members, it is one sum, of at least h_min
     honest sites
  3  without that guard there is, from 4 sites on, a history that gives a single site's x, though no attempt has fewer than two honest sites
  4  without the guard ONE_VECTOR, two vectors under one ψ give the difference of what they hold, with no mask opened

All pivots are 1 or −1, so what holds over the rationals holds modulo 2^64 and 2^128, which vectors are added by."""
import itertools
import sys

OUT, SILENT, SENT, OPENED = range(4)
# What one site did in one attempt: (OUT, 0), (SILENT, 0), or (SENT or OPENED, by which roster its masks were made).
DEEDS = [(OUT, 0), (SILENT, 0), (SENT, 0), (SENT, 1), (OPENED, 0), (OPENED, 1)]


def vectors(honest, history, hidden):
    """What left, as rows over the columns of x, then of masks that are not known. hidden: {mask: its column}, which grows."""
    rows = []
    for attempt in (0, 1):
        members = [i for i in range(honest) if history[i][attempt][0] != OUT]
        for i in members:
            deed, roster = history[i][attempt]
            if deed not in (SENT, OPENED):
                continue
            row = {i: 1}
            if deed == SENT:
                row[hidden.setdefault(("self", attempt, roster, i), honest + len(hidden))] = 1
            for j in members:
                if j != i:
                    pair = ("pair", attempt, roster, min(i, j), max(i, j))
                    row[hidden.setdefault(pair, honest + len(hidden))] = 1 if j > i else -1
            rows.append(row)
    return rows


def dense(rows, width):
    return [[row.get(column, 0) for column in range(width)] for row in rows]


def reduce(rows, columns):
    """Row echelon form over the integers, by pivots of 1 and -1 alone, in that order of columns. The rows that are 0 there."""
    rest = [list(row) for row in rows]
    for column in columns:
        with_it = [row for row in rest if row[column] != 0]
        if not with_it:
            continue
        pivot = next((row for row in with_it if abs(row[column]) == 1), None)
        assert pivot is not None, "expected a pivot of 1 or -1, found none"
        rest = [row for row in rest if row is not pivot]
        for row in rest:
            if row[column] != 0:
                factor = row[column] * pivot[column]
                for at, value in enumerate(pivot):
                    row[at] -= factor * value
    return [row for row in rest if any(row)]


def learnt(honest, history):
    """A basis of what is learnt, each over the x of the honest sites."""
    hidden = {}
    rows = vectors(honest, history, hidden)
    width = honest + len(hidden)
    return [row[:honest] for row in reduce(dense(rows, width), range(honest, width))]


def opened(honest, history):
    """The sums that circle.pml calls opened."""
    sums = []
    for attempt in (0, 1):
        members = [i for i in range(honest) if history[i][attempt][0] != OUT]
        deeds = {history[i][attempt] for i in members}
        if members and deeds in ({(OPENED, 0)}, {(OPENED, 1)}):
            sums.append([int(i in members) for i in range(honest)])
    return sums


def canonical(rows, honest):
    """One form of the lattice that the rows span, where all pivots are 1 or -1."""
    basis = []
    rest = [list(row) for row in rows]
    for column in range(honest):
        pivot = next((row for row in rest if abs(row[column]) == 1), None)
        if pivot is None:
            assert all(row[column] == 0 for row in rest), "expected a pivot of 1 or -1, found none"
            continue
        rest = [row for row in rest if row is not pivot]
        pivot = [value * pivot[column] for value in pivot]
        for row in rest + basis:
            factor = row[column]
            for at, value in enumerate(pivot):
                row[at] -= factor * value
        basis.append(pivot)
    return sorted(basis)


def needed(n):
    """n_min and h_min of docs/PROTOCOL.md §5."""
    liars, honest = max(1, n // 5), 2 if n == 3 else 3
    return max((n + liars) // 2 + 1, liars + honest), honest


def check(n):
    honest = n - 1
    n_min, h_min = needed(n)
    histories = guarded = 0
    alone = False
    for history in itertools.combinations_with_replacement(list(itertools.product(DEEDS, DEEDS)), honest):
        histories += 1
        found = canonical(learnt(honest, history), honest)
        assert found == canonical(opened(honest, history), honest), (history, found)  # 1
        members = [sum(site[attempt][0] != OUT for site in history) for attempt in (0, 1)]  # honest ones
        one_reveal = all(sum(deed[0] == OPENED for deed in site) <= 1 for site in history)
        if one_reveal and all(m == 0 or m + 1 >= n_min for m in members):
            guarded += 1
            assert len(found) <= 1 and all(sum(map(abs, row)) >= h_min for row in found), (history, found)  # 2
        if not one_reveal and min(members) > 1:
            alone = alone or any(sum(map(abs, row)) == 1 for row in found)
    assert alone or n == 3, "expected a history in which two opened masks give a single site's sum, found none"  # 3
    twice = dense([{0: 1, 2: 1}, {1: 1, 2: 1}], 3)  # x and x' under one ψ: the masks are the same
    assert canonical([row[:2] for row in reduce(twice, [2])], 2) == [[1, -1]]  # 4
    print(f"{n} sites: {histories} histories, {guarded} of them within the guards")


if __name__ == "__main__":
    for sites in range(3, int(sys.argv[1]) + 1 if len(sys.argv) > 1 else 6):
        check(sites)
