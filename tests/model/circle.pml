/* One query, as the guards of the vaults let it go (docs/PROTOCOL.md). README.md says what is in here and what is not.
 *
 * The honest sites are 0 … HONEST − 1. Everybody else lies and works together: the coordinator, the researcher, and the last site. So there
 * is no process for them: a site may at any time hear anything that those three can sign or repeat, in any order, any number of times, or
 * not at all. What the honest sites have signed stands in the arrays `masked`, `revealed` and `taken`: from there it can be repeated.
 *
 * OFF_NAME takes one guard out (run.sh has the list). AGENT: agent mode instead of the circle. RESTORE: one backup of site 0's disk. */
#ifndef SITES
#define SITES 3
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#define N_MIN 3      /* of the manifest */
#define HONEST_MIN 2 /* honest sites that a sum must hold: h_min of docs/PROTOCOL.md §5 for n = 3 */
#define HONEST (SITES - 1)

/* Who and what a start may name, v: members (honest ones as bits; with the liar in number) and analyses (bits). */
#if SITES == 3
#define VARIANTS 3
#define MEMBERS(v) ((v) == 2 -> 1 : 3)
#define SIZE(v) ((v) == 2 -> 2 : 3)
#else
#if ATTEMPTS == 2
#define VARIANTS 4
#else
#define VARIANTS 3 /* else ψ has more than 32 bits */
#endif
#define MEMBERS(v) ((v) == 3 -> 1 : ((v) == 2 -> 3 : 7))
#define SIZE(v) ((v) == 3 -> 2 : ((v) == 2 -> 3 : 4))
#endif
#if ATTEMPTS == 2
#define ANALYSES(v) ((v) == 1 -> 1 : 3)
#else
#define ANALYSES(v) ((v) == 0 -> 3 : 1)
#endif
#define WITHIN(v, of) ((MEMBERS(v) & ~MEMBERS(of)) == 0 && (ANALYSES(v) & ~ANALYSES(of)) == 0)
#define LESS(v, than) (SIZE(v) < SIZE(than) || ANALYSES(v) < ANALYSES(than))

/* A header: roster ρ (0 or 1: the liar signed two accepts), round, attempt, v, and the attempt that the round before was completed in (its
 * previous_hash; 0 in round 1). ψ of a round and a roster is one bit. */
#define PSI(a, v, p) (1 << ((a) - 1 + ATTEMPTS * ((v) + VARIANTS * ((p) > 0 -> (p) - 1 : 0))))

/* What masks are made for. 0, 1: this round as all work it out, after totals 0 or 1; ODD: something else. */
#define ODD 2
#define KEYS 3
#define AT(i, r, rho, k) ((((i) * ROUNDS + (r) - 1) * 2 + (rho)) * KEYS + (k))
int masked[HONEST * ROUNDS * 2 * KEYS];   /* by what its masks are made for */
int revealed[HONEST * ROUNDS * 2 * KEYS]; /* by which close: 0 or 1, since the liar signed two M4 */
int taken[HONEST * ROUNDS * 2 * KEYS];    /* by tag: totals 0, totals 1, or ODD */

/* --- a vault's disk: the query's journal, record by record (vault/query.c) --- */

#define ACCEPTED 0
#define ROSTERED 1
#define STARTED 2
#define REVEALED 3
#define TAKEN 4
#define AGREED 5
typedef disk_t {
    byte state;
    bit roster;              /* ρ */
    byte round, attempt, v, previous;
    bit rho;                 /* that the header names */
    bit answered;            /* a vector, and no M3n */
    byte key;                /* what its masks were made for */
    byte close;              /* that it revealed after */
    byte theta;              /* where the study stands: by what the last round's totals were */
    byte last_attempt;       /* of the last completed round … */
    int last;                /* … its ψ */
};
disk_t disk[HONEST];

/* Watched alone: the last vector that left. */
typedef watch_t { byte round, attempt, v; };
watch_t left[HONEST];
bool odd_left = 1; /* one honest site may once compute something else: another compiler, a broken disk */
#if defined ODD_NEVER
#define MAY_BE_ODD 0
#elif defined RESTORE
#define MAY_BE_ODD (odd_left && i != 0) /* not the one that is set back */
#else
#define MAY_BE_ODD odd_left
#endif

#ifdef RESTORE
disk_t backup;
hidden disk_t nothing;
byte backups; /* 1: made, 2: restored */
#define SET_BACK(i) ((i) == 0 && backups == 2)
inline copy(to, from)
{
    to.state = from.state;
    to.roster = from.roster;
    to.round = from.round;
    to.attempt = from.attempt;
    to.v = from.v;
    to.previous = from.previous;
    to.rho = from.rho;
    to.answered = from.answered;
    to.key = from.key;
    to.close = from.close;
    to.theta = from.theta;
    to.last_attempt = from.last_attempt;
    to.last = from.last
}
#else
#define SET_BACK(i) 0
#endif

#ifdef HONEST_COORDINATOR /* one close for a round (coordinator/steps.c, PHASE_ROUND), whatever the others do */
int closed[ROUNDS];
bit closed_rho[ROUNDS];
byte closed_by[ROUNDS];
#endif

/* What leaves is in the log and in the journal before (M4: in this order; M6 and taken: in the other, which is the same to everybody else). A
 * crash comes after `step` of the three; what is in memory is lost with it. */
#ifdef OFF_LOG
#define LOG 3
#define JOURNAL 1
#define SEND 2
#else
#define LOG 1
#define JOURNAL 2
#define SEND 3
#endif
#ifdef OFF_JOURNAL_START
#define JOURNAL_START 3
#define SEND_START 2
#else
#define JOURNAL_START JOURNAL
#define SEND_START SEND
#endif
#ifdef OFF_JOURNAL_REVEAL
#define JOURNAL_REVEAL 3
#define SEND_REVEAL 2
#else
#define JOURNAL_REVEAL JOURNAL
#define SEND_REVEAL SEND
#endif

/* Set and read within one step of a vault, and 0 between two. */
byte step, r, a, v, p, c, k, j, u, v2, a2, p2, rho, rho2, answered, next, ok, odd, all;
int psi, psi2;
inline forget()
{
    step = 0; r = 0; a = 0; v = 0; p = 0; c = 0; k = 0; j = 0; u = 0; v2 = 0; a2 = 0; p2 = 0; rho = 0; rho2 = 0;
    answered = 0; next = 0; ok = 0; odd = 0; all = 0; psi = 0; psi2 = 0
}

#define D disk[i]
#define HAS(what, i, r, rho, k) ((what[AT(i, r, rho, k)] & psi) != 0)
#define HAS_ANY(what, i, r, rho) (((what[AT(i, r, rho, 0)] | what[AT(i, r, rho, 1)] | what[AT(i, r, rho, ODD)]) & psi) != 0)
#define MEMBER(j, v) (((MEMBERS(v) >> (j)) & 1) != 0)

/* --- what must hold when something leaves; README.md says it in words. WATCH=NAME looks at one alone --- */

#define LOGGED 1
#define ROSTER 2
#define ATTEMPTS_SHRINK 3
#define ONE_VECTOR 4
#define CHAIN 5
#define THETA 6
#define ONE_REVEAL 7
#define BUNDLE 8
#define OPENED 9
#define TOTALS 10
#define REACH 11 /* does not hold: a result of the last round leaves */
#ifdef WATCH
#define HOLDS(property, condition) assert(property != WATCH || (condition))
#else
#define HOLDS(property, condition) assert((property == REACH) || (property == UNWATCHED) || (condition))
#endif
#ifndef UNWATCHED
#define UNWATCHED 0
#endif

/* M4 leaves. psi is its ψ. */
inline check_masked(i)
{
    HOLDS(LOGGED, step >= LOG);
    HOLDS(ROSTER, rho == D.roster);
    if
    :: !SET_BACK(i) ->
        if
        :: left[i].round == 0 -> HOLDS(ATTEMPTS_SHRINK, r == 1)
        :: left[i].round == r && left[i].attempt == a -> HOLDS(ATTEMPTS_SHRINK, left[i].v == v)
        :: left[i].round == r && left[i].attempt != a ->
            HOLDS(ATTEMPTS_SHRINK, a > left[i].attempt && WITHIN(v, left[i].v) && LESS(v, left[i].v))
        :: left[i].round > 0 && left[i].round != r ->
            HOLDS(ATTEMPTS_SHRINK, r == left[i].round + 1 && MEMBERS(v) == MEMBERS(left[i].v) && WITHIN(v, left[i].v))
        fi;
        left[i].round = r;
        left[i].attempt = a;
        left[i].v = v
    :: else
    fi;
    for (j : 0 .. KEYS - 1) {
        HOLDS(ONE_VECTOR, j == k || !HAS(masked, i, r, rho, j))
    }
    masked[AT(i, r, rho, k)] = masked[AT(i, r, rho, k)] | psi;
    if
    :: r > 1 ->
        HOLDS(CHAIN, p == D.last_attempt);
#ifndef AGENT
        psi = D.last;
        for (j : 0 .. HONEST - 1) {
            HOLDS(THETA, !MEMBER(j, v) || HAS(taken, j, r - 1, rho, D.theta))
        }
#endif
    :: else
    fi
}

/* Is the sum of psi open? All its honest members have opened their masks; short of that one pairwise mask at least stands (algebra.py). */
inline opened(members)
{
    all = 1;
    for (u : 0 .. HONEST - 1) {
        all = all && (((members >> u) & 1) == 0 || HAS_ANY(revealed, u, r, rho2))
    }
}

/* M6 leaves. psi is its ψ, c the close. */
inline check_reveal(i)
{
    HOLDS(LOGGED, step >= LOG);
    revealed[AT(i, r, rho, c)] = revealed[AT(i, r, rho, c)] | psi;
    for (k : 0 .. KEYS - 1) {
        HOLDS(ONE_REVEAL, (revealed[AT(i, r, rho, k)] & ~(k == c -> psi : 0)) == 0 && revealed[AT(i, r, 1 - rho, k)] == 0)
    }
    for (j : 0 .. HONEST - 1) {
        HOLDS(BUNDLE, !MEMBER(j, v) || HAS(masked, j, r, rho, D.key))
    }
    rho2 = rho;
    opened(MEMBERS(v));
    if
    :: all ->
        k = 0;
        for (j : 0 .. HONEST - 1) {
            k = k + (MEMBER(j, v) -> 1 : 0)
        }
        HOLDS(OPENED, k >= HONEST_MIN);
        psi2 = psi;
        for (rho2 : 0 .. 1) {
            for (a2 : 1 .. ATTEMPTS) {
                for (v2 : 0 .. VARIANTS - 1) {
                    for (p2 : 1 .. (r == 1 -> 1 : ATTEMPTS)) {
                        psi = PSI(a2, v2, p2);
                        opened(MEMBERS(v2));
                        HOLDS(OPENED, !all || (psi == psi2 && rho2 == rho) || (MEMBERS(v) & MEMBERS(v2)) == 0)
                    }
                }
            }
        }
    :: else
    fi
}

/* taken leaves. psi is its ψ, k its tag. */
inline check_taken(i)
{
    HOLDS(LOGGED, step >= LOG);
    taken[AT(i, r, rho, k)] = taken[AT(i, r, rho, k)] | psi;
    for (j : 0 .. HONEST - 1) {
        HOLDS(TOTALS, k == ODD || !HAS(taken, j, r, rho, 1 - k))
    }
}

/* result leaves. */
inline check_result(i)
{
    HOLDS(LOGGED, step >= LOG);
    for (j : 0 .. HONEST - 1) {
        HOLDS(THETA, !MEMBER(j, v) || HAS(taken, j, r, rho, D.theta))
    }
    HOLDS(REACH, r < ROUNDS)
}

/* --- the guards --- */

/* vault_check_start (vault/check_round.c): rule_rho, rule_order, rule_members, rule_members_enough, rule_analyses, rule_attempt,
 * rule_previous. */
inline start_allowed(i)
{
    next = D.state != STARTED;
#ifdef OFF_ORDER_REVEALED
    next = next && !(r == D.round && a > D.attempt);
#endif
    ok = MEMBER(i, v);
#ifndef OFF_RHO
    ok = ok && rho == D.roster;
#endif
#ifdef OFF_ORDER_ROUND
    ok = ok && r >= (next -> D.round + 1 : D.round);
#else
    ok = ok && r == (next -> D.round + 1 : D.round);
#endif
#ifndef OFF_ORDER_ATTEMPT
    ok = ok && a >= (next -> 1 : D.attempt + 1);
#endif
#ifndef AGENT
#ifndef OFF_ORDER_CUSTODY
    ok = ok && D.state != REVEALED;
#endif
#ifndef OFF_ORDER_AGREED
    ok = ok && D.state != TAKEN;
#endif
#endif
#ifndef OFF_MEMBERS_NEW
    ok = ok && (D.round == 0 || (MEMBERS(v) & ~MEMBERS(D.v)) == 0);
#endif
#ifndef OFF_MEMBERS_FROZEN
    ok = ok && (r == 1 || D.round == 0 || SIZE(v) == SIZE(D.v));
#endif
#ifndef OFF_MEMBERS_ENOUGH
    ok = ok && SIZE(v) >= N_MIN;
#endif
#ifndef OFF_ANALYSES
    ok = ok && (D.round == 0 || (ANALYSES(v) & ~ANALYSES(D.v)) == 0);
#endif
#ifndef OFF_ATTEMPT
    ok = ok && (r != D.round || LESS(v, D.v));
#endif
#ifndef OFF_PREVIOUS
    ok = ok && (r == 1 || p == (next -> D.attempt : D.previous));
#endif
}

/* vault_check_close (vault/check_round.c): psi, own_masked, members and masked_signed, tags. a2, v2: the attempt that the close is of. */
inline close_allowed(i)
{
    ok = D.answered;
#ifdef OFF_CLOSE_PSI
    ok = ok && SIZE(v2) == SIZE(v);
#else
    ok = ok && a2 == a && v2 == v;
#endif
#ifndef OFF_BUNDLE
    psi = PSI(a2, v2, p);
    for (j : 0 .. HONEST - 1) {
#ifdef OFF_TAGS
        ok = ok && (!MEMBER(j, v) || HAS_ANY(masked, j, r, rho))
#else
        ok = ok && (!MEMBER(j, v) || HAS(masked, j, r, rho, D.key))
#endif
    }
    psi = PSI(a, v, p)
#endif
}

/* add_up and take_reveal (vault/custody.c): vector, reveal_signed, close_hash, the commit. */
inline custody_allowed(i)
{
    ok = 1;
    for (j : 0 .. HONEST - 1) {
#ifdef OFF_CLOSE_HASH
        ok = ok && (!MEMBER(j, v) || HAS_ANY(revealed, j, r, rho))
#else
        ok = ok && (!MEMBER(j, v) || HAS(revealed, j, r, rho, D.close))
#endif
    }
}

/* take_taken, and that all say one thing: vault_handle_agreed (vault/circle.c). */
inline agreed_allowed(i)
{
    ok = 1;
#ifndef OFF_TAKEN_SIGNED
    for (j : 0 .. HONEST - 1) {
#ifdef OFF_AGREED_SAME
        ok = ok && (!MEMBER(j, v) || HAS_ANY(taken, j, r, rho))
#else
        ok = ok && (!MEMBER(j, v) || HAS(taken, j, r, rho, D.theta))
#endif
    }
#endif
}

inline of_disk(i)
{
    r = D.round;
    a = D.attempt;
    v = D.v;
    p = D.previous;
    rho = D.rho;
    psi = PSI(a, v, p)
}

/* --- a vault --- */

proctype Vault(byte i)
{
endless:
    do
    /* M2. vault_handle_roster (vault/ask.c): one roster, for ever. */
#ifdef OFF_ROSTER_ONCE
    :: atomic { D.state == ACCEPTED || D.roster == 0 ->
#else
    :: atomic { D.state == ACCEPTED ->
#endif
            if
            :: rho = 0
#ifndef ONE_ROSTER
            :: rho = 1
#endif
            fi;
            d_step {
                D.state = ROSTERED;
                D.roster = rho;
                D.round = 0;
                forget()
            }
        }

    /* M3. vault_handle_start (vault/round.c): answer_masked or answer_refuse. */
    :: atomic { D.state >= ROSTERED ->
            if
            :: rho = D.roster
#ifdef OFF_RHO
            :: rho = 1 - D.roster
#endif
            fi;
            if
            :: D.round > 0 -> r = D.round
            :: D.round < ROUNDS -> r = D.round + 1
#ifdef OFF_ORDER_ROUND
            :: D.round + 1 < ROUNDS -> r = D.round + 2
#endif
            fi;
            select(a : 1 .. ATTEMPTS);
            select(v : 0 .. VARIANTS - 1);
            if
            :: r == 1 -> p = 0
            :: r > 1 -> select(p : 1 .. ATTEMPTS)
            fi;
            d_step { start_allowed(i) };
            if
            :: !ok -> d_step { forget() }; goto endless
            :: else
            fi;
            if
            :: answered = 1
            :: answered = 0
            fi;
            if
            :: odd = 0
            :: MAY_BE_ODD && answered -> odd = 1
            fi;
            if
            :: step = 2
            :: step = 3
            fi;
            d_step {
                k = (odd || rho != D.roster -> ODD : D.theta);
                psi = PSI(a, v, p);
                odd_left = odd_left && !odd;
                if
                :: next && D.round > 0 ->
                    D.last_attempt = D.attempt;
                    D.last = PSI(D.attempt, D.v, D.previous)
                :: else
                fi;
                if
                :: step >= SEND_START && answered -> check_masked(i)
                :: else
                fi;
                if
                :: step >= JOURNAL_START ->
                    D.state = STARTED;
                    D.round = r;
                    D.attempt = a;
                    D.v = v;
                    D.previous = p;
                    D.rho = rho;
                    D.answered = answered;
                    D.key = (answered -> k : 0);
                    D.close = 0
                :: else
                fi;
                forget()
            }
        }

    /* M3 again: answer_again. */
    :: atomic { D.state >= STARTED && D.answered && (masked[AT(i, D.round, D.rho, D.key)] & PSI(D.attempt, D.v, D.previous)) == 0 ->
            d_step {
                of_disk(i);
                step = 3;
                k = D.key;
                check_masked(i);
                forget()
            }
        }

    /* M5. vault_handle_close (vault/round.c). The liar signed two M4, so there are closes 0 and 1. */
#ifdef OFF_CLOSE_AGAIN
    :: atomic { D.state == STARTED || D.state == REVEALED ->
#else
    :: atomic { D.state == STARTED ->
#endif
            d_step { of_disk(i) };
            if
            :: c = 0
            :: c = 1
            fi;
#ifdef OFF_CLOSE_PSI
            select(a2 : 1 .. ATTEMPTS);
            select(v2 : 0 .. VARIANTS - 1);
            skip;
#else
            a2 = a;
            v2 = v;
#endif
            d_step {
                close_allowed(i);
#ifdef HONEST_COORDINATOR
                ok = ok && (closed[r - 1] == 0 || (closed[r - 1] == psi && closed_rho[r - 1] == rho && closed_by[r - 1] == c))
#endif
            };
            if
            :: !ok -> d_step { forget() }; goto endless
            :: else
            fi;
            if
            :: step = 2
            :: step = 3
            fi;
            d_step {
#ifdef HONEST_COORDINATOR
                closed[r - 1] = psi;
                closed_rho[r - 1] = rho;
                closed_by[r - 1] = c;
#endif
                if
                :: step >= JOURNAL_REVEAL ->
                    D.state = REVEALED;
                    D.close = c
                :: else
                fi;
                if
                :: step >= SEND_REVEAL -> check_reveal(i)
                :: else
                fi;
                forget()
            }
        }

    /* M5 again: the same bytes, for the same ψ alone. */
    :: atomic { D.state >= REVEALED && (revealed[AT(i, D.round, D.rho, D.close)] & PSI(D.attempt, D.v, D.previous)) == 0 ->
            d_step {
                of_disk(i);
                step = 3;
                c = D.close;
                check_reveal(i);
                forget()
            }
        }

#ifndef AGENT
    /* custody. vault_handle_custody (vault/custody.c), circle_stepped (vault/circle.c). */
    :: atomic { D.state == REVEALED ->
            d_step { of_disk(i); custody_allowed(i); k = D.close };
            if
            :: !ok -> d_step { forget() }; goto endless
            :: else
            fi;
#ifdef OFF_VECTOR
            if
            :: skip
            :: k = 1 - D.close /* another vector than the signed one */
            fi;
#endif
#ifdef OFF_COMMIT
            if
            :: skip
            :: k = 1 - D.close /* another mask than the liar had committed to */
            fi;
#endif
            if
            :: odd = 0
            :: MAY_BE_ODD -> odd = 1
            fi;
            if
            :: step = 2
            :: step = 3
            fi;
            d_step {
                k = (odd -> ODD : k);
                odd_left = odd_left && !odd;
                if
                :: step >= JOURNAL ->
                    D.state = TAKEN;
                    D.theta = k
                :: else
                fi;
                if
                :: step >= SEND -> check_taken(i)
                :: else
                fi;
                forget()
            }
        }

    /* custody again: the same taken. */
    :: atomic { D.state >= TAKEN && (taken[AT(i, D.round, D.rho, D.theta)] & PSI(D.attempt, D.v, D.previous)) == 0 ->
            d_step {
                of_disk(i);
                step = 3;
                k = D.theta;
                check_taken(i);
                forget()
            }
        }

    /* agreed. vault_handle_agreed, answer_result (vault/circle.c). */
    :: atomic { D.state == TAKEN ->
            d_step { of_disk(i); agreed_allowed(i) };
            if
            :: !ok -> d_step { forget() }; goto endless
            :: else
            fi;
            if
            :: step = 2
            :: step = 3
            fi;
            d_step {
                if
                :: step >= JOURNAL -> D.state = AGREED
                :: else
                fi;
                if
                :: step >= SEND -> check_result(i)
                :: else
                fi;
                forget()
            }
        }
#endif

#ifdef RESTORE
    /* A copy of the disk, once; and the disk set back to it, once. */
    :: atomic { i == 0 && backups == 0 && D.state > ACCEPTED -> d_step { backups = 1; copy(backup, D) } }
    :: atomic { i == 0 && backups == 1 -> d_step { backups = 2; copy(D, backup); copy(backup, nothing) } }
#endif
    od
}

init {
    byte i;
    atomic {
        for (i : 0 .. HONEST - 1) {
            run Vault(i)
        }
        i = 0
    }
}
