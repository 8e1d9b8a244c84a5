/* Laws: Weibull (triple negative: log-logistic) for survival and for progression, joined by a Gaussian
 * copula, with covariates; scales calibrated so that the medians of Kaplan and Meier are those that were
 * published (examples/esme-mbc/README.md has the sources and what was assumed). */
#include "worker/synth_esme.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

enum subtype { HR_HER2_NEGATIVE, HER2_POSITIVE, TRIPLE_NEGATIVE, UNDETERMINED, SUBTYPES };

static const char *const subtype_names[] = {"HR+/HER2-", "HER2+", "TN", "undetermined"};

/* Deluche et al. 2020 (European Journal of Cancer): 22,109 women and men, 2008 to 2016. */
static const double subtype_counts[] = {13656, 4017, 2963, 1473};
enum { PATIENTS_PUBLISHED = 22109 };

/* Shapes, and scales in months at the covariates' baseline, calibrated to medians of 43.3, 50.1 and 14.8
 * months (survival; undetermined: 48, assumed) and 11.8, 13.0 and 6.0 (first-line progression-free;
 * undetermined: 11). */
static const double survival_shape[] = {1.36, 1.28, 1.62, 1.30},
                    survival_scale[] = {58.42, 79.69, 22.18, 69.68}, progression_shape = 1.15,
                    progression_scale[] = {16.14, 19.34, 10.15, 15.69},
                    correlation[] = {0.62, 0.62, 0.74, 0.62};

/* Bone alone: Bertho et al. 2021. The rest is assumed. */
static const double de_novo_share[] = {0.28, 0.40, 0.22, 0.30}, early_share[] = {0.17, 0.25, 0.55, 0.22},
                    bone_share[] = {0.310, 0.165, 0.100, 0.224}, visceral_share[] = {0.68, 0.75, 0.74, 0.70},
                    sites_share[] = {0.37, 0.35, 0.28}, ps_share[] = {0.45, 0.37, 0.13, 0.05};

/* Eighteen unequal centres. */
static const double centre_share[] = {.13,  .11, .09, .08,  .075, .07, .06,  .055, .05,
                                      .045, .04, .04, .035, .03,  .03, .025, .02,  .015};
enum { CENTRES = sizeof centre_share / sizeof *centre_share };

#define DAYS_PER_MONTH 30.4375
enum { STUDY_BEGIN = 13879, STUDY_MONTHS = 120, LINES_MAX = 8 }; /* 2008-01-01; cut-off 2018-01-01 */

/* splitmix64 (Steele, Lea and Flood 2014). */
struct draw {
    uint64_t state;
    double z[2]; /* of the copula; the second of two patients has the first one's with the other sign */
    bool is_second;
};

static double uniform(struct draw *draw)
{
    uint64_t z = draw->state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller 1958. */
static double normal(struct draw *draw)
{
    const double radius = sqrt(-2 * log(uniform(draw)));
    return radius * cos(6.283185307179586 * uniform(draw));
}

static size_t choose(struct draw *draw, const double *shares, size_t n)
{
    double total = 0, at;
    for (size_t i = 0; i < n; i++)
        total += shares[i];
    at = uniform(draw) * total;
    for (size_t i = 0; i + 1 < n; i++)
        if ((at -= shares[i]) < 0)
            return i;
    return n - 1;
}

struct person {
    enum subtype subtype;
    double age;
    bool de_novo, early, bone_only, visceral, chemo;
    int sites, ps, year;
    size_t centre;
    double survival, progression; /* months, uncensored */
    int32_t met, last;            /* days since 1970-01-01 */
    bool dead, progressed;
    int32_t follow_up, free; /* days */
};

/* Hazards: bone alone 0.68 and HER2+ 0.91 a year published (Bertho 2021; Gobbini 2018); the rest assumed. */
static double linear_predictor(const struct person *p)
{
    static const double ps_hazard[] = {1, 1.35, 2.1, 3.2};
    return log(0.68) * p->bone_only + log(1.25) * p->visceral + log(1.45) * (p->sites == 3) +
           log(1.6) * p->early + (p->subtype == TRIPLE_NEGATIVE ? 0 : log(1.12) * (p->age - 60) / 10) +
           log(ps_hazard[p->ps]) + (p->subtype == HER2_POSITIVE ? log(0.91) * (p->year - 2012) : 0);
}

/* The time at which so many of those with this predictor are still without the event. */
static double time_of(double share, const struct person *p, double predictor, double scale, double shape)
{
    const double odds = p->subtype == TRIPLE_NEGATIVE ? 1 / share - 1 : -log(share) / 0.6931471805599453;
    return scale * pow(odds / exp(predictor), 1 / shape);
}

static double above(double z)
{
    return 0.5 * erfc(z * 0.7071067811865476);
}

static void draw_person(struct person *p, struct draw *draw, enum subtype s, const double *centres,
                        size_t n_centres)
{
    *p = (struct person){.subtype = s};
    p->age = fmin(fmax(60 + 14.4 * normal(draw), 18), 98);
    p->de_novo = uniform(draw) < de_novo_share[s];
    p->early = !p->de_novo && uniform(draw) < early_share[s];
    p->bone_only = uniform(draw) < bone_share[s];
    p->sites = p->bone_only ? 1 : 1 + (int)choose(draw, sites_share, 3);
    p->visceral = !p->bone_only && uniform(draw) < visceral_share[s];
    p->ps = (int)choose(draw, ps_share, 4);
    p->year = 2008 + (int)(9 * uniform(draw));
    /* Antithetic pairs (Hammersley and Morton 1956): medians come out near what they are meant to be for any
     * seed. */
    for (size_t i = 0; i < 2; i++)
        draw->z[i] = draw->is_second ? -draw->z[i] : normal(draw);
    draw->is_second = !draw->is_second;
    const double z = draw->z[0], r = correlation[s], predictor = linear_predictor(p);
    p->survival = time_of(above(z), p, predictor, survival_scale[s], survival_shape[s]);
    p->progression = time_of(above(r * z + sqrt(1 - r * r) * draw->z[1]), p, 0.8 * predictor,
                             progression_scale[s], progression_shape);
    p->centre = choose(draw, centres, n_centres);
    /* Chemotherapy first or endocrine treatment: by what makes a prognosis worse, and by nothing else, so
     * that the truth of a comparison is a hazard ratio of 1. */
    const double logit =
        -0.9 + 1.1 * p->visceral + 0.9 * (p->sites == 3) + 0.5 * p->early - 0.03 * (p->age - 60);
    p->chemo = uniform(draw) < 1 / (1 + exp(-logit));
    /* Followed up to the cut-off, but for 0.4 % a month who are lost (assumed). */
    const double entry = (p->year - 2008) * 12 + 12 * uniform(draw), lost = -log(uniform(draw)) / 0.004,
                 censored = fmin(STUDY_MONTHS - entry, lost);
    p->dead = p->survival <= censored;
    const double end = fmin(p->survival, censored), free = fmin(fmin(p->progression, p->survival), censored);
    p->progressed = fmin(p->progression, p->survival) <= censored;
    p->met = STUDY_BEGIN + (int32_t)(entry * DAYS_PER_MONTH);
    p->follow_up = (int32_t)fmax(1, nearbyint(end * DAYS_PER_MONTH));
    p->free = (int32_t)fmax(1, nearbyint(free * DAYS_PER_MONTH));
    p->last = p->met + p->follow_up;
}

static const char *first_line(const struct person *p)
{
    switch (p->subtype) {
    case HR_HER2_NEGATIVE:
    case UNDETERMINED:
        return p->chemo ? "chemo" : "ET";
    case HER2_POSITIVE:
        return "anti-HER2";
    default:
        return "chemo";
    }
}

static void put_patient(struct bytes *out, const struct person *p, uint64_t number)
{
    char met[16], last[16];
    number_format_date(met, p->met);
    number_format_date(last, p->last);
    bytes_printf(out, "SYN%07llu,C%02zu,%s,%d,%s,%d,%d,%d,%d,%d,%d,%s,%s,%s,%d,%d,%d,%d\n",
                 (unsigned long long)number, p->centre + 1, subtype_names[p->subtype], (int)p->age,
                 p->de_novo ? "de novo"
                 : p->early ? "6-24 months"
                            : "over 24 months",
                 p->bone_only, p->visceral, p->sites, p->ps, p->year, p->dead, met, last, first_line(p),
                 p->follow_up, p->dead, p->free, p->progressed);
}

/* Lines follow each other until the last news: the first ends with progression, each later one lasts about
 * two thirds of the one before (assumed). */
static void put_lines(struct bytes *out, struct draw *draw, const struct person *p, uint64_t number)
{
    static const char *const later[SUBTYPES][2] = {
        {"ET+CDK4/6i", "chemo"}, {"anti-HER2", "anti-HER2"}, {"chemo", "chemo"}, {"chemo", "ET"}};
    int32_t begin = p->met, end = p->met + p->free;
    double length = p->free;
    for (int line = 1; line <= LINES_MAX && begin < p->last; line++) {
        char from[16], to[16];
        const bool is_last = end >= p->last;
        if (is_last)
            end = p->last;
        number_format_date(from, begin);
        number_format_date(to, end);
        bytes_printf(out, "SYN%07llu,%d,%s,%s,%s,%s\n", (unsigned long long)number, line,
                     line == 1 ? first_line(p) : later[p->subtype][uniform(draw) < 0.7], from, to,
                     !is_last                     ? "progression"
                     : p->dead                    ? "death"
                     : line == 1 && p->progressed ? "progression"
                                                  : "ongoing");
        begin = end;
        length *= 0.65;
        end = begin + (int32_t)fmax(14, -log(uniform(draw)) * length);
    }
}

enum maille_code synth_esme(struct bytes *patients, struct bytes *lines, uint64_t n, uint64_t centres,
                            uint64_t seed, struct maille_error *error)
{
    struct draw draw = {.state = seed};
    struct person person;
    double shares[SYNTH_CENTRES_MAX];
    double before = 0;
    uint64_t number = 0;
    for (size_t c = 0; c < centres; c++)
        shares[c] = centre_share[c % CENTRES];
    bytes_printf(
        patients,
        "pid,centre,subtype,age,mfi,bone_only,visceral,n_sites,ps,year,vital_status,date_met,last_news,"
        "first_line,os,death,pfs,progression\n");
    bytes_printf(lines, "pid,line,class,begin,end,stop_reason\n");
    for (size_t s = 0; s < SUBTYPES; s++) {
        before += subtype_counts[s];
        const uint64_t up_to = (uint64_t)nearbyint(before / PATIENTS_PUBLISHED * (double)n);
        while (number < up_to) {
            draw_person(&person, &draw, (enum subtype)s, shares, centres);
            put_patient(patients, &person, ++number);
            put_lines(lines, &draw, &person, number);
        }
    }
    enum maille_code code = bytes_check(patients, error);
    return code != MAILLE_OK ? code : bytes_check(lines, error);
}
